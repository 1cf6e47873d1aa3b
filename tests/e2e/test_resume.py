"""A resumed run goes on as if it had never stopped."""

import json
import shutil

import pytest

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

STEPS = 480
FULL = {
    "3": {"normalize_observations": True, "normalize_values": True},
    "6": {"learning_rate_schedule": "adaptive", "clip_value": True, "target_kl": 0.05},
}


def _metrics(folder, name):
    return metrics_of(events_of(folder / "runs" / name / "events.jsonl"))


def _csv_without_clock(folder, name):
    lines = [line.split(",") for line in (folder / "runs" / name / "metrics.csv").read_text().splitlines()]
    kept = [index for index, column in enumerate(lines[0]) if not column.startswith("time/")]
    return [[line[index] for index in kept] for line in lines]


def _inputs(folder, name):
    workflow = json.loads((folder / "runs" / name / "workflow.json").read_text())
    return {node_id: node["inputs"] for node_id, node in workflow["nodes"].items()}


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch):
    """A resumed TensorBoard log waits until its file's name comes later; no test here reads it."""
    monkeypatch.setattr("runtime.recording.tensorboard_writer._await_later_name", lambda folder: None)


@pytest.fixture
def full(folder):
    """The small workflow with everything on that has a state of its own."""
    workflow = small_workflow()
    for node_id, values in FULL.items():
        workflow["nodes"][node_id]["inputs"].update(values)
    add_node(workflow, "9", "EndsNode", dones=["5", "dones"])
    return write_json(folder / "full.json", workflow)


@pytest.fixture
def halves(dnne, full):
    """Train in two parts; returns the outcome of the second."""

    def run(path, cut, name, *options):
        first = dnne("train", path, "--nodes-dir", USER_NODES, "--total-timesteps", cut, "--run-name", name, *options)
        assert first.code == 0, first.err
        second = dnne("train", "--nodes-dir", USER_NODES, "--resume", f"runs/{name}", "--total-timesteps", STEPS)
        assert second.code == 0, second.err
        return second

    return run


@pytest.mark.parametrize(("scheduler", "offsets"), [("static", (0, 4, 8, 12)), ("queues", (0, 8))])
def test_every_cut_gives_the_same_bits(dnne, halves, full, folder, scheduler, offsets):
    """Cuts at an iteration's end, after each step of a rollout, and straight after an episode's end."""
    options = ["--nodes-dir", USER_NODES, "--scheduler", scheduler]
    assert dnne("train", full, "--total-timesteps", STEPS, "--run-name", "whole", *options).code == 0
    whole = _metrics(folder, "whole")
    ends = json.loads((folder / "ends.json").read_text())
    cuts = {*(176 + offset for offset in offsets), next(end for end in ends if end > 200)}
    assert any(end > max(cuts) for end in ends), "episodes end after every cut"
    for cut in cuts:
        outcome = halves(full, cut, f"cut{cut}", "--scheduler", scheduler)
        assert f"resumed at step {cut}, iteration {cut // 16}" in outcome.err
        assert _metrics(folder, f"cut{cut}") == whole
        assert _csv_without_clock(folder, f"cut{cut}") == _csv_without_clock(folder, "whole")


def test_a_graph_with_shaping_stacks_and_a_curriculum_resumes_too(dnne, halves, folder):
    workflow = json.loads((ROOT / "examples" / "cartpole_curriculum.json").read_text())
    for node in workflow["nodes"].values():
        if node["class_type"] == "PPOTrainerNode":
            node["inputs"].update(horizon_length=4, num_minibatches=2, num_epochs=2)
        if node["class_type"] == "IsaacGymEnvNode":
            node["inputs"]["num_envs"] = 4
        if node["class_type"] == "CurriculumNode":
            node["inputs"].update(start_step=0, end_step=STEPS)
    path = write_json(folder / "w.json", workflow)
    assert dnne("train", path, "--total-timesteps", STEPS, "--run-name", "whole").code == 0
    whole = _metrics(folder, "whole")
    assert len({value for (_, _, name), value in whole.items() if name.startswith("curriculum/")}) > 5
    for cut in (192, 200, 204):
        halves(path, cut, f"cut{cut}")
        assert _metrics(folder, f"cut{cut}") == whole


