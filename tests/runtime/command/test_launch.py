"""The command line of exported runners; `dnne train` and `dnne infer` are tested in tests/e2e."""

import builtins
import json

import pytest

import nodes
from runtime.checkpoints import describe_checkpoint, load_node_checkpoint
from runtime.command.launch import main_runner
from runtime.recording.run_lock import RunLock
from runtime.registry import discover
from runtime.validation import resolve_workflow
from runtime.workflow import load_workflow
from tests.commands import USER_NODES, add_node, events_of, metrics_of, small_workflow, write_json

FLAGS = {
    "VISUAL_MODE": False, "HEADLESS_MODE": True, "INFERENCE_MODE": False, "VERBOSE": False,
    "SAVE_CHECKPOINT_DIR": None, "LOAD_CHECKPOINT_DIR": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _builtins():
    """The flags are global by their nature: leave none behind."""
    yield
    for name in FLAGS:
        if hasattr(builtins, name):
            delattr(builtins, name)


@pytest.fixture
def runner(folder, capsys):
    """A runner of the small workflow with a node in it that records the flags when it is made."""
    workflow = small_workflow()
    add_node(workflow, "9", "FlagsNode", value=["5", "rewards"])
    write_json(folder / "workflow.json", workflow)
    registry = discover([nodes], [USER_NODES])

    def build():
        graph, problems = resolve_workflow(load_workflow(folder / "workflow.json"), registry)
        assert not problems
        return graph

    def run(*words):
        try:
            code = main_runner(build, folder, [str(word) for word in words])
        except SystemExit as exit:
            code = exit.code
        return (code, *capsys.readouterr())

    return run


def _flags(folder):
    recorded = json.loads((folder / "flags.json").read_text())
    recorded.pop("threads")
    return recorded


def test_a_runner_trains(runner, folder):
    code, _, errors = runner("--iterations", 2, "--save-checkpoint-dir", "ck", "--run-name", "a")
    assert code == 0, errors
    assert "Finished: 2 of 2 iterations" in errors
    assert (folder / "ck/node_3/model.pt").is_file()
    assert events_of(folder / "runs/a/events.jsonl")[0]["mode"] == "train"


def test_the_documented_flags_are_published_before_nodes_are_made(runner, folder):
    assert runner("--iterations", 1)[0] == 0
    assert _flags(folder) == FLAGS
    runner("--iterations", 1, "--verbose", "--visual", "--save-checkpoint-dir", "ck")
    assert _flags(folder) == {
        **FLAGS, "VERBOSE": True, "VISUAL_MODE": True, "HEADLESS_MODE": False, "SAVE_CHECKPOINT_DIR": "ck",
    }  # fmt: skip
    code, _, errors = runner("--inference", "--load-checkpoint-dir", "ck", "--episodes", 2, "--headless")
    assert code == 0, errors
    assert _flags(folder) == {**FLAGS, "INFERENCE_MODE": True, "LOAD_CHECKPOINT_DIR": "ck"}


def test_a_runner_takes_overrides_files_and_presets(runner, folder):
    pytest.importorskip("omegaconf")
    (folder / "c.yaml").write_text("seed: 3\ntrainer: {gamma: 0.5}\n")
    words = ("agent.hidden_sizes=[4]", "--config", "c.yaml", "--preset", "cpu", "iterations=1", "--run-name", "a")
    code, _, errors = runner(*words)
    assert code == 0, errors
    info = json.loads((folder / "runs/a/run.json").read_text())
    assert (info["seed"], info["parameters"]["6"]["gamma"]) == (3, 0.5)
    assert (info["parameters"]["3"]["hidden_sizes"], info["parameters"]["1"]["num_envs"]) == ([4], 64)
    code, _, errors = runner("agent.hiden_sizes=[4]")
    assert code == 2
    assert "did you mean 'hidden_sizes'?" in errors


def test_inference_evaluates(runner):
    runner("--iterations", 1, "--save-checkpoint-dir", "ck")
    code, _, errors = runner("--inference", "--load-checkpoint-dir", "ck", "--episodes", 4)
    assert code == 0
    assert "mean episode reward" in errors
    assert "node_3/model.pt" in errors


def test_inference_trains_nothing_and_takes_the_most_probable_actions(runner, folder):
    runner("--iterations", 1, "--save-checkpoint-dir", "ck")
    weights = (folder / "ck/node_3/model.pt").read_bytes()
    words = ("--inference", "--load-checkpoint-dir", "ck", "--episodes", 8, "--save-checkpoint-dir")
    assert runner(*words[:-1])[0] == 0
    assert (folder / "ck/node_3/model.pt").read_bytes() == weights
    assert "--save-checkpoint-dir has no effect in inference" in runner(*words, "ck")[2]
    for name, log_std in (("narrow", -5), ("wide", 1)):
        words = ("--inference", "--untrained", "--episodes", 8, "--set", f"Agent.initial_log_std={log_std}")
        assert runner(*words, "--run-name", name)[0] == 0
    narrow, wide = (metrics_of(events_of(folder / "runs" / name / "events.jsonl")) for name in ("narrow", "wide"))
    assert narrow == wide != {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--inference"], "inference needs trained weights"),
        (["--inference", "--untrained", "--iterations", 3], "--iterations has no effect in inference"),
        (["--inference", "--untrained", "--resume", "x"], "--resume has no effect in inference"),
        (["--episodes", 3], "--episodes has no effect in training"),
        (["--resume", "nowhere"], "there is no run to resume: nowhere does not exist"),
        (["--set", "Agent.no=1"], "unknown parameter 'no'"),
        (["--set", "Agent.input_size=7"], "node 3 (Agent), input_size: it is 7"),
    ],
)
def test_what_does_not_fit_ends_with_code_2_before_a_folder_is_made(runner, folder, words, message):
    code, _, errors = runner(*words)
    assert code == 2
    assert message in errors
    assert "Traceback" not in errors
    assert not (folder / "runs").exists()


