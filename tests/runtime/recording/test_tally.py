import math

from runtime.events import Failed, Finished, LogMessage, Metrics, NodeStatistics, NodeStats, RunStarted
from runtime.recording.tally import RunTally, summary_lines


def _started(step=0, iteration=0):
    return RunStarted(0.0, "Cartpole", "train", 1, "cpu", "static", "", step, iteration, resumed=step > 0)


def _tally(*events):
    tally = RunTally()
    for event in events:
        tally(event)
    return tally


def test_a_run_from_start_to_end():
    stats = (NodeStats("3", "Agent", 10, 0.5, 0),)
    tally = _tally(
        _started(),
        Metrics(1.0, 100, 1, {"episode/mean_reward": 20.0}),
        Metrics(2.0, 200, 2, {"episode/mean_reward": 30.0}),
        Metrics(3.0, 300, 3, {"episode/mean_reward": 25.0}),
        Metrics(3.5, 350, 4, {"episode/mean_reward": math.nan}),
        NodeStatistics(4.0, 400, stats),
        Finished(4.0, "timeout", 400, 4),
    )
    assert tally.as_dict() == {
        "reason": "timeout",
        "error": None,
        "steps": 400,
        "iterations": 4,
        "seconds": 4.0,
        "steps_per_second": 100.0,
        "mean_reward": 25.0,
        "best_mean_reward": 30.0,
    }
    assert tally.nodes == stats


def test_a_resumed_run_counts_its_own_speed():
    tally = _tally(_started(1000, 10), Metrics(2.0, 1200, 12, {}), Finished(2.0, "steps", 1200, 12))
    assert (tally.step, tally.steps_here, tally.steps_per_second) == (1200, 200, 100.0)
    lines = summary_lines(tally)
    assert lines[0] == "Finished: steps"
    assert lines[1] == "  environment steps  1,200 (200 since the resume)"
    assert lines[4] == "  speed              100 steps/s"


def test_what_is_logged_after_the_end_costs_no_speed():
    tally = _tally(_started(), Finished(2.0, "steps", 400, 4), LogMessage(30.0, "info", "recorded it"))
    assert (tally.time, tally.steps_per_second) == (2.0, 200.0)


def test_an_inference_without_a_number_of_episodes_says_which_ones_count():
    figures = {"episodes": 64.0, "mean_reward": 1.0, "std_reward": 0.0, "min_reward": 1.0, "max_reward": 1.0}
    for ended, expected in ((1234, "64, the last of 1,234 that ended; --episodes N counts N"), (64, "64")):
        values = {**figures, "mean_length": 9.0, "ended_episodes": float(ended)}
        tally = _tally(_started(), Metrics(1.0, 100, 0, {f"eval/{name}": value for name, value in values.items()}))
        (line,) = (line for line in summary_lines(tally) if line.startswith("  episodes"))
        assert line.split("  ")[-1].strip().startswith(expected)


def test_the_summary_says_what_came_of_the_run_and_where_it_lies():
    tally = _tally(
        _started(), Metrics(75.0, 300_000, 30, {"episode/mean_reward": 480.123}), Finished(75.0, "reward", 300_000, 30)
    )
    assert summary_lines(tally, {"run folder": "runs/cartpole", "checkpoints": "runs/cartpole/checkpoints"}) == [
        "Finished: reward",
        "  environment steps    300,000",
        "  iterations           30",
        "  time                 1m15s",
        "  speed                4,000 steps/s",
        "  mean episode reward  480.12 (best 480.12)",
        "  run folder           runs/cartpole",
        "  checkpoints          runs/cartpole/checkpoints",
    ]


def test_a_run_without_episodes_has_no_reward():
    tally = _tally(_started(), Finished(0.25, "completed", 16, 0))
    assert tally.as_dict()["mean_reward"] is None
    assert not any("reward" in line for line in summary_lines(tally))
    assert "  time               0.25 s" in summary_lines(tally)


def test_a_failed_run_names_the_node():
    tally = _tally(
        _started(), Metrics(1.0, 100, 1, {}), Failed(1.5, "ValueError: no", "Traceback", "6", "Trainer", 120)
    )
    assert tally.reason == "failed"
    assert tally.as_dict()["error"] == "ValueError: no"
    assert tally.step == 120
    assert summary_lines(tally)[0] == "Failed in node 6 (Trainer)"


def test_a_failure_of_the_engine_names_no_node():
    assert summary_lines(_tally(_started(), Failed(1.5, "DeadlockError: ring", "")))[0] == "Failed"


def test_a_run_that_was_cut_off_does_not_claim_to_have_finished():
    assert summary_lines(_tally(_started()))[0] == "Ended before it finished"


def test_speed_is_counted_from_the_first_firing():
    started = RunStarted(10.0, "Cartpole", "train", 1, "cpu", "static", "")
    tally = _tally(started, Metrics(11.0, 500, 1, {}), Finished(12.0, "steps", 1000, 1))
    assert (tally.running_time, tally.steps_per_second) == (2.0, 500.0)
    assert "  time               12s" in summary_lines(tally), "the set-up is part of the time"


def test_an_evaluation_is_summed_up():
    figures = {
        "eval/episodes": 64.0, "eval/mean_reward": 495.25, "eval/std_reward": 3.0, "eval/min_reward": 480.0,
        "eval/max_reward": 500.0, "eval/mean_length": 499.5,
    }  # fmt: skip
    started = RunStarted(0.0, "Cartpole", "infer", 1, "cpu", "static", "")
    tally = _tally(started, Metrics(2.0, 32_000, 0, figures), Finished(2.0, "64 episodes", 32_000, 0))
    assert summary_lines(tally) == [
        "Finished: 64 episodes",
        "  environment steps    32,000",
        "  time                 2s",
        "  speed                16,000 steps/s",
        "  episodes             64",
        "  mean episode reward  495.25 (std 3.00, min 480.00, max 500.00)",
        "  mean episode length  499.5 steps",
    ]
    assert tally.as_dict()["evaluation"]["std_reward"] == 3.0


def test_an_evaluation_without_a_whole_episode_says_so():
    tally = _tally(_started(), Metrics(1.0, 8, 0, {"eval/episodes": 0.0}), Finished(1.0, "time-out", 8, 0))
    assert "  episodes           0" in summary_lines(tally)
    assert not any("reward" in line for line in summary_lines(tally))
