"""Weights & Biases offline and MLflow in a file, where they are installed; a missing one everywhere."""

import builtins
import sqlite3
from pathlib import Path

import pytest

from runtime.errors import TrackingError
from runtime.recording.trackers import Tracked, WandbTracker, check_trackers
from tests.commands import dnne, events_of, folder, metrics_of, small  # noqa: F401
from tests.runtime.runner.test_on_policy_runner import BATCH, runner

quiet = pytest.mark.filterwarnings("ignore")


def test_names_and_projects():
    assert check_trackers("wandb:cartpole, mlflow") == [["wandb", "cartpole"], ["mlflow", "dnne"]]
    with pytest.raises(TrackingError, match="did you mean 'wandb'"):
        check_trackers("wandbb")
    with pytest.raises(TrackingError, match="needs a log_dir"):
        runner(track="wandb")


def test_a_missing_package_names_the_command(monkeypatch, tmp_path):
    real = builtins.__import__

    def missing(name, *arguments):
        if name == "wandb":
            raise ImportError("No module named 'wandb'")
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(TrackingError, match="pip install wandb"):
        WandbTracker(Tracked("p", tmp_path, {}))


def test_the_command_refuses_an_unknown_tracker_before_anything_is_written(dnne, small):  # noqa: F811
    outcome = dnne("train", "small.json", "--track", "tensorboard", "--iterations", 1)
    assert outcome.code == 2 and "expected wandb or mlflow" in outcome.err
    assert not Path("runs").exists()


def _mlflow(path):
    with sqlite3.connect(str(path)) as database:
        metrics = database.execute("select key, step, value from metrics where key not like 'time/%'").fetchall()
        parameters = dict(database.execute("select key, value from params").fetchall())
        runs = database.execute("select name, status from runs").fetchall()
    return metrics, parameters, runs


@quiet
def test_mlflow_gets_metrics_and_parameters_and_a_resumed_run_goes_on(dnne, small):  # noqa: F811
    pytest.importorskip("mlflow")
    assert dnne("train", "small.json", "--track", "mlflow:mine", "--iterations", 2, "--run-name", "one").code == 0
    assert dnne("train", "--resume", "runs/one", "--track", "mlflow:mine", "--iterations", 3).code == 0
    metrics, parameters, runs = _mlflow("runs/mlflow.db")
    assert runs == [("one", "FINISHED")]
    assert parameters["Trainer.horizon_length"] == "4" and parameters["seed"] == "0"
    ours = {
        (step, name): value for (_, step, name), value in metrics_of(events_of(Path("runs/one/events.jsonl"))).items()
    }
    theirs = {(step, name): value for name, step, value in metrics if name != "iteration"}
    finite = {key: value for key, value in ours.items() if value == value}
    assert finite and {key: theirs[key] for key in finite} == finite


@quiet
def test_mlflow_notes_a_failure(tmp_path):
    pytest.importorskip("mlflow")
    made = runner(log_dir=tmp_path, track="mlflow")
    made.add_callback("post_iteration", lambda given, stats: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made.learn(BATCH)
    made.close()
    assert _mlflow(tmp_path / "mlflow.db")[2][0][1] == "FAILED"


def _records(content):
    """The records of a file in LevelDB's log format, after W&B's own header of 7 bytes."""
    block, place, whole = 32768, 7, b""
    while place + 7 <= len(content):
        if block - place % block < 7:
            place += block - place % block
        length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        whole += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            yield whole
            whole = b""


@quiet
def test_wandb_writes_offline(monkeypatch, tmp_path):
    pytest.importorskip("wandb")
    from wandb.proto import wandb_internal_pb2

    monkeypatch.setenv("WANDB_MODE", "offline")
    with runner(log_dir=tmp_path, track="wandb:mine") as made:
        made.learn(2 * BATCH)
    (path,) = Path(made.run_dir).glob("wandb/offline-run-*/*.wandb")
    history, keys = [], set()
    for data in _records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        keys |= {item.key for item in record.run.config.update}
        if record.HasField("history"):
            history.append({(item.key or item.nested_key[0]): item.value_json for item in record.history.item})
    assert [int(entry["_step"]) for entry in history] == [BATCH, 2 * BATCH]
    assert float(history[-1]["rollout/mean_reward"]) == made.published[-1][1]["rollout/mean_reward"]
    assert "Trainer.learning_rate" in keys


@quiet
def test_a_tracker_that_breaks_is_left_out_with_a_warning(tmp_path, caplog, monkeypatch):
    class Broken(WandbTracker):
        def _open(self, tracked):
            pass

        def _log(self, event):
            raise ConnectionError("no network")

        def _close(self):
            raise AssertionError("it was left out")

    monkeypatch.setitem(__import__("runtime.recording.trackers", fromlist=["TRACKERS"]).TRACKERS, "wandb", Broken)
    with runner(log_dir=tmp_path, track="wandb") as made:
        made.learn(2 * BATCH)
    assert caplog.text.count("wandb is left out from here on: ConnectionError: no network") >= 1
    assert len(made.published) == 2