def test_a_runner_resumes(runner, folder):
    runner("--iterations", 2, "--run-name", "a")
    code, _, errors = runner("--resume", "runs/a", "--iterations", 3)
    assert code == 0
    assert "resumed at step 32, iteration 2" in errors


@pytest.mark.parametrize(
    ("processes", "message"), [("2", "does not know which of them it is"), ("many", "expected a whole number")]
)
def test_a_size_without_a_rank_is_refused(runner, monkeypatch, processes, message):
    monkeypatch.setenv("WORLD_SIZE", processes)
    code, _, errors = runner("--iterations", 1)
    assert code == 2
    assert message in errors


def test_one_process_of_torchrun_is_welcome(runner, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert runner("--iterations", 1)[0] == 0


def test_options_are_not_guessed_from_their_beginnings(runner):
    code, _, errors = runner("--infer")
    assert code == 2
    assert "unrecognized arguments: --infer" in errors


def test_a_missing_workflow_file_is_named(runner, folder):
    (folder / "workflow.json").unlink()
    code, _, errors = runner("--iterations", 1)
    assert code == 2
    assert f"cannot read {folder}/workflow.json" in errors


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (None, "'settings' is None; expected an object"),
        ([1], r"'settings' is [1]; expected an object"),
        ({}, "no seed among the settings"),
        ({"seed": [1]}, "seed is [1]; expected a whole number"),
        ({"seed": 0, "threads": "2"}, "threads is '2'; expected a whole number"),
        ({"seed": 0, "device": 7}, "device is 7; expected text"),
    ],
)
def test_damaged_settings_of_the_run_to_resume_are_named(runner, folder, settings, message):
    runner("--iterations", 1, "--run-name", "a")
    path = folder / "runs/a/run.json"
    write_json(path, {**json.loads(path.read_text()), "settings": settings})
    code, _, errors = runner("--resume", "runs/a", "--iterations", 2)
    assert code == 2
    assert message in errors
    assert "Traceback" not in errors


def test_a_folder_that_another_run_saves_to_is_refused(runner, folder):
    (folder / "ck").mkdir()
    words = ("--iterations", 1, "--save-checkpoint-dir", "ck", "--run-name", "a")
    lock = RunLock(folder / "ck")
    code, _, errors = runner(*words)
    assert code == 2
    assert "error: --save-checkpoint-dir ck: another run writes into this folder (process " in errors
    assert not (folder / "runs").exists()
    assert (folder / "ck/.lock").exists(), "that of the other run"
    lock.release()
    assert runner(*words)[0] == 0
    assert runner("--resume", "runs/a", "--iterations", 2)[0] == 0


def test_a_runner_that_is_refused_leaves_nothing_behind(runner, folder):
    (folder / "damaged/node_3").mkdir(parents=True)
    (folder / "damaged/node_3/model.pt").write_bytes(b"nonsense")
    before = sorted(folder.rglob("*"))
    code, _, errors = runner("--load-checkpoint-dir", "damaged", "--save-checkpoint-dir", "ck", "--iterations", 1)
    assert code == 1
    assert "damaged/node_3/model.pt" in errors
    assert sorted(path for path in folder.rglob("*") if path.name != "flags.json") == before


def test_a_run_that_is_refused_for_its_checkpoints_leaves_them_as_they_are(runner, folder):
    assert runner("--iterations", 1, "--save-checkpoint-dir", "ck")[0] == 0
    saved = (folder / "ck/node_3/model.pt").read_bytes()
    lock = RunLock(folder / "ck")
    assert runner("--iterations", 1, "--save-checkpoint-dir", "ck", "--seed", 5)[0] == 2
    lock.release()
    assert (folder / "ck/node_3/model.pt").read_bytes() == saved


@pytest.mark.parametrize("place", ["runs/a", "runs/a/checkpoints", "deep/down/ck"])
def test_the_lock_disturbs_neither_the_runs_own_folder_nor_reading(runner, folder, place):
    code, _, errors = runner("--iterations", 1, "--save-checkpoint-dir", place, "--run-name", "a")
    assert code == 0, errors
    assert load_node_checkpoint(place, "3").metadata["node_id"] == "3"
    assert "node_3" in describe_checkpoint(place)
    assert ".lock" not in describe_checkpoint(place)


def test_without_a_node_that_saves_no_folder_is_locked(runner, folder):
    off = [word for name in ("Agent", "Trainer") for word in ("--set", f"{name}.checkpoint_enabled=false")]
    assert runner("--iterations", 1, "--save-checkpoint-dir", "ck", *off)[0] == 0
    assert not (folder / "ck").exists()


def test_a_folder_for_checkpoints_that_is_a_file_is_named(runner, folder):
    (folder / "ck").write_text("")
    code, _, errors = runner("--iterations", 1, "--save-checkpoint-dir", "ck")
    assert code == 2
    assert "ck" in errors and "Traceback" not in errors
