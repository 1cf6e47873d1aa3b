"""Every option of `dnne train` and `dnne infer` has its effect."""

import csv
import json
import math
import shutil

import pytest
import torch

from runtime.checkpoints import load_node_checkpoint
from tests.commands import (
    EXAMPLE,
    USER_NODES,
    add_node,
    events_of,
    insert_node,
    metrics_of,
    small_workflow,
    write_json,
)


def _last(folder, name="a"):
    return json.loads((folder / "runs" / name / "run.json").read_text())


def _metrics(folder, name="a"):
    return metrics_of(events_of(folder / "runs" / name / "events.jsonl"))


def _rewards(folder, name="a"):
    metrics = _metrics(folder, name)
    return {iteration: value for (iteration, _, key), value in metrics.items() if key == "episode/mean_reward"}


# When a run ends


def test_iterations_end_a_run(dnne, small, folder):
    outcome = dnne("train", small, "--iterations", 3, "--run-name", "a")
    assert outcome.code == 0
    assert "Finished: 3 of 3 iterations" in outcome.err
    summary = _last(folder)["summary"]
    assert (summary["iterations"], summary["steps"]) == (3, 48)


def test_total_timesteps_end_a_run_in_mid_rollout(dnne, small, folder):
    outcome = dnne("train", small, "--total-timesteps", 25, "--run-name", "a")
    assert outcome.code == 0
    assert "Finished: 28 of 25 steps" in outcome.err
    summary = _last(folder)["summary"]
    assert (summary["iterations"], summary["steps"]) == (1, 28)


def test_the_timeout_ends_a_run(dnne, small, folder):
    outcome = dnne("train", small, "--timeout", "1s", "--run-name", "a")
    assert outcome.code == 0
    assert "Finished: time-out after 1s" in outcome.err
    assert 1.0 <= _last(folder)["summary"]["seconds"] < 5.0


def test_the_first_of_several_ends_counts(dnne, small):
    outcome = dnne("train", small, "--timeout", "1h", "--iterations", 100, "--total-timesteps", 16)
    assert "Finished: 16 of 16 steps" in outcome.err


def test_a_reached_reward_ends_a_run(dnne, small, folder):
    dnne("train", small, "--iterations", 60, "--run-name", "whole")
    rewards = _rewards(folder, "whole")
    wanted = sorted(rewards.values())[len(rewards) // 2]
    first = min(iteration for iteration, reward in rewards.items() if reward >= wanted)
    outcome = dnne("train", small, "--stop-reward", wanted, "--iterations", 60, "--run-name", "a")
    assert f"Finished: episode/mean_reward reached {rewards[first]:.6g} (asked for {wanted:g})" in outcome.err
    assert _last(folder)["summary"]["iterations"] == first


def test_a_negative_reward_can_be_the_goal(dnne, small, folder):
    outcome = dnne("train", small, "--stop-reward", "-1000", "--iterations", 60)
    assert "episode/mean_reward reached" in outcome.err


def test_patience_ends_a_run_that_does_not_improve(dnne, small, folder):
    arguments = ["--set", "Trainer.learning_rate=0", "--iterations", 200]
    dnne("train", small, *arguments, "--run-name", "whole")
    best, best_iteration, expected = -math.inf, 0, 0
    for iteration, reward in _rewards(folder, "whole").items():
        if reward > best:
            best, best_iteration = reward, iteration
        elif iteration - best_iteration >= 7:
            expected = iteration
            break
    assert 0 < expected < 200
    outcome = dnne("train", small, *arguments, "--patience", 7, "--run-name", "a")
    assert "Finished: no improvement for 7 iterations (best episode/mean_reward" in outcome.err
    assert _last(folder)["summary"]["iterations"] == expected


# What is run


def test_the_seed_decides_every_number(dnne, small, folder):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        dnne("train", small, "--iterations", 4, "--seed", seed, "--run-name", name)
    assert _metrics(folder, "a") == _metrics(folder, "b")
    values_a, values_c = _metrics(folder, "a"), _metrics(folder, "c")
    assert values_a.keys() == values_c.keys()
    differing = [key for key in values_a if values_a[key] != values_c[key]]
    assert len(differing) > len(values_a) // 2
    assert _last(folder, "c")["seed"] == 2


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("tpu", "device 'tpu' is unknown; expected cpu, cuda, cuda:N or auto"),
        ("meta", "device 'meta' is not supported; expected cpu, cuda, cuda:N or auto"),
        ("cuda:99", "device 'cuda:99' is not there"),
        ("", "device '' is unknown"),
    ],
)
def test_a_device_that_cannot_be_had_is_refused_before_anything_is_written(dnne, small, folder, device, message):
    outcome = dnne("train", small, "--device", device, "--iterations", 1)
    assert outcome.code == 2
    assert message in outcome.err
    assert not (folder / "runs").exists()


