"""Model checkpoints through the command: who saves, when, what stays, and what is refused."""

import io
import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from runtime.checkpoints import load_node_checkpoint
from tests.commands import add_node, events_of, metrics_of, small_workflow, write_json

REWARD = "episode/mean_reward"


def _saved(folder, name="a", node="3"):
    """(iteration, reason) of the checkpoints of a node."""
    records = events_of(folder / "runs" / name / "events.jsonl")
    return [(r["iteration"], r["reason"]) for r in records if r["event"] == "checkpoint_saved" and r["node_id"] == node]


def _column(folder, metric, name="a"):
    metrics = metrics_of(events_of(folder / "runs" / name / "events.jsonl"))
    return {iteration: value for (iteration, _, key), value in metrics.items() if key == metric}


def _history(node_folder):
    return sorted(int(path.name) for path in (node_folder / "history").iterdir())


def _evaluation(outcome, folder, name):
    assert outcome.code == 0, outcome.err
    return json.loads((folder / "runs" / name / "run.json").read_text())["summary"]["evaluation"]


@pytest.fixture
def trained(dnne, small, folder):
    assert dnne("train", small, "--iterations", 20, "--save-checkpoint-dir", "ck", "--run-name", "trained").code == 0
    return folder / "ck"


# The matrix of two levels


