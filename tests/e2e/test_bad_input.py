"""What goes wrong in a run stops it, is named, and harms nothing that was saved before."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from runtime.checkpoints import load_node_checkpoint
from tests.commands import (
    ROOT,
    USER_NODES,
    add_node,
    events_of,
    insert_node,
    metrics_of,
    small_workflow,
    write_json,
)

TRAIN = ("train", "w.json", "--nodes-dir", USER_NODES, "--run-name", "a")


def _write(folder, node_id="9", class_type="", wire="", to="", **values):
    workflow = small_workflow()
    if class_type:
        insert_node(workflow, node_id, class_type, wire, to, **values)
    write_json(folder / "w.json", workflow)
    return workflow


def _failed(folder, name="a"):
    failed = [r for r in events_of(folder / "runs" / name / "events.jsonl") if r["event"] == "failed"]
    assert len(failed) == 1
    return failed[0]


def _result(folder, name="a"):
    return json.loads((folder / "runs" / name / "run.json").read_text())["result"]


# Not a number


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    ("wire", "to", "named"),
    [
        ("2.output", "3 6", "observations hold {number} at rollout step 2, environment 1, element (0,)"),
        ("5.rewards", "6", "rewards hold {number} at rollout step 2, environment 1"),
        ("5.dones", "6", "final_observations hold {number} at rollout step"),
    ],
)
def test_a_bad_number_from_the_environment_stops_before_the_update(dnne, folder, wire, to, named, number):
    """The 11th step is the third of iteration 3; of the final observations those of the horizon's end are used."""
    at = 12 if wire == "5.dones" else 11
    _write(folder, class_type="SpoilNode", wire=wire, to=to, at=at, number=number)
    settings = ["--set", "Agent.checkpoint_trigger_value=1", "--set", "Trainer.checkpoint_trigger_value=1"]
    outcome = dnne(*TRAIN, *settings, "--iterations", 9, "--save-checkpoint-dir", "ck")
    assert outcome.code == 1
    assert "error: node 6 (Trainer): NonFiniteError: " + named.format(number=number) in outcome.err
    assert "training stopped before the parameters changed (at step 48)" in outcome.err
    assert "Traceback" not in outcome.err
    assert "Failed in node 6 (Trainer)" in outcome.err
    assert _result(folder) == "failed"
    iterations = {key[0] for key in metrics_of(events_of(folder / "runs/a/events.jsonl"))}
    assert iterations == {1, 2}
    _assert_equal_to_an_undisturbed_run(dnne, folder, 2)


def _assert_equal_to_an_undisturbed_run(dnne, folder, iterations):
    _write(folder)
    arguments = ("train", "w.json", "--iterations", iterations, "--save-checkpoint-dir", "good")
    assert dnne(*arguments).code == 0
    for node_id in ("3", "6"):
        found, expected = load_node_checkpoint("ck", node_id), load_node_checkpoint("good", node_id)
        assert found.metadata["iteration"] == iterations
        assert _same(found.state, expected.state)


def _same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


@pytest.mark.parametrize(
    ("number", "settings", "named"),
    [
        ("3e38", ["Trainer.reward_scale=100"], "loss is"),
        ("1e18", ["Trainer.value_coef=1000", "Trainer.reward_scale=10"], "gradient"),
    ],
)
def test_a_loss_or_gradient_that_overflows_stops_before_the_optimisers_step(dnne, folder, number, settings, named):
    _write(folder, class_type="SpoilNode", wire="5.rewards", to="6", at=11, number=number)
    options = [word for setting in settings for word in ("--set", setting)]
    options += ["--set", "Agent.checkpoint_trigger_value=1", "--set", "Trainer.normalize_advantages=false"]
    outcome = dnne(*TRAIN, *options, "--iterations", 9, "--save-checkpoint-dir", "ck")
    assert outcome.code == 1
    assert "error: node 6 (Trainer): NonFiniteError: " in outcome.err
    assert named in outcome.err
    assert "of update 2; training stopped before the optimiser's step (at step 48)" in outcome.err
    assert load_node_checkpoint("ck", "3").metadata["iteration"] == 2


