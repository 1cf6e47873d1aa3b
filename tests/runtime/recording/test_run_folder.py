import contextlib
import gc
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.errors import RunError, StorageError
from runtime.events import Failed, Finished, Metrics, RunStarted
from runtime.recording import run_folder
from runtime.recording.csv_metrics import read_metrics
from runtime.recording.json_lines import read_records
from runtime.recording.run_description import describe_run
from runtime.recording.run_folder import Recorders, RunFolder, slug
from runtime.recording.tensorboard_writer import TensorBoardWriter

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TensorBoard 2.14 on Python 3.8


def _info(**changes):
    arguments = {"name": "a", "mode": "train", "seed": 1, "device": "cpu", "num_threads": 1, "settings": {}}
    return describe_run(**{**arguments, "parameters": {}, "repository": "/", **changes})


@pytest.fixture
def run(tmp_path):
    with RunFolder.create(tmp_path, "Cartpole PPO") as folder:
        folder.write_info(_info())
        yield folder


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Cartpole PPO", "cartpole-ppo"),
        ("  Ärger/../über  ", "arger-uber"),
        ("走", "run"),
        ("", "run"),
        ("../../etc", "etc"),
        ("x" * 300, "x" * 60),
        ("a" * 59 + " b", "a" * 59),
    ],
)
def test_names_become_names_of_folders(name, expected):
    assert slug(name) == expected


def test_a_new_folder_has_the_name_and_the_time(tmp_path):
    before = time.strftime("%Y%m%d-%H%M%S")
    with RunFolder.create(tmp_path / "new" / "runs", "Cartpole PPO") as run:
        assert run.path.parent == tmp_path / "new" / "runs"
        match = re.fullmatch(r"cartpole-ppo-(\d{8}-\d{6})", run.path.name)
        assert before <= match[1] <= time.strftime("%Y%m%d-%H%M%S")


def test_runs_of_one_second_get_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda _: "20260101-000000")
    with contextlib.ExitStack() as stack:
        names = [stack.enter_context(RunFolder.create(tmp_path, "a")).path.name for _ in range(3)]
    assert names == ["a-20260101-000000", "a-20260101-000000-2", "a-20260101-000000-3"]


def test_a_pinned_name_is_used_as_it_is_and_only_once(tmp_path):
    (tmp_path / "first").mkdir()
    with RunFolder.create(tmp_path, "a", run_name="first") as run:
        assert run.path == tmp_path / "first"
        run.write_workflow("{}")
    with pytest.raises(RunError, match=r"first holds 'workflow.json' already; to go on .* use --resume .*first, else"):
        RunFolder.create(tmp_path, "a", run_name="first")


def test_a_pinned_name_that_a_start_left_empty_can_be_used_again(tmp_path):
    RunFolder.create(tmp_path, "a", run_name="first").close()
    RunFolder.create(tmp_path, "a", run_name="first").close()


@pytest.mark.parametrize("run_name", ["", ".", "..", "a/b", "/etc", "a\0b", "a/"])
def test_a_pinned_name_is_a_name_and_no_path(tmp_path, run_name):
    with pytest.raises(RunError, match="cannot be the name of a run's folder"):
        RunFolder.create(tmp_path, "a", run_name=run_name)


