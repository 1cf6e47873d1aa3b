"""Several processes from the window: chosen, watched, stopped, and what is seen of one that dies."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.child_command import child_command
from app.document import edits
from app.history.entries import RunEntry, processes_of_state
from app.running.process_tree import kill_tree
from app.running.settings_panel import HOST_TEXTS
from runtime.checkpoints import ResumeStore
from runtime.events import Failed, LogMessage, Metrics, ProbeSample, RunStarted, ViewerFrame, is_clock_metric
from tests.app.running.test_hard_runs import interpreter

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
START_SECONDS = 120


def metrics_of(folder):
    with (folder / "metrics.csv").open() as file:
        return [{name: row[name] for name in row if not is_clock_metric(name)} for row in csv.DictReader(file)]


def by_command(path, folder, iterations):
    """The metrics of ``dnne train --nproc 2`` in processes that know nothing of the editor."""
    words = ["train", str(path), "--nproc=2", "--seed=5", f"--iterations={iterations}", "--run-name=plain"]
    subprocess.run(child_command([*words, f"--log-dir={folder}"]), check=True, capture_output=True)
    return metrics_of(folder / "plain")


def rank_process(rank):
    """Id of the process of a rank that descends from this one."""
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            words = dict(word.partition(b"=")[::2] for word in entry.read_bytes().split(b"\0"))
        except OSError:
            continue
        if words.get(b"RANK") == str(rank).encode() and words.get(b"DNNE_TEST") == str(os.getpid()).encode():
            return int(entry.parent.name)
    raise AssertionError(f"there is no process of rank {rank}")


@pytest.fixture
def together(run, monkeypatch):
    """Two processes were chosen; the host stays that of runs of one process."""
    monkeypatch.setenv("DNNE_TEST", str(os.getpid()))
    run.put(nproc=2, seed=5)
    return run


@needs_proc
def test_two_processes_train_with_the_bits_of_the_command_until_they_are_stopped(together, path, tmp_path):
    run, session = together, together.window.session
    run.controller.watch_probes([("5", "rewards")])
    run.controller.watch_viewer([0], 50.0)
    run.press("actionTrain")
    run.until("running", START_SECONDS)
    assert run.controller.options.host == "thread"
    check_buttons(run.window.actions_by_name)
    check_lock(session, run.window.inspector)
    run.wait(lambda: len(run.of(Metrics)) > 5 and run.of(ProbeSample) and run.of(ViewerFrame), START_SECONDS)
    run.wait(lambda: "Running  ·  2 processes  ·  iteration" in run.window.run_view.status.text.text())
    run.press("actionStop")
    run.until("finished", START_SECONDS)
    folder = run.controller.run_folder
    assert json.loads((folder / "run.json").read_text())["summary"]["reason"].startswith("stopped in the editor")
    assert ResumeStore(folder).latest().processes == processes_of_state(folder) == 2
    assert run.controller.was_interrupted and not session.is_locked
    assert any("2 processes: started by this command" in event.message for event in run.of(LogMessage))
    found = metrics_of(folder)
    assert len(found) == len(run.of(Metrics)) and found == by_command(path, tmp_path, len(found))


def check_buttons(actions):
    """Only Stop can be pressed, and the others say why not."""
    names = ("Train", "Infer", "Pause", "Step", "Stop")
    assert [name for name in names if actions[f"action{name}"].isEnabled()] == ["Stop"]
    for name in ("Pause", "Step"):
        assert "can be stopped, but neither paused nor edited" in actions[f"action{name}"].toolTip()


def check_lock(session, inspector):
    """Live parameters, too, stay as they are."""
    before = dict(session.workflow.nodes["6"].inputs)
    session.edit("Set", edits.set_parameter(["6"], "learning_rate", 2e-4))
    assert session.workflow.nodes["6"].inputs == before
    session.select(["6"])
    inspector.show_selection()
    row = inspector.page.rows["learning_rate"]
    assert not row.editor.isEnabled() and "several processes" in row.toolTip()


@needs_proc
def test_a_killed_rank_ends_the_run_on_the_screen(together):
    run = together
    run.press("actionTrain")
    run.until("running", START_SECONDS)
    run.wait(lambda: run.of(Metrics), START_SECONDS)
    os.kill(rank_process(1), signal.SIGKILL)
    run.until("failed", START_SECONDS)
    assert "rank 1 (process " in run.window.notice.text and "ended by SIGKILL" in run.window.notice.text
    assert "rank 0 lost another process" in run.controller.failure.traceback, "what was said at last can be read"
    assert not run.window.session.is_locked
    actions = run.window.actions_by_name
    assert actions["actionTrain"].isEnabled() and "neither" not in actions["actionPause"].toolTip()


class Host:
    """Hears commands, and does nothing."""

    can_steer, why_no_pause, outcome = True, "together", None

    def __init__(self):
        self.commands = []

    def start(self):
        pass

    def close(self):
        pass

    def command(self, name, /, **arguments):
        self.commands.append(name)


def test_processes_that_were_started_again_are_told_once_more(run, qtbot):
    controller, host = run.controller, Host()
    controller.watch_probes([("5", "rewards")])
    controller.processes = 2
    controller._launch(host)
    controller._mailbox.put(RunStarted(0.0, "a", "train", 0, "cpu", "static", ""))
    run.until("running")
    controller._mailbox.put(Failed(1.0, "rank 0 lost another process", ""))
    run.press("actionStop")
    host.commands.clear()
    controller._mailbox.put(RunStarted(2.0, "a", "train", 0, "cpu", "static", "", resumed=True))
    run.wait(lambda: host.commands == ["watch_probes", "stop"])
    assert controller.failure is None
    controller.finish()


def test_warnings_of_other_ranks_are_in_the_log(run, tmp_path):
    run.put(nproc=2)
    said = "rank 1: warning: careful"
    run.controller.options.interpreter = interpreter(tmp_path, f'echo "{said}"; echo "rank 1 is fine"')
    run.press("actionTrain")
    run.until("finished")
    assert [(event.level, event.message) for event in run.of(LogMessage)] == [("warning", said)]


def test_a_run_that_is_given_up_leaves_none_of_its_processes():
    child = "import time; print('here', flush=True); time.sleep(600)"
    parent = (
        f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-S', '-c', {child!r}], "
        "start_new_session=True); print(child.pid, flush=True); child.wait()"
    )
    process = subprocess.Popen([sys.executable, "-S", "-c", parent], stdout=subprocess.PIPE, text=True)
    with process.stdout:
        told = sorted(process.stdout.readline().strip() for _ in range(2))
        kill_tree(process)
        assert process.stdout.read() == "", "the pipe ends with the last process that holds it"
    assert process.wait() == -signal.SIGKILL and told[1] == "here"
    end = time.monotonic() + 30
    while Path(f"/proc/{told[0]}/cmdline").exists() and Path(f"/proc/{told[0]}/cmdline").read_bytes():
        assert time.monotonic() < end


def test_a_run_of_several_processes_is_resumed_by_as_many(window, tmp_path, monkeypatch):
    ResumeStore(tmp_path / "two").save({}, 1, 1, others=[b"", b""])
    ResumeStore(tmp_path / "one").save({}, 1, 1)
    asked, options = [], window.controller.options
    monkeypatch.setattr(window.run_view, "train", lambda: asked.append(options.values["train"]))
    for name in ("two", "one"):
        window.watching.runs._resume(RunEntry(tmp_path / name))
    assert asked == [{"resume": str(tmp_path / "two"), "nproc": "3"}, {"resume": str(tmp_path / "one")}]
    assert options.values["train"] == {}


@pytest.fixture
def settings(window):
    window.run_view.show_settings()
    return window.run_view.settings


def test_choosing_several_processes_chooses_the_host(settings, window):
    options = window.controller.options

    def type_processes(text):
        field = settings.fields["train"]["nproc"]
        field.show_text(text)
        field.input.textEdited.emit(text)

    type_processes("2")
    assert settings.host.currentText() == HOST_TEXTS["process"] and not settings.host.isEnabled()
    assert settings.several.isVisibleTo(settings) and "2 processes train together" in settings.several.text()
    assert settings.interpreter.isEnabled() and "--nproc=2" in settings.verdict.text()
    settings.show_mode("infer")
    assert settings.host.currentText() == HOST_TEXTS["thread"] and settings.host.isEnabled()
    settings.show_mode("train")
    assert settings.host.currentText() == HOST_TEXTS["process"]
    type_processes("")
    assert settings.host.currentText() == HOST_TEXTS["thread"] and settings.host.isEnabled()
    assert not settings.several.isVisibleTo(settings) and options.host == "thread"


def test_contradictions_are_told_in_the_settings(settings, window):
    window.controller.options.put("train", "train_mode", "single")
    window.controller.options.put("train", "nproc", "2")
    settings.show_options()
    assert "the train mode is single" in settings.verdict.text() and settings.host.isEnabled()