def test_a_bad_parameter_is_found_at_the_next_update(dnne, folder):
    workflow = _write(folder, class_type="SpoilModelNode", wire="5.rewards", to="6", at=11)
    workflow["nodes"]["9"]["inputs"]["model"] = ["3", "model"]
    write_json(folder / "w.json", workflow)
    outcome = dnne(*TRAIN, "--iterations", 9)
    assert outcome.code == 1
    assert "NonFiniteError: parameter value_head.weight holds nan at (0, 2); training stopped" in outcome.err


def test_inference_on_a_bad_number_does_not_call_it_a_result(dnne, folder):
    _write(folder, class_type="SpoilNode", wire="2.output", to="3 6", at=3, number="nan")
    outcome = dnne("infer", *TRAIN[1:], "--untrained", "--episodes", 4)
    assert outcome.code == 1
    assert "error: this is no evaluation: eval/mean_reward is nan, as observations or rewards held NaN" in outcome.err


# Nodes that fail


@pytest.mark.parametrize("scheduler", ["static", "queues"])
def test_a_node_that_raises_is_named_with_its_traceback(dnne, folder, scheduler):
    _write(folder, class_type="RaisingNode", wire="5.rewards", to="6", at=7)
    outcome = dnne(*TRAIN, "--iterations", 9, "--scheduler", scheduler, "--save-checkpoint-dir", "ck")
    assert outcome.code == 1
    assert "error: node 9 (RaisingNode): ZeroDivisionError: no luck in compute (at step 28)" in outcome.err
    assert "Traceback (most recent call last)" in outcome.err
    assert "spoiling.py" in outcome.err
    assert "run folder" in outcome.err
    failed = _failed(folder)
    assert (failed["node_id"], failed["label"], failed["step"]) == ("9", "RaisingNode", 28)
    assert 'raise ZeroDivisionError(f"no luck in {method}")' in failed["traceback"]
    assert _result(folder) == "failed"
    assert not list(folder.glob("ck/node_*")), "nothing is saved after a failure"


def test_a_node_whose_set_up_raises_is_named(dnne, folder):
    _write(folder, class_type="RaisingNode", wire="5.rewards", to="6", where="setup")
    outcome = dnne(*TRAIN, "--iterations", 9, "--events", "events.jsonl")
    assert outcome.code == 1
    assert "error: node 9 (RaisingNode): ZeroDivisionError: no luck in setup" in outcome.err
    assert [(record["event"], record["node_id"]) for record in events_of(folder / "events.jsonl")] == [("failed", "9")]
    assert not (folder / "runs").exists(), "nothing has begun"


def _everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.name.startswith("process-"))


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["train", "--load-checkpoint-dir", "damaged"], 1, "damaged/node_3/model.pt: the file is truncated or damaged"),
        (["infer", "--load-checkpoint-dir", "damaged"], 1, "damaged/node_3/model.pt: the file is truncated or damaged"),
        (["train", "--pretrained-dir", "damaged"], 1, "damaged/node_3/model.pt: the file is truncated or damaged"),
        (["train", "--events", "damaged/node_3/model.pt/e"], 2, "cannot write damaged/node_3/model.pt"),
        (["train", "--set", "5.observation_delay=1"], 2, "observation_delay"),
    ],
)
def test_a_run_that_is_refused_leaves_nothing_behind(dnne, folder, existing, words, code, message):
    _write(folder)
    (folder / "damaged/node_3").mkdir(parents=True)
    (folder / "damaged/node_3/model.pt").write_bytes(b"nonsense")
    if existing:
        (folder / "runs/a").mkdir(parents=True)
        (folder / "out/ck").mkdir(parents=True)
        (folder / "out/notes").write_text("mine")
    before = _everything(folder)
    save = ["--save-checkpoint-dir", "out/ck"] if words[0] == "train" else []
    outcome = dnne(words[0], "w.json", *words[1:], *save, "--run-name", "a")
    assert outcome.code == code
    assert message in outcome.err
    assert "run folder" not in outcome.err
    assert _everything(folder) == before