def test_auto_takes_the_gpu_where_there_is_one(dnne, small, folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert dnne("train", small, "--device", "auto", "--iterations", 1, "--run-name", "a").code == 0
    assert _last(folder)["device"] == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    from runtime.run import RunSettings

    assert RunSettings(device="auto").torch_device() == torch.device("cuda")


def test_num_envs_replaces_the_number_of_the_workflow(dnne, small, folder):
    dnne("train", small, "--num-envs", 6, "--iterations", 2, "--run-name", "a")
    assert _last(folder)["summary"]["steps"] == 6 * 4 * 2
    assert json.loads((folder / "runs/a/workflow.json").read_text())["nodes"]["1"]["inputs"]["num_envs"] == 6


def test_set_takes_ids_titles_and_types_and_json_values(dnne, small, folder):
    values = [
        "3.hidden_sizes=[6, 5]", "agent.activation=tanh", "PPOTrainerNode.clip_value=true", "Trainer.gamma=5e-1",
        'Env.task_parameters={"start_position_range": 0.2}', "6.minibatch_size=auto", "6.checkpoint_trigger_value=7",
    ]  # fmt: skip
    options = [word for value in values for word in ("--set", value)]
    assert dnne("train", small, *options, "--iterations", 1, "--save-checkpoint-dir", "ck", "--run-name", "a").code == 0
    nodes = {
        node_id: node["inputs"]
        for node_id, node in json.loads((folder / "runs/a/workflow.json").read_text())["nodes"].items()
    }
    assert (nodes["3"]["hidden_sizes"], nodes["3"]["activation"]) == ([6, 5], "tanh")
    assert (nodes["6"]["clip_value"], nodes["6"]["gamma"], nodes["6"]["minibatch_size"]) == (True, 0.5, 0)
    assert nodes["6"]["checkpoint_trigger_value"] == "7"
    assert nodes["1"]["task_parameters"] == {"start_position_range": 0.2}
    weights = load_node_checkpoint("ck", "3").state
    assert weights["actor.body.layers.1.weight"].shape == (5, 6)


def test_every_wrong_assignment_is_reported_at_once(dnne, small, folder):
    wrong = ["Agnet.activation=elu", "Agent.activatoin=elu", "Trainer.gamma=2", "Trainer.horizon_length=many", "9.x=1"]
    outcome = dnne("train", small, *[word for text in wrong for word in ("--set", text)])
    assert outcome.code == 2
    assert "5 problems in the workflow" in outcome.err
    assert "there is no node 'Agnet'; did you mean 'Agent'?" in outcome.err
    assert "unknown parameter 'activatoin'; did you mean 'activation'?" in outcome.err
    assert "--set Trainer.gamma=2: 2 is out of range; allowed: 0 to 1" in outcome.err
    assert "--set Trainer.horizon_length=many: 'many' is not a whole number; allowed: 1 to 1000000" in outcome.err
    assert "there is no node '9'" in outcome.err
    assert not (folder / "runs").exists()


def test_a_size_that_an_assignment_makes_wrong_is_found_before_the_run(dnne, small):
    outcome = dnne("train", small, "--set", "Agent.input_size=7", "--iterations", 1)
    assert outcome.code == 2
    assert "node 3 (Agent), input_size: it is 7, but the observations are" in outcome.err


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_in_force_while_nodes_compute(dnne, folder, threads):
    workflow = small_workflow()
    add_node(workflow, "9", "FlagsNode", value=["5", "rewards"])
    path = write_json(folder / "w.json", workflow)
    assert dnne("train", path, "--nodes-dir", USER_NODES, "--threads", threads, "--iterations", 1).code == 0
    assert json.loads((folder / "flags.json").read_text())["threads"] == threads


def test_schedulers_give_the_same_bits_and_say_which_one_ran(dnne, small, folder):
    for name in ("static", "queues", "auto"):
        outcome = dnne("train", small, "--iterations", 5, "--scheduler", name, "--run-name", name)
        assert outcome.code == 0
    assert _metrics(folder, "static") == _metrics(folder, "queues") == _metrics(folder, "auto")
    started = {name: events_of(folder / "runs" / name / "events.jsonl")[0] for name in ("static", "queues", "auto")}
    assert [started[name]["schedule"] for name in started] == ["static", "queues", "static"]
    assert started["queues"]["schedule_reason"] == "queues were asked for"


def test_a_graph_without_a_static_schedule_is_refused_one(dnne, folder):
    workflow = small_workflow()
    add_node(workflow, "9", "GateNode", value=["5", "rewards"], open_at=2)
    add_node(workflow, "10", "PrintNode", value=["9", "output"])
    path = write_json(folder / "w.json", workflow)
    refused = dnne("train", path, "--nodes-dir", USER_NODES, "--scheduler", "static", "--iterations", 1)
    assert refused.code == 1
    assert "the rate of output 'output' of node 9 (GateNode) depends on data" in refused.err
    run = dnne("train", path, "--nodes-dir", USER_NODES, "--iterations", 1, "-v")
    assert run.code == 0
    assert "schedule: queues (queues, because the rate of output 'output' of node 9" in run.err


def test_the_queue_size_reaches_the_engine_and_changes_no_bit(dnne, small, folder, monkeypatch):
    import runtime.run.run as module

    sizes, engine = [], module.Engine
    monkeypatch.setattr(module, "Engine", lambda *values: sizes.append(values[4]) or engine(*values))
    for size in (1, 2, 8):
        dnne("train", small, "--iterations", 3, "--queue-size", size, "--scheduler", "queues", "--run-name", f"q{size}")
    assert sizes == [1, 2, 8]
    assert _metrics(folder, "q1") == _metrics(folder, "q2") == _metrics(folder, "q8")


# Where things go


def test_the_log_dir_and_the_run_name_say_where_the_run_folder_is(dnne, small, folder):
    outcome = dnne("train", small, "--iterations", 1, "--log-dir", "deep/logs", "--run-name", "first")
    assert (folder / "deep/logs/first/run.json").is_file()
    assert "run folder         deep/logs/first" in outcome.err
    assert not (folder / "runs").exists()
    again = dnne("train", small, "--iterations", 1, "--log-dir", "deep/logs", "--run-name", "first")
    assert again.code == 2
    assert "deep/logs/first holds" in again.err
    assert "use --resume deep/logs/first" in again.err


def test_without_a_name_every_run_gets_a_folder_of_its_own(dnne, small, folder):
    for _ in range(3):
        dnne("train", small, "--iterations", 1)
    assert len(list((folder / "runs").glob("cartpole-ppo-*/run.json"))) == 3


def test_the_run_folder_holds_all_that_is_promised(dnne, small, folder):
    dnne(
        "train", small, "--iterations", 3, "--seed", 5, "--num-envs", 8, "--set", "Trainer.gamma=0.9", "--run-name", "a"
    )
    run = folder / "runs" / "a"
    assert {path.name for path in run.iterdir()} == {
        ".lock", "workflow.json", "config.yaml", "run.json", "events.jsonl", "metrics.csv", "tensorboard", "resume",
    }  # fmt: skip
    info = _last(folder)
    assert (info["seed"], info["mode"], info["result"]) == (5, "train", "finished")
    assert info["settings"]["iterations"] == 3
    assert info["parameters"]["6"]["gamma"] == 0.9
    assert info["versions"]["torch"] == torch.__version__
    rows = list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))
    metrics = _metrics(folder)
    assert [int(row["iteration"]) for row in rows] == [1, 2, 3]
    for row in rows:
        key = (int(row["iteration"]), int(row["step"]), "train/policy_loss")
        assert float(row["train/policy_loss"]) == metrics[key]
    assert list((run / "tensorboard").glob("events.out.tfevents.*"))