def test_a_place_that_cannot_hold_folders_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*file"):
        RunFolder.create(tmp_path / "file", "a")
    with pytest.raises(StorageError, match=r"cannot write .*file"):
        RunFolder.create(tmp_path, "a", run_name="file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_place_is_an_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="Permission denied"):
        RunFolder.create(tmp_path, "a")


def test_the_files_of_a_run(run):
    run.write_workflow('{"name": "é"}')
    with run.recorders() as recorders:
        recorders(RunStarted(0.0, "a", "train", 1, "cpu", "static", ""))
        recorders(Metrics(1.0, 16, 1, {"a": 0.5}))
        recorders(Finished(1.0, "timeout", 16, 1))
    run.finish("finished", {"mean_reward": math.nan, "steps": 16})
    assert run.workflow_file.read_text(encoding="utf-8") == '{"name": "é"}'
    assert [record["event"] for record in read_records(run.events_file)] == ["started", "metric", "finished"]
    assert read_metrics(run.metrics_file)["a"] == [0.5]
    info = json.loads((run.path / "run.json").read_text())
    assert (info["result"], info["summary"]) == ("finished", {"mean_reward": "nan", "steps": 16})
    assert info["started"] <= info["ended"]
    assert run.resume_folder == run.path / "resume"


def test_a_run_that_was_killed_has_no_end(run):
    assert run.read_info()["ended"] is None


def test_a_resumed_run_keeps_what_was_said_of_its_earlier_parts(run):
    run.finish("interrupted", {"steps": 16})
    run.close()
    for seed in (2, 3):
        with RunFolder.open(run.path) as again:
            again.write_info(_info(seed=seed))
    info = run.read_info()
    assert info["seed"] == 3
    assert [part["seed"] for part in info["earlier"]] == [1, 2]
    assert info["earlier"][0]["result"] == "interrupted"
    assert not any("earlier" in part for part in info["earlier"])


def test_the_records_of_a_resumed_run_are_those_of_one_run(tmp_path, run):
    def metrics(iteration):
        return Metrics(float(iteration), 16 * iteration, iteration, {"a": iteration / 3})

    def record(folder, iterations, *resumed):
        with folder.recorders(*resumed) as recorders:
            for iteration in iterations:
                recorders(metrics(iteration))

    record(run, range(1, 6))
    record(run, range(4, 9), 3, 50)
    with RunFolder.create(tmp_path, "whole") as whole:
        record(whole, range(1, 9))
        assert run.events_file.read_bytes() == whole.events_file.read_bytes()
        assert run.metrics_file.read_bytes() == whole.metrics_file.read_bytes()


@pytest.mark.parametrize(("resumed", "purge_step"), [((), None), ((3, 48), 49)])
def test_tensorboard_hides_what_lies_past_the_state_and_not_the_state_itself(run, monkeypatch, resumed, purge_step):
    asked = []

    class Writer(TensorBoardWriter):
        def __init__(self, folder, purge_step=None):
            asked.append((folder, purge_step))
            super().__init__(folder, purge_step)

    monkeypatch.setattr(run_folder, "TensorBoardWriter", Writer)
    run.recorders(*resumed).close()
    assert asked == [(run.path / "tensorboard", purge_step)]


def test_a_resumed_run_without_its_records_starts_new_ones(run):
    with run.recorders(3, 48) as recorders:
        recorders(Metrics(1.0, 64, 4, {"a": 1.0}))
    assert read_metrics(run.metrics_file)["iteration"] == [4.0]


def test_a_recorder_that_fails_does_not_keep_the_others_from_the_event():
    heard = []

    class Broken:
        def __call__(self, event):
            raise StorageError("disk full")

        def close(self):
            heard.append("closed")

    class Sound(Broken):
        def __call__(self, event):
            heard.append(event)

    recorders = Recorders([Broken, Sound])
    event = Failed(1.0, "no", "")
    with pytest.raises(StorageError, match="disk full"):
        recorders(event)
    recorders.close()
    assert heard == [event, "closed", "closed"]


def test_recorders_that_cannot_all_be_opened_are_all_closed():
    closed = []

    class Sound:
        def close(self):
            closed.append(True)

    def broken():
        raise StorageError("disk full")

    with pytest.raises(StorageError):
        Recorders([Sound, broken])
    assert closed == [True]


# Opening


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(RunError, match=r"there is no run to resume: .*nowhere does not exist"):
        RunFolder.open(tmp_path / "nowhere")


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file is a file; expected the folder of a run"):
        RunFolder.open(tmp_path / "file")


def test_another_folder_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"is no run's folder: it holds no run.json$"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize("inside", ["resume", "resume/iteration_000000001_step_000000000016"])
def test_a_folder_inside_of_a_run_leads_to_the_run(run, inside):
    (run.path / inside).mkdir(parents=True)
    with pytest.raises(RunError, match=f"the run's folder is {re.escape(str(run.path))}$"):
        RunFolder.open(run.path / inside)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"dnne_run": 1', "run.json is damaged"),
        ("[" * 100_000, "run.json is damaged"),
        ("[]", "its 'dnne_run' is None; expected 1"),
        ('{"dnne_run": 2}', "its 'dnne_run' is 2; expected 1"),
        ('{"dnne_run": 1, "earlier": 5}', "run.json is damaged: its 'earlier' is 5; expected a list"),
        ('{"dnne_run": 1, "earlier": [5]}', "its 'earlier' holds 5; expected an object"),
        ('{"dnne_run": 1, "settings": []}', r"its 'settings' is \[\]; expected an object"),
        ('{"dnne_run": 1, "summary": 5}', "its 'summary' is 5; expected an object or null"),
        ('{"dnne_run": 1, "name": null}', "its 'name' is None; expected a text"),
    ],
)
def test_a_description_that_cannot_be_used_is_named(run, content, message):
    run.info_file.write_text(content)
    run.close()
    with pytest.raises(RunError, match=message):
        RunFolder.open(run.path)


# One writer at a time


def test_a_run_that_goes_on_cannot_be_resumed(run):
    with pytest.raises(RunError, match=rf"is still going on \(process {os.getpid()} on "):
        RunFolder.open(run.path)
    assert RunFolder.open(run.path, lock=False).read_info()["seed"] == 1
    run.close()
    RunFolder.open(run.path).close()


def test_a_folder_that_is_forgotten_is_released(run):
    run.close()
    RunFolder.open(run.path)
    gc.collect()
    RunFolder.open(run.path).close()


def test_a_killed_process_does_not_hold_the_run(run, request):
    run.close()
    program = (
        f"import sys; sys.path.insert(0, {str(request.config.rootpath)!r})\n"
        "from runtime.recording.run_folder import RunFolder\n"
        f"run = RunFolder.open({str(run.path)!r})\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match=f"process {process.pid} on "):
            RunFolder.open(run.path)
        process.kill()
    RunFolder.open(run.path).close()


def test_a_system_without_locks_warns(run, monkeypatch, caplog):
    run.close()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    RunFolder.open(run.path).close()
    assert "take care that only one process writes into" in caplog.text


def test_a_run_can_be_moved(run, tmp_path):
    run.close()
    moved = Path(shutil.move(str(run.path), str(tmp_path / "elsewhere")))
    with RunFolder.open(moved) as again:
        assert again.read_info()["seed"] == 1