@pytest.mark.parametrize(
    ("switch", "enabled", "saves"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_saving_needs_the_switch_and_the_node(dnne, small, folder, switch, enabled, saves):
    options = ["--save-checkpoint-dir", "ck"] if switch else []
    setting = f"Agent.checkpoint_enabled={json.dumps(enabled)}"
    assert dnne("train", small, "--iterations", 2, "--set", setting, *options).code == 0
    assert (folder / "ck/node_3/model.pt").exists() is saves
    assert (folder / "ck/node_6/model.pt").exists() is switch
    assert list(folder.glob("**/node_*")) == ([] if not switch else list(folder.glob("ck/node_*")))


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("switch", [True, False])
def test_loading_needs_the_switch_alone(dnne, small, folder, trained, switch, enabled):
    settings = ["--episodes", 8, "--set", f"Agent.checkpoint_enabled={json.dumps(enabled)}"]
    reference = dnne("infer", small, "--load-checkpoint-dir", trained, "--episodes", 8, "--run-name", "reference")
    option = ["--load-checkpoint-dir", trained] if switch else ["--untrained"]
    outcome = dnne("infer", small, *settings, *option, "--run-name", "a")
    same = _evaluation(outcome, folder, "a") == _evaluation(reference, folder, "reference")
    assert same is switch
    assert (f"loaded {trained}/node_3/model.pt (iteration 20)" in outcome.err) is switch


def test_training_goes_on_from_loaded_weights(dnne, small, folder, trained):
    frozen = ["--set", "Trainer.learning_rate=0", "--iterations", 1]
    dnne("train", small, "--load-checkpoint-dir", trained, *frozen, "--save-checkpoint-dir", "again")
    before, after = load_node_checkpoint("ck", "3").state, load_node_checkpoint("again", "3").state
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_node_without_a_checkpoint_starts_anew_where_it_may(dnne, small, trained):
    shutil.rmtree(str(trained / "node_6"))
    outcome = dnne("train", small, "--load-checkpoint-dir", trained, "--iterations", 1)
    assert outcome.code == 0
    assert f"{trained} has no checkpoint of node 6 (Trainer); it starts anew" in outcome.err


# When


def test_epoch_saves_every_n_iterations_and_at_the_end(dnne, small, folder):
    dnne(
        "train", small, "--iterations", 5, "--save-checkpoint-dir", "ck", "--run-name", "a",
        "--set", "Agent.checkpoint_trigger_type=epoch", "--set", "Agent.checkpoint_trigger_value=2",
    )  # fmt: skip
    assert _saved(folder) == [
        (2, "epoch: iteration 2, every 2"), (4, "epoch: iteration 4, every 2"), (5, "5 of 5 iterations"),
    ]  # fmt: skip
    assert _saved(folder, node="6") == [(5, "5 of 5 iterations")]


def test_nothing_is_saved_twice_where_the_trigger_and_the_end_meet(dnne, small, folder):
    setting = "Agent.checkpoint_trigger_value=2"
    dnne("train", small, "--iterations", 4, "--save-checkpoint-dir", "ck", "--run-name", "a", "--set", setting)
    assert [iteration for iteration, _ in _saved(folder)] == [2, 4]


def test_time_saves_every_so_often(dnne, small, folder):
    options = ["Agent.checkpoint_trigger_type=time", "Agent.checkpoint_trigger_value=0.2"]
    dnne(
        "train", small, "--timeout", "3s", "--save-checkpoint-dir", "ck", "--run-name", "a",
        *[word for option in options for word in ("--set", option)],
    )  # fmt: skip
    records = events_of(folder / "runs/a/events.jsonl")
    times = [r["time"] for r in records if r["event"] == "checkpoint_saved" and r["reason"] == "time: every 0.2 s"]
    assert times
    assert all(time >= 0.2 * number for number, time in enumerate(times, start=1)), times
    assert _saved(folder)[-1][1] in ("time-out after 3s", "time: every 0.2 s"), "the last state is saved once"


@pytest.mark.parametrize(
    ("value", "metric", "sign"), [("max", REWARD, 1), ("min:train/value_loss", "train/value_loss", -1)]
)
def test_best_metric_saves_at_every_new_best(dnne, small, folder, value, metric, sign):
    options = ["Agent.checkpoint_trigger_type=best_metric", f"Agent.checkpoint_trigger_value={value}"]
    dnne(
        "train", small, "--iterations", 40, "--save-checkpoint-dir", "ck", "--run-name", "a",
        *[word for option in options for word in ("--set", option)],
    )  # fmt: skip
    best, expected = None, []
    for iteration, number in _column(folder, metric).items():
        if best is None or sign * number > sign * best:
            best, expected = number, [*expected, iteration]
    saved = _saved(folder)
    assert [iteration for iteration, reason in saved if reason.startswith("best_metric")] == expected
    assert len(expected) > 2
    assert load_node_checkpoint("ck", "3", "best").metadata["iteration"] == expected[-1]
    assert load_node_checkpoint("ck", "3", "best").metadata["metric"] == {"name": metric, "value": best}
    assert load_node_checkpoint("ck", "3").metadata["iteration"] == 40


def test_the_newest_and_the_best_stay(dnne, small, folder):
    options = ["Agent.checkpoint_trigger_value=1", "Agent.checkpoint_keep_last=3"]
    dnne(
        "train", small, "--iterations", 30, "--save-checkpoint-dir", "ck", "--run-name", "a",
        *[word for option in options for word in ("--set", option)],
    )  # fmt: skip
    assert _history(folder / "ck/node_3") == [28, 29, 30]
    rewards = _column(folder, REWARD)
    best = load_node_checkpoint("ck", "3", "best").metadata
    assert best["iteration"] == max(rewards, key=rewards.get)
    assert best["metric"] == {"name": REWARD, "value": max(rewards.values())}


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("epoch", "0", "expected a whole number of iterations, 1 or more"),
        ("epoch", "often", "expected a whole number of iterations, 1 or more"),
        ("time", "5mXYZ", "expected a duration or a positive number of seconds"),
        ("best_metric", "highest", "expected max, min, max:METRIC or min:METRIC"),
    ],
)
def test_a_trigger_that_makes_no_sense_is_found_before_the_run(dnne, small, folder, type_, value, expected):
    options = [f"Agent.checkpoint_trigger_type={type_}", f"Agent.checkpoint_trigger_value={value}"]
    outcome = dnne("train", small, "--iterations", 1, *[word for option in options for word in ("--set", option)])
    assert outcome.code == 2
    assert "node 3 (Agent), checkpoint_trigger_value" in outcome.err
    assert expected in outcome.err


def test_a_run_that_ends_in_mid_rollout_saves_too(dnne, small, folder):
    dnne("train", small, "--total-timesteps", 20, "--save-checkpoint-dir", "ck", "--run-name", "a")
    assert _saved(folder) == [(1, "20 of 20 steps")]
    metadata = json.loads((folder / "ck/node_3/metadata.json").read_text())
    assert (metadata["iteration"], metadata["step"]) == (1, 20)
    assert metadata["hyperparameters"]["hidden_sizes"] == [8]
    assert metadata["versions"]["torch"] == torch.__version__