def test_the_resolved_workflow_gives_the_same_run_again(dnne, small, folder):
    changes = ["--num-envs", 6, "--set", "Trainer.gamma=0.9", "--set", "Agent.activation=tanh"]
    dnne("train", small, *changes, "--iterations", 4, "--run-name", "a")
    resolved = folder / "runs/a/workflow.json"
    assert dnne("validate", resolved).code == 0
    dnne("train", resolved, "--iterations", 4, "--run-name", "b")
    assert _metrics(folder, "b") == _metrics(folder, "a")
    assert (folder / "runs/b/workflow.json").read_text() == resolved.read_text()


def test_events_go_to_a_file_too(dnne, small, folder):
    dnne("train", small, "--iterations", 2, "--events", "mine/events.jsonl", "--run-name", "a")
    assert (folder / "mine/events.jsonl").read_text() == (folder / "runs/a/events.jsonl").read_text()


def test_events_on_standard_output_are_json_lines_and_nothing_else(dnne, small):
    outcome = dnne("train", small, "--iterations", 2, "--events", "-", "--save-checkpoint-dir", "ck")
    records = outcome.records
    assert [record["event"] for record in records if record["event"] != "metric"] == [
        "started", "node_statistics", "checkpoint_saved", "checkpoint_saved", "checkpoint_saved", "finished",
    ]  # fmt: skip
    times = [record["time"] for record in records]
    assert all(isinstance(time, float) and time >= 0 for time in times)
    assert times == sorted(times)
    metrics = [record for record in records if record["event"] == "metric"]
    assert all(set(record) == {"event", "time", "name", "value", "step", "iteration"} for record in metrics)
    names = {record["name"] for record in metrics if record["iteration"] == 2}
    assert {"train/policy_loss", "train/value_loss", "rollout/mean_reward", "time/steps_per_second"} <= names
    assert {record["step"] for record in metrics if record["iteration"] == 2} == {32}
    assert "Finished" in outcome.err