def test_a_run_may_be_cut_many_times(dnne, full, folder):
    options = ["--nodes-dir", USER_NODES]
    dnne("train", full, "--total-timesteps", STEPS, "--run-name", "whole", *options)
    dnne("train", full, "--total-timesteps", 100, "--run-name", "a", *options)
    for end in (104, 250, STEPS):
        assert dnne("train", "--resume", "runs/a", "--total-timesteps", end, *options).code == 0
    assert _metrics(folder, "a") == _metrics(folder, "whole")
    assert len(json.loads((folder / "runs/a/run.json").read_text())["earlier"]) == 3
    assert sorted(path.name for path in (folder / "runs/a/resume").iterdir()) == [
        "iteration_000000015_step_000000000252", "iteration_000000030_step_000000000480",
    ]  # fmt: skip


def test_checkpoint_triggers_go_on_where_they_were(dnne, small, folder):
    options = [
        "--set", "Agent.checkpoint_trigger_type=best_metric", "--set", "Agent.checkpoint_trigger_value=max",
        "--set", "Trainer.checkpoint_trigger_value=4",
    ]  # fmt: skip
    dnne("train", small, "--iterations", 30, "--save-checkpoint-dir", "ck1", "--run-name", "whole", *options)
    dnne("train", small, "--iterations", 14, "--save-checkpoint-dir", "ck2", "--run-name", "a", *options)
    assert dnne("train", "--resume", "runs/a", "--iterations", 30).code == 0

    def triggered(name):
        records = events_of(folder / "runs" / name / "events.jsonl")
        saved = [record for record in records if record["event"] == "checkpoint_saved"]
        return [(r["node_id"], r["iteration"]) for r in saved if r["reason"].startswith(("epoch", "best_metric"))]

    assert triggered("a") == triggered("whole")
    assert len(triggered("whole")) > 8


def test_limits_go_on_where_they_were(dnne, small, folder):
    frozen = ["--set", "Trainer.learning_rate=0", "--patience", 7]
    dnne("train", small, *frozen, "--run-name", "whole")
    end = json.loads((folder / "runs/whole/run.json").read_text())["summary"]["iterations"]
    dnne("train", small, *frozen, "--iterations", end - 3, "--run-name", "a")
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 1000)
    assert "no improvement for 7 iterations" in outcome.err
    assert json.loads((folder / "runs/a/run.json").read_text())["summary"]["iterations"] == end


# Settings


def test_settings_are_those_of_the_run_where_none_are_given(dnne, small, folder):
    dnne(
        "train", small, "--iterations", 2, "--seed", 3, "--scheduler", "queues", "--save-checkpoint-dir", "ck",
        "--set", "Trainer.gamma=0.9", "--num-envs", 6, "--run-name", "a",
    )  # fmt: skip
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 4)
    assert outcome.code == 0
    assert "resumed, but" not in outcome.err
    info = json.loads((folder / "runs/a/run.json").read_text())
    assert (info["seed"], info["settings"]["scheduler"], info["settings"]["save_checkpoint_dir"]) == (3, "queues", "ck")
    assert info["parameters"]["6"]["gamma"] == 0.9
    assert info["summary"]["steps"] == 6 * 4 * 4
    assert "96 (48 since the resume)" in outcome.err


def test_an_end_given_anew_replaces_both_counted_ends(dnne, small, folder):
    dnne("train", small, "--iterations", 2, "--run-name", "a")
    outcome = dnne("train", "--resume", "runs/a", "--total-timesteps", 80)
    assert "Finished: 80 of 80 steps" in outcome.err
    assert "resumed; settings.iterations was 2 and is null" in outcome.err


def test_a_run_that_is_over_says_what_to_give(dnne, small, folder):
    dnne("train", small, "--iterations", 2, "--run-name", "a")
    events = (folder / "runs/a/events.jsonl").read_text()
    outcome = dnne("train", "--resume", "runs/a")
    assert outcome.code == 2
    assert "error: the run is over (--iterations: 2 of 2 are done); give a larger number" in outcome.err
    assert "the run is over" in dnne("train", "--resume", "runs/a", "--total-timesteps", 20).err
    assert (folder / "runs/a/events.jsonl").read_text() == events