# Saver and loader nodes


def _with_saver(**values):
    workflow = small_workflow()
    workflow["nodes"]["3"]["inputs"]["checkpoint_enabled"] = False
    add_node(workflow, "8", "CheckpointSaverNode", model=["3", "model"], **values)
    return workflow


def test_a_saver_node_saves_its_agent_by_its_own_trigger(dnne, folder):
    path = write_json(folder / "w.json", _with_saver(checkpoint_trigger_value="3"))
    dnne("train", path, "--iterations", 4, "--save-checkpoint-dir", "ck", "--run-name", "a")
    assert [iteration for iteration, _ in _saved(folder)] == [3, 4]
    assert {path.name for path in (folder / "ck").glob("node_*")} == {"node_3", "node_6"}
    assert dnne("infer", path, "--load-checkpoint-dir", "ck", "--episodes", 4).code == 0


def test_a_saver_node_obeys_the_same_switches(dnne, folder):
    path = write_json(folder / "w.json", _with_saver())
    dnne("train", path, "--iterations", 1)
    dnne("train", path, "--iterations", 1, "--save-checkpoint-dir", "ck", "--set", "8.checkpoint_enabled=false")
    assert not list(folder.glob("**/node_3"))


def test_two_savers_of_one_node_are_an_error(dnne, folder):
    workflow = _with_saver()
    workflow["nodes"]["3"]["inputs"]["checkpoint_enabled"] = True
    outcome = dnne("train", write_json(folder / "w.json", workflow), "--iterations", 1)
    assert outcome.code == 2
    assert "it saves the state of node 3 (Agent), which that node saves itself" in outcome.err


def test_a_loader_node_reads_another_nodes_folder(dnne, small, folder, trained):
    reference = dnne("infer", small, "--load-checkpoint-dir", trained, "--episodes", 8, "--run-name", "reference")
    (trained / "node_3").rename(trained / "node_77")
    workflow = small_workflow()
    add_node(workflow, "8", "CheckpointLoaderNode", model=["3", "model"], source_node="77")
    path = write_json(folder / "w.json", workflow)
    outcome = dnne("infer", path, "--load-checkpoint-dir", trained, "--episodes", 8, "--run-name", "a")
    assert _evaluation(outcome, folder, "a") == _evaluation(reference, folder, "reference")
    assert "was saved by node 3, and is loaded into node 77" in outcome.err
    assert dnne("infer", path, "--untrained", "--episodes", 8).code == 0


# What cannot be loaded


def _no_agent(folder):
    shutil.rmtree(str(folder / "node_3"))


def _empty(folder):
    shutil.rmtree(str(folder))
    folder.mkdir()


def _truncated(folder):
    model = folder / "node_3/model.pt"
    model.write_bytes(model.read_bytes()[:400])


def _no_torch_file(folder):
    (folder / "node_3/model.pt").write_text("these are no weights")


def _unreadable(folder):
    (folder / "node_3/model.pt").unlink()
    (folder / "node_3/model.pt").mkdir()


def _another_kind(folder):
    torch.save({"weights": torch.zeros(3)}, folder / "node_3/model.pt")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_no_agent, "has no node_3/; found node_6"),
        (_empty, "has no node_3/; found no node folder at all"),
        (_truncated, "node_3/model.pt"),
        (_no_torch_file, "node_3/model.pt"),
        (_unreadable, "node_3/model.pt is missing"),
        (_another_kind, "node_3/model.pt"),
    ],
)
@pytest.mark.parametrize("command", [["infer", "--episodes", 1], ["train", "--iterations", 1]])
def test_weights_that_cannot_be_read_end_the_run_before_its_first_step(
    dnne, small, folder, trained, command, spoil, expected
):
    spoil(trained)
    outcome = dnne(*command, small, "--load-checkpoint-dir", trained, "--run-name", "a")
    assert outcome.code == 1
    assert "error: node 3: " in outcome.err
    assert expected in outcome.err
    assert "Traceback" not in outcome.err
    assert not (folder / "runs/a").exists()