# What is shown


def test_verbose_shows_what_is_hidden_otherwise(dnne, small):
    arguments = ("train", small, "--iterations", 2, "--save-checkpoint-dir", "ck")
    quiet, verbose = dnne(*arguments).err, dnne(*arguments, "--verbose").err
    details = [
        "schedule: static (static schedule of",  # how it is run
        "iteration 1, step 16: train/",  # metrics of every iteration
        "6 Trainer",  # time per node
        "waiting values: none",
        "checkpoint of node 3 saved in ck/node_3/model.pt",
        "resume state saved in",
        "train/clip_fraction",
    ]
    short = dnne(*arguments, "-v").err
    for detail in details:
        assert detail in verbose
        assert detail in short
        assert detail not in quiet


def test_test_mode_is_short_by_itself(dnne, small, folder):
    outcome = dnne("train", small, "--test-mode", "--total-timesteps", 64, "--run-name", "a")
    assert outcome.code == 0
    assert _last(folder)["settings"]["timeout"] == 10.0
    lines = outcome.err.splitlines()
    header = next(index for index, line in enumerate(lines) if line.startswith("node  "))
    assert lines[header].split() == ["node", "firings", "seconds", "µs", "per", "firing", "share"]
    table = {line.split()[1]: line.split() for line in lines[header + 1 : header + 7]}
    assert set(table) == {"Env", "OR", "Agent", "Action", "Step", "Trainer"}
    assert table["Step"][2] == "16"
    assert float(table["Trainer"][3]) > 0
    assert any(line.startswith("steps per second  ") and "(64 steps in" in line for line in lines)
    assert any(line.startswith("peak memory       ") and line.endswith(("MB", "GB")) for line in lines)


def test_test_mode_respects_the_timeout(dnne, small, folder):
    outcome = dnne("train", small, "--test-mode", "--timeout", "1s", "--run-name", "a")
    assert "Finished: time-out after 1s" in outcome.err
    assert "steps per second" in outcome.err
    assert 1.0 <= _last(folder)["summary"]["seconds"] < 5.0


def test_visual_says_that_the_embedded_simulator_has_no_viewer(dnne, small):
    outcome = dnne("train", small, "--visual", "--iterations", 1)
    assert outcome.code == 0
    assert "warning: --visual: no simulator of this workflow has a viewer of its own; running without" in outcome.err
    assert "--visual" not in dnne("train", small, "--headless", "--iterations", 1).err
    both = dnne("train", small, "--headless", "--visual", "--iterations", 1)
    assert both.code == 2
    assert "not allowed with argument" in both.err


# Nodes of a user