def test_a_run_that_has_begun_keeps_its_folder(dnne, folder):
    _write(folder, class_type="RaisingNode", wire="5.rewards", to="6", at=1)
    outcome = dnne(*TRAIN, "--iterations", 9)
    assert outcome.code == 1
    assert "run folder         runs/a" in outcome.err
    assert _failed(folder)["node_id"] == "9"


def test_a_node_whose_state_cannot_be_saved_fails_the_run(dnne, folder):
    _write(folder, class_type="RaisingNode", wire="5.rewards", to="6", where="state")
    outcome = dnne(*TRAIN, "--iterations", 2)
    assert outcome.code == 1
    assert "error: node 9 (RaisingNode): ZeroDivisionError: no luck in state" in outcome.err
    assert _failed(folder)["node_id"] == "9"


def test_a_node_whose_metrics_fail_is_named_and_not_the_trainer(dnne, folder):
    _write(folder, class_type="RaisingNode", wire="5.rewards", to="6", where="metrics")
    outcome = dnne(*TRAIN, "--iterations", 2)
    assert outcome.code == 1
    assert "error: node 9 (RaisingNode): ZeroDivisionError: no luck in metrics" in outcome.err
    assert "Trainer" not in outcome.err


def test_a_node_that_cannot_be_closed_fails_the_run_after_everything_is_saved(dnne, folder):
    _write(folder, class_type="RaisingNode", wire="5.rewards", to="6", where="close")
    outcome = dnne(*TRAIN, "--iterations", 2, "--save-checkpoint-dir", "ck")
    assert outcome.code == 1
    assert "node 9 (RaisingNode): ZeroDivisionError: no luck in close" in outcome.err
    assert "Finished" not in outcome.err
    assert _result(folder) == "failed"
    assert "all is saved" in _failed(folder)["error"]
    assert load_node_checkpoint("ck", "3").metadata["iteration"] == 2
    assert list((folder / "runs/a/resume").iterdir())


def test_other_nodes_are_closed_after_a_failure_and_its_own_error_is_kept(dnne, folder):
    workflow = _write(folder, class_type="RaisingNode", wire="5.rewards", to="6", at=3)
    add_node(workflow, "10", "FlagsNode", value=["5", "rewards"])
    add_node(workflow, "11", "RaisingNode", value=["5", "rewards"], where="close")
    write_json(folder / "w.json", workflow)
    outcome = dnne(*TRAIN, "--iterations", 9)
    assert outcome.code == 1
    assert (folder / "flags.json").exists(), "closing writes it"
    assert "node 11 (RaisingNode): ZeroDivisionError: no luck in close" in outcome.err
    assert _failed(folder)["node_id"] == "9"


def test_a_node_that_never_fires_is_reported_with_its_port(dnne, folder):
    workflow = _write(folder)
    add_node(workflow, "9", "GateNode", value=["5", "rewards"])
    add_node(workflow, "10", "PrintNode", value=["9", "output"])
    write_json(folder / "w.json", workflow)
    outcome = dnne(*TRAIN, "--total-timesteps", 4000)
    assert outcome.code == 0
    warning = (
        "warning: this node has not fired yet, while others run: node 10 (PrintNode) waits at its input 'value' "
        "for node 9 (GateNode), port 'output', which sends nothing"
    )
    assert outcome.err.count(warning) == 1
    logged = [record for record in events_of(folder / "runs/a/events.jsonl") if record["event"] == "log"]
    assert [(record["level"], record["node_id"]) for record in logged] == [("warning", "10")]


def test_a_graph_that_cannot_move_is_a_deadlock_that_names_the_ring(dnne, folder):
    workflow = _write(folder, class_type="GateNode", wire="5.rewards", to="6", open_at=1)
    workflow["nodes"]["9"]["inputs"]["open_at"] = 3
    write_json(folder / "w.json", workflow)
    outcome = dnne(*TRAIN, "--iterations", 9)
    assert outcome.code == 1
    assert "error: deadlock after" in outcome.err
    assert "node 6 (Trainer) waits at its input 'rewards' for node 9 (GateNode), port 'output'" in outcome.err
    assert "Traceback" not in outcome.err
    assert _failed(folder)["error"].startswith("deadlock")