def test_weights_of_another_shape_are_listed_with_expected_and_found(dnne, small, folder, trained):
    outcome = dnne(
        "infer", small, "--load-checkpoint-dir", trained, "--episodes", 1, "--set", "Agent.hidden_sizes=[8, 5]"
    )
    assert outcome.code == 1
    assert f"{trained}/node_3/model.pt for node 3 (Agent)" in outcome.err
    assert "policy_head.weight: expected shape (1, 5), found (1, 8)" in outcome.err
    assert "actor.body.layers.1.weight: expected shape (5, 8), found nothing" in outcome.err
    assert "Finished" not in outcome.err


def test_a_folder_that_is_not_there_is_found_before_a_run_folder_is_made(dnne, small, folder):
    outcome = dnne("infer", small, "--load-checkpoint-dir", "nowhere", "--episodes", 1)
    assert outcome.code == 2
    assert "--load-checkpoint-dir nowhere: there is no such folder" in outcome.err
    assert not (folder / "runs").exists()


def test_the_folder_of_one_node_is_told_from_that_of_a_run(dnne, small, trained):
    outcome = dnne("infer", small, "--load-checkpoint-dir", trained / "node_3", "--episodes", 1)
    assert outcome.code == 1
    assert f"{trained}/node_3 is the folder of one node, give its parent {trained}" in outcome.err


class _Hostile:
    """Runs code when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_checkpoint_does_not_run(dnne, small, folder, trained, legacy):
    mark, model = folder / "i-was-here", trained / "node_3/model.pt"
    torch.save({"state": _Hostile(mark)}, model, _use_new_zipfile_serialization=not legacy)
    for command in (["infer", small, "--episodes", 1], ["train", small, "--iterations", 1]):
        outcome = dnne(*command, "--load-checkpoint-dir", trained)
        assert outcome.code == 1
        assert "node_3/model.pt" in outcome.err
    assert dnne("inspect-checkpoint", trained).code in (0, 2)
    assert not mark.exists()


def test_a_plain_pickle_in_place_of_a_checkpoint_does_not_run(dnne, small, folder, trained):
    mark, content = folder / "i-was-here", io.BytesIO()
    pickle.dump(_Hostile(mark), content)
    pickle.loads(content.getvalue())
    assert mark.exists(), "the file is hostile"
    mark.unlink()
    (trained / "node_3/model.pt").write_bytes(content.getvalue())
    assert dnne("infer", small, "--load-checkpoint-dir", trained, "--episodes", 1).code == 1
    assert not mark.exists()


# Room on the disk


def test_too_little_room_for_the_next_checkpoint_is_said_ahead_and_once(dnne, small, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=500))
    setting = ["--set", "Agent.checkpoint_trigger_value=1", "--set", "Trainer.checkpoint_enabled=false"]
    outcome = dnne("train", small, "--iterations", 3, "--save-checkpoint-dir", "ck", "-v", *setting)
    assert outcome.code == 0
    assert outcome.err.count("warning: little disk space for ck: 500 bytes are free") == 1
    assert outcome.err.index("little disk space") < outcome.err.index("checkpoint of node 3 saved")


def test_the_size_of_the_last_checkpoint_counts_and_the_resume_state_too(dnne, small, folder, monkeypatch):
    setting = ["--set", "Agent.checkpoint_trigger_value=1", "--set", "Trainer.checkpoint_enabled=false", "-v"]
    dnne("train", small, "--iterations", 1, "--save-checkpoint-dir", "first", *setting)
    size = (folder / "first/node_3/model.pt").stat().st_size
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2 * size - 1))
    outcome = dnne("train", small, "--iterations", 3, "--save-checkpoint-dir", "ck", *setting)
    first, second = [line for line in outcome.err.splitlines() if "little disk space" in line]
    assert first.startswith("warning: little disk space for ck: ")
    assert "/resume/iteration_000000003" in second
    assert outcome.err.index("checkpoint of node 3 saved") < outcome.err.index("little disk space")