def test_nodes_of_a_users_own_take_part_in_a_run(dnne, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6", seconds=0.0)
    path = write_json(folder / "w.json", workflow)
    unknown = dnne("train", path, "--iterations", 1)
    assert unknown.code == 2
    assert "node 9 (SlowNode): unknown node type 'SlowNode'" in unknown.err
    assert dnne("train", path, "--iterations", 1, "--nodes-dir", USER_NODES, "--run-name", "a").code == 0
    statistics = [e for e in events_of(folder / "runs/a/events.jsonl") if e["event"] == "node_statistics"][-1]
    assert {"node_id": "9", "firings": 4}.items() <= statistics["nodes"][-1].items()


def test_the_per_user_folder_needs_no_option(dnne, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6", seconds=0.0)
    path = write_json(folder / "w.json", workflow)
    shutil.copytree(str(USER_NODES), str(folder / "data" / "dnne" / "nodes"))
    assert dnne("train", path, "--iterations", 1).code == 0
    assert "SlowNode" in dnne("nodes").out


def test_a_node_file_that_does_not_load_is_named_with_its_traceback(dnne, small, folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "broken.py").write_text("import no_such_library\n")
    outcome = dnne("train", small, "--iterations", 1, "--nodes-dir", "mine")
    assert outcome.code == 0
    assert "warning: mine/broken.py was not loaded" in outcome.err
    assert "No module named 'no_such_library'" in outcome.err


def test_a_nodes_folder_that_is_not_there_is_an_error(dnne, small):
    outcome = dnne("train", small, "--nodes-dir", "nowhere")
    assert outcome.code == 2
    assert "the nodes folder nowhere does not exist" in outcome.err


# Inference


@pytest.fixture
def trained(dnne, small, folder):
    assert dnne("train", small, "--iterations", 30, "--save-checkpoint-dir", "ck").code == 0
    return folder / "ck"


def test_inference_evaluates_whole_episodes(dnne, small, folder, trained):
    outcome = dnne(
        "infer", small, "--load-checkpoint-dir", trained, "--episodes", 10, "--run-name", "a", "--events", "-"
    )
    assert outcome.code == 0
    values = {record["name"]: record["value"] for record in outcome.records if record["event"] == "metric"}
    assert values["eval/episodes"] == 10
    assert values["eval/min_reward"] <= values["eval/mean_reward"] <= values["eval/max_reward"]
    expected = (
        f"mean episode reward  {values['eval/mean_reward']:.2f} (std {values['eval/std_reward']:.2f}, "
        f"min {values['eval/min_reward']:.2f}, max {values['eval/max_reward']:.2f})"
    )
    assert expected in outcome.err
    assert f"mean episode length  {values['eval/mean_length']:.1f} steps" in outcome.err
    assert "Finished: 10 episodes" in outcome.err
    assert _last(folder)["summary"]["evaluation"]["episodes"] == 10
    assert not (folder / "runs/a/resume").exists()
    # Not a step more than the episodes that count: the first 3, 3, 2 and 2 of the four environments.
    assert values["eval/episodes"] * values["eval/mean_length"] <= _last(folder)["summary"]["steps"]


def test_inference_is_deterministic_and_trains_nothing(dnne, small, folder, trained):
    before = (trained / "node_3/model.pt").read_bytes()
    for name in ("a", "b"):
        dnne("infer", small, "--load-checkpoint-dir", trained, "--episodes", 4, "--run-name", name)
    assert _last(folder, "a")["summary"]["evaluation"] == _last(folder, "b")["summary"]["evaluation"]
    assert (trained / "node_3/model.pt").read_bytes() == before


def test_inference_ends_by_steps_or_time_too(dnne, small, trained):
    outcome = dnne("infer", small, "--load-checkpoint-dir", trained, "--total-timesteps", 40)
    assert "Finished: 40 of 40 steps" in outcome.err
    outcome = dnne("infer", small, "--load-checkpoint-dir", trained, "--timeout", "1s", "--test-mode")
    assert "Finished: time-out after 1s" in outcome.err
    assert "steps per second" in outcome.err


def test_inference_without_weights_must_be_asked_for(dnne, small, folder):
    refused = dnne("infer", small, "--episodes", 4)
    assert refused.code == 2
    assert "inference needs trained weights: give --load-checkpoint-dir DIR" in refused.err
    assert not (folder / "runs").exists()
    assert dnne("infer", small, "--episodes", 4, "--untrained").code == 0


@pytest.mark.parametrize(
    "option", ["--iterations=3", "--stop-reward=1", "--patience=3", "--save-checkpoint-dir=x", "--resume=x"]
)
def test_inference_does_not_take_options_of_training(dnne, small, option):
    outcome = dnne("infer", small, "--untrained", "--episodes", 1, option)
    assert outcome.code == 2
    assert f"unrecognized arguments: {option}" in outcome.err


@pytest.mark.parametrize("option", ["--episodes=3", "--untrained"])
def test_training_does_not_take_options_of_inference(dnne, small, option):
    outcome = dnne("train", small, "--iterations", 1, option)
    assert outcome.code == 2
    assert f"unrecognized arguments: {option}" in outcome.err


def test_the_example_trains_as_it_is(dnne, folder):
    outcome = dnne("train", EXAMPLE, "--iterations", 1, "--run-name", "a")
    assert outcome.code == 0
    assert _last(folder)["summary"]["steps"] == 1024