def test_a_deadlock_that_does_not_depend_on_values_is_found_before_the_run(dnne, folder):
    workflow = _write(folder)
    workflow["nodes"]["2"]["inputs"]["input_a"] = ["5", "observations"]
    del workflow["nodes"]["2"]["inputs"]["input_b"]
    write_json(folder / "w.json", workflow)
    outcome = dnne(*TRAIN, "--iterations", 9)
    assert outcome.code == 2
    assert not (folder / "runs").exists()


# Disks and folders


def test_a_full_disk_under_the_events_ends_the_run_and_blames_no_node(dnne, folder):
    _write(folder)
    outcome = dnne(*TRAIN, "--iterations", 3, "--events", "/dev/full")
    assert outcome.code == 1
    assert "error: cannot write /dev/full: No space left on device" in outcome.err
    assert "Trainer" not in outcome.err
    assert _failed(folder)["node_id"] == ""


def test_a_reader_of_events_that_goes_away_ends_the_run_quietly(folder):
    _write(folder)
    command = [sys.executable, "-m", "app.cli", "train", "w.json", "--events", "-", "--run-name", "a"]
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(folder), env=environment, text=True
    ) as process:
        for _ in range(60):
            process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(30) == 141
    assert "nobody reads <stdout> any more" in errors
    assert "Traceback" not in errors
    assert "Trainer" not in errors
    assert _failed(folder)["node_id"] == ""


def _mount(folder, options):
    """Mount a small disk, where this user may."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def closed(folder):
    """A folder that nobody can write into; for root only a read-only disk is one."""
    path = folder / "closed"
    mounted = os.geteuid() == 0 and _mount(path, "size=64k,ro")
    if os.geteuid() == 0 and not mounted:
        pytest.skip("root can write everywhere, and no disk can be mounted")
    path.mkdir(exist_ok=True)
    if not mounted:
        path.chmod(0o555)
    yield path
    if mounted:
        subprocess.run(["umount", str(path)], check=True)


def test_a_read_only_folder_is_named(dnne, folder, closed):
    _write(folder)
    outcome = dnne("train", "w.json", "--iterations", 1, "--log-dir", closed / "runs")
    assert outcome.code == 2
    assert f"error: cannot write {closed}/runs: " in outcome.err
    outcome = dnne("train", "w.json", "--iterations", 1, "--events", closed / "events.jsonl")
    assert outcome.code == 2
    assert f"error: cannot write {closed}/events.jsonl: " in outcome.err
    outcome = dnne(*TRAIN, "--iterations", 1, "--save-checkpoint-dir", closed / "ck")
    assert outcome.code == 2
    assert f"error: cannot write {closed}/ck: " in outcome.err
    assert "free some space" not in outcome.err
    assert "Traceback" not in outcome.err


@pytest.fixture
def tiny_disk(folder):
    """A disk of 96 kB, where this user may mount one."""
    disk = folder / "disk"
    if not _mount(disk, "size=100k"):
        pytest.skip("only root can mount a disk to fill")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_ends_the_run_with_the_files_name(dnne, folder, tiny_disk):
    _write(folder)
    outcome = dnne("train", "w.json", "--iterations", 100_000, "--log-dir", tiny_disk, "--run-name", "a")
    assert outcome.code == 1
    assert f"error: cannot write {tiny_disk}" in outcome.err
    assert "No space left on device" in outcome.err
    assert "Traceback" not in outcome.err
    assert "Trainer" not in outcome.err


def test_checkpoints_on_a_full_disk_leave_the_last_one_whole(dnne, folder, tiny_disk):
    _write(folder)
    settings = ["--set", "Agent.checkpoint_trigger_value=1", "--set", "Agent.checkpoint_keep_last=1000"]
    outcome = dnne(*TRAIN, *settings, "--iterations", 1000, "--save-checkpoint-dir", tiny_disk / "ck")
    assert outcome.code == 1
    assert "warning: little disk space for" in outcome.err
    assert f"error: cannot write {tiny_disk}/ck/node_3/" in outcome.err
    checkpoint = load_node_checkpoint(tiny_disk / "ck", "3")
    assert checkpoint.metadata["iteration"] >= 1
    assert not list(Path(tiny_disk).glob("**/*.tmp*"))