def test_changed_parameters_are_listed_and_kept_for_the_next_resume(dnne, small, folder):
    dnne("train", small, "--iterations", 2, "--run-name", "a")
    changes = ["--set", "Trainer.gamma=0.9", "--set", "Trainer.learning_rate=1e-4"]
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 4, *changes)
    assert outcome.code == 0
    assert "warning: resumed, but Trainer (6).gamma was 0.99 and is 0.9" in outcome.err
    assert "warning: resumed, but Trainer (6).learning_rate was 0.001 and is 0.0001" in outcome.err
    assert outcome.err.count("warning") == 2
    assert _inputs(folder, "a")["6"]["gamma"] == 0.9
    again = dnne("train", "--resume", "runs/a", "--iterations", 6)
    assert "warning" not in again.err
    assert "leave out" not in outcome.err + again.err
    from_file = dnne("train", small, "--resume", "runs/a", "--iterations", 7)
    assert "resumed, but Trainer (6).gamma was 0.9 and is 0.99" in from_file.err
    assert f"leave out {small} to keep the values of the run" in from_file.err
    logged = [record["message"] for record in events_of(folder / "runs/a/events.jsonl") if record["event"] == "log"]
    assert "resumed, but Trainer (6).gamma was 0.99 and is 0.9" in logged


def test_a_changed_parameter_acts(dnne, small, folder):
    fixed = ["--set", "Trainer.learning_rate_schedule=fixed"]
    dnne("train", small, *fixed, "--iterations", 2, "--run-name", "a")
    dnne("train", "--resume", "runs/a", "--iterations", 4, "--set", "Trainer.learning_rate=1e-4")
    rates = {key[0]: value for key, value in _metrics(folder, "a").items() if key[2] == "train/learning_rate"}
    assert rates == {1: 1e-3, 2: 1e-3, 3: 1e-4, 4: 1e-4}


def test_other_versions_are_listed(dnne, small, folder):
    dnne("train", small, "--iterations", 2, "--run-name", "a")
    path = folder / "runs/a/run.json"
    info = json.loads(path.read_text())
    torch_version, info["versions"]["torch"], info["num_threads"] = info["versions"]["torch"], "1.13.0", 4
    path.write_text(json.dumps(info))
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 3)
    assert outcome.code == 0
    assert f'warning: resumed, but versions.torch was "1.13.0" and is "{torch_version}"' in outcome.err
    assert "warning: resumed, but num_threads was 4 and is 1" in outcome.err


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--seed", 1], "--seed 1: the run has the seed 0, and its random generators go on from where they were"),
        (["--load-checkpoint-dir", "ck"], "--load-checkpoint-dir has no effect with --resume"),
        (["--log-dir", "logs"], "--log-dir has no effect with --resume"),
        (["--run-name", "b"], "--run-name has no effect with --resume"),
    ],
)
def test_options_that_would_be_ignored_are_refused(dnne, small, folder, option, message):
    dnne("train", small, "--iterations", 2, "--save-checkpoint-dir", "ck", "--run-name", "a")
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 3, *option)
    assert outcome.code == 2
    assert message in outcome.err
    assert dnne("train", "--resume", "runs/a", "--iterations", 3, "--seed", 0).code == 0


# What does not fit


def test_a_folder_that_is_no_run_is_named(dnne, small, folder):
    assert "there is no run to resume: runs/none does not exist" in dnne("train", "--resume", "runs/none").err
    (folder / "empty").mkdir()
    assert "empty is no run's folder: it holds no run.json" in dnne("train", "--resume", "empty").err
    dnne("train", small, "--iterations", 1, "--run-name", "a")
    assert "the run's folder is" in dnne("train", "--resume", "runs/a/resume").err
    shutil.rmtree("runs/a/resume")
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 2)
    assert outcome.code == 2
    assert "runs/a/resume holds no resume state" in outcome.err


@pytest.mark.parametrize(
    ("change", "node", "what"),
    [
        (["--num-envs", 8], "node 1 (Env)", "the number of environments is 4, expected 8"),
        (["--set", "Agent.hidden_sizes=[9]"], "node 3 (Agent)", "size mismatch for actor.body.layers.0.weight"),
    ],
)
def test_a_state_of_another_size_names_the_node(dnne, small, folder, change, node, what):
    dnne("train", small, "--iterations", 2, "--run-name", "a")
    _append_a_lost_iteration(folder / "runs/a")
    files = _files(folder / "runs/a")
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 3, *change)
    assert outcome.code == 1
    assert f"error: the resume state does not fit {node}: " in outcome.err
    assert what in outcome.err
    assert "Traceback" not in outcome.err
    assert _files(folder / "runs/a") == files, "a run that cannot be resumed is left as it is"
    assert dnne("train", "--resume", "runs/a", "--iterations", 3).code == 0
    assert _files(folder / "runs/a") != files


def _append_a_lost_iteration(run):
    """As if the run had been killed after its last saved state."""
    table = run / "metrics.csv"
    columns = len(table.read_text().splitlines()[0].split(","))
    with table.open("a") as file:
        file.write(",".join(["48", "3"] + [""] * (columns - 2)) + "\n")


def _files(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != ".lock"}


def test_another_workflow_is_told_from_that_of_the_run(dnne, small, folder):
    dnne("train", small, "--iterations", 2, "--run-name", "a")
    workflow = small_workflow()
    insert_node(workflow, "9", "PrintNode", "5.rewards", "6")
    outcome = dnne("train", write_json(folder / "w.json", workflow), "--resume", "runs/a", "--iterations", 3)
    assert outcome.code == 1
    assert "the resume state is of a workflow with the nodes 1 IsaacGymEnvNode, 2 ORNode" in outcome.err
    assert "resume with the workflow of the run" in outcome.err


def test_a_rewired_workflow_is_refused(dnne, folder):
    workflow = small_workflow()
    add_node(workflow, "9", "RewardShaperNode", rewards=["5", "rewards"])
    dnne("train", write_json(folder / "w.json", workflow), "--total-timesteps", 20, "--run-name", "a")
    workflow["nodes"]["9"]["inputs"]["info"] = ["5", "info"]
    more = dnne("train", write_json(folder / "w.json", workflow), "--resume", "runs/a", "--iterations", 3)
    assert more.code == 1
    assert "error: the workflow has other wires than that of the run: it has 5.info>9.info in addition;" in more.err
    del workflow["nodes"]["9"]["inputs"]["info"]
    workflow["nodes"]["6"]["inputs"]["rewards"] = ["9", "shaped"]
    other = dnne("train", write_json(folder / "w.json", workflow), "--resume", "runs/a", "--iterations", 3)
    assert other.code == 1
    assert "it lacks 5.rewards>6.rewards and it has 9.shaped>6.rewards in addition" in other.err


def test_a_damaged_state_gives_way_to_the_one_before(dnne, full, folder):
    options = ["--nodes-dir", USER_NODES]
    dnne("train", full, "--total-timesteps", STEPS, "--run-name", "whole", *options)
    dnne("train", full, "--total-timesteps", 100, "--run-name", "a", *options)
    dnne("train", "--resume", "runs/a", "--total-timesteps", 200, *options)
    newest = max((folder / "runs/a/resume").iterdir())
    state = newest / "state.pt"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    outcome = dnne("train", "--resume", "runs/a", "--total-timesteps", STEPS, *options)
    assert outcome.code == 0
    assert "resumed at step 100, iteration 6" in outcome.err
    assert _metrics(folder, "a") == _metrics(folder, "whole")


def test_a_hostile_state_does_not_run(dnne, small, folder):
    import torch

    from tests.e2e.test_checkpoints import _Hostile

    dnne("train", small, "--iterations", 2, "--run-name", "a")
    for entry in (folder / "runs/a/resume").iterdir():
        torch.save({"state": _Hostile(folder / "i-was-here")}, entry / "state.pt")
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 3)
    assert outcome.code == 2
    assert "no resume state in runs/a/resume can be read" in outcome.err
    assert not (folder / "i-was-here").exists()


def test_a_run_that_is_still_going_on_cannot_be_resumed(dnne, start, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6", seconds=0.05)
    path = write_json(folder / "w.json", workflow)
    running = start("train", path, "--nodes-dir", USER_NODES, "--run-name", "a")
    running.wait_for(lambda: len(events_of(folder / "runs/a/events.jsonl")) > 1)
    outcome = dnne("train", "--nodes-dir", USER_NODES, "--resume", "runs/a")
    assert outcome.code == 2
    assert "the run in runs/a is still going on (process " in outcome.err
    running.kill()


def test_resume_states_are_saved_at_intervals(dnne, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6", seconds=0.02)
    path = write_json(folder / "w.json", workflow)
    dnne(
        "train", path, "--nodes-dir", USER_NODES, "--run-name", "a", "--resume-interval", "1s", "--timeout", "3s",
    )  # fmt: skip
    records = events_of(folder / "runs/a/events.jsonl")
    reasons = [record["reason"] for record in records if record["event"] == "checkpoint_saved"]
    assert reasons[0] == "interval"
    assert reasons[-1] == "time-out after 3s"
    assert 2 <= len(reasons) <= 3
    assert len(list((folder / "runs/a/resume").iterdir())) == 2
