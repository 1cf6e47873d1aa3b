"""Train, pause, step, edit and stop from the window, in both hosts, with the bits of the command line."""

import csv
import json
import os
import signal
import subprocess
import sys

import pytest
from PySide6.QtWidgets import QMessageBox, QPushButton

from app.running.process_host import ProcessHost
from app.theme import icon
from runtime.events import Failed, Metrics, ParameterChanged, Paused, ProbeSample, ViewerFrame, is_clock_metric
from runtime.scheduler import observer

HOSTS = pytest.mark.parametrize("host", ["thread", "process"])


def metrics_of(folder):
    with (folder / "metrics.csv").open() as file:
        return [{name: row[name] for name in row if not is_clock_metric(name)} for row in csv.DictReader(file)]


def run_export(folder):
    """The metrics of the exported runner, in a process that knows nothing of the editor."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "runner.py", "--seed", "5", "--iterations", "12", "--run-name", "exported"]
    subprocess.run(command, cwd=folder / "export", env=environment, check=True, capture_output=True)
    return metrics_of(folder / "export" / "runs" / "exported")


def test_the_bits_are_the_same_in_every_host(run, path, dnne, tmp_path, monkeypatch):
    monkeypatch.setattr(observer, "PROBE_INTERVAL", 0.0)
    run.controller.watch_probes([("2", "output"), ("5", "rewards"), ("3", "policy_output")])
    run.controller.watch_viewer([0, 1], 200.0)
    found = {}
    for host in ("thread", "process"):
        run.controller.options.host = host
        run.states.clear()
        run.events.clear()
        run.start("finished", seed=5, iterations=12)
        assert run.of(ViewerFrame) and run.of(ProbeSample) and len(run.of(Metrics)) == 12
        found[host] = metrics_of(run.controller.run_folder)
    assert dnne("train", path, "--seed", 5, "--iterations", 12, "--run-name", "plain").code == 0
    found["command"] = metrics_of(tmp_path / "runs" / "plain")
    assert dnne("export", path, "-o", tmp_path / "export").code == 0
    found["export"] = run_export(tmp_path)
    assert len(found["command"]) == 12
    assert all(metrics == found["command"] for metrics in found.values()), found


@HOSTS
def test_pause_step_edit_and_stop(run, host):
    run.controller.options.host = host
    run.start()
    run.press("actionPause")
    run.until("paused")
    steps = run.of(Paused)[-1].step
    run.press("actionStep")
    run.wait(lambda: run.of(Paused)[-1].step == steps + 4)
    run.window.session.select(["6"])
    run.controller.edit("6", "learning_rate", 1e-4)
    run.wait(lambda: run.of(ParameterChanged))
    run.states.clear()
    run.press("actionPause")
    run.until("running")
    run.wait(lambda: len(run.of(Metrics)) > 3)
    run.stop()
    info = json.loads((run.controller.run_folder / "run.json").read_text())
    assert info["result"] == "interrupted" and info["summary"]["reason"] == "stopped in the editor"
    assert list((run.controller.run_folder / "resume").iterdir())
    assert run.controller.run_folder.parent == run.window.session.document.path.parent / "runs"


def test_the_run_is_of_the_document_as_it_stands(run):
    from app.document import edits

    session = run.window.session
    session.edit("Set", edits.set_parameter(["6"], "horizon_length", 8))
    run.start("finished", iterations=1)
    workflow = json.loads((run.controller.run_folder / "workflow.json").read_text())
    assert workflow["nodes"]["6"]["inputs"]["horizon_length"] == 8
    assert session.document.is_modified and not session.is_locked


def test_an_edit_of_a_live_parameter_in_the_document_reaches_the_run(run):
    from app.document import edits

    session = run.window.session
    run.start()
    session.edit("Set", edits.set_parameter(["6"], "learning_rate", 2e-4))
    run.wait(lambda: run.of(ParameterChanged))
    changed = run.of(ParameterChanged)[0]
    assert (changed.node_id, changed.name, changed.new) == ("6", "learning_rate", 2e-4)
    run.stop()


def test_the_document_is_locked_but_for_live_parameters(run):
    from app.document import edits

    window, session, told = run.window, run.window.session, []
    session.message.connect(told.append)
    run.start()
    before = json.dumps({key: entry.inputs for key, entry in session.workflow.nodes.items()})
    session.edit("Set", edits.set_parameter(["6"], "horizon_length", 8))
    window.canvas.select_nodes(["6"])
    window.canvas.delete_selection()
    session.undo()
    window.files.new()
    assert json.dumps({key: entry.inputs for key, entry in session.workflow.nodes.items()}) == before
    assert told and set(told) == {"The workflow is locked while it runs; stop the run to edit it"}
    assert not window.actions_by_name["actionOpen"].isEnabled()
    window.inspector.show_selection()
    rows = window.inspector.page.rows
    assert rows["learning_rate"].editor.isEnabled() and not rows["horizon_length"].editor.isEnabled()
    assert "no live parameter" in rows["horizon_length"].toolTip()
    run.stop()
    assert rows["horizon_length"].editor.isEnabled() and window.actions_by_name["actionOpen"].isEnabled()


def test_buttons_follow_the_state(run):
    def enabled():
        names = ("Train", "Infer", "Pause", "Step", "Stop")
        return [name for name in names if run.window.actions_by_name[f"action{name}"].isEnabled()]

    assert enabled() == ["Train", "Infer"]
    run.start()
    assert enabled() == ["Pause", "Stop"]
    run.press("actionPause")
    run.until("paused")
    assert enabled() == ["Pause", "Step", "Stop"]
    assert run.window.actions_by_name["actionPause"].iconText() == "Resume"
    run.stop()
    assert enabled() == ["Train", "Infer"]
    assert run.states == ["starting", "running", "paused", "stopping", "finished"]


def test_the_button_that_resumes_keeps_its_drawing_in_another_theme(run):
    def drawn():
        return run.window.actions_by_name["actionPause"].icon().pixmap(16).toImage()

    run.start()
    run.press("actionPause")
    run.until("paused")
    for theme in ("light", "dark"):
        run.window.view.set_theme(theme)
        assert drawn() == icon("run", "text").pixmap(16).toImage()
    run.stop()
    assert drawn() == icon("pause", "text").pixmap(16).toImage()


def test_errors_of_the_workflow_block_the_start_and_show_the_problems(run):
    from app.document import edits

    session = run.window.session
    session.edit("Delete", edits.delete_nodes(session.workflow, ["5"]))
    run.press("actionTrain")
    assert run.controller.state == "idle" and run.states == []
    assert run.window.docks["problems"].isVisible()


def test_an_empty_workflow_has_nothing_to_run(run):
    run.window.files.new()
    run.press("actionTrain")
    assert run.controller.state == "idle" and run.states == []
    assert "nothing to run yet" in run.window.notice.text


def test_settings_that_make_no_sense_are_refused_in_the_words_of_the_runtime(run):
    run.put(device="abacus")
    run.press("actionTrain")
    assert run.controller.state == "idle"
    assert "device 'abacus' is unknown; expected cpu, cuda" in run.window.notice.text
    run.put(device="")
    run.press("actionInfer")
    assert "inference needs trained weights" in run.window.notice.text


def test_without_weights_the_window_speaks_of_its_settings_and_offers_the_newest_run(run, qtbot):
    run.start("finished", iterations=1)
    trained = run.controller.run_folder
    run.states.clear()
    run.controller.options.put("infer", "episodes", "2")
    run.press("actionInfer")
    notice = run.window.notice
    assert "Load checkpoint dir" in notice.text and "--" not in notice.text
    run.wait(lambda: trained.name in notice.text)
    notice.findChild(QPushButton, "noticeInferFromTheNewestRun").click()
    run.until("finished")
    assert run.controller.mode == "infer" and "eval/mean_reward" in run.of(Metrics)[-1].values
    assert run.controller.options.values["infer"] == {"episodes": "2"}


def test_infer_from_the_checkpoint_of_a_training(run, tmp_path):
    run.start("finished", iterations=2, save_checkpoint_dir="checkpoints")
    assert (tmp_path / "checkpoints").is_dir()
    run.states.clear()
    run.controller.options.put("infer", "load_checkpoint_dir", "checkpoints")
    run.controller.options.put("infer", "episodes", "4")
    run.press("actionInfer")
    run.until("finished")
    assert "eval/mean_reward" in run.of(Metrics)[-1].values


def test_a_node_that_raises_shows_badge_notice_and_traceback_and_the_editor_trains_again(run, monkeypatch, qtbot):
    from nodes.control.cartpole_action import CartpoleActionNode

    def broken(self, policy_output):
        raise ValueError("the hinge is broken")

    with monkeypatch.context() as patch:
        patch.setattr(CartpoleActionNode, "compute", broken)
        run.press("actionTrain")
        run.until("failed")
    failure = run.controller.failure
    assert failure.node_id == "4" and "the hinge is broken" in failure.error and "Traceback" in failure.traceback
    assert "the hinge is broken" in run.window.notice.text
    overlay = run.window.canvas.items.nodes["4"].overlay
    assert overlay.has_failed
    run.window.canvas.viewer.pressed.emit(overlay.badge.center(), 0)
    dialogs = [child for child in run.window.children() if child.objectName() == "runFailure"]
    assert "the hinge is broken" in dialogs[0].text and 'File "' in dialogs[0].text
    dialogs[0].close()
    run.states.clear()
    run.start("finished", iterations=1)
    assert not overlay.has_failed


def test_a_full_disk_reaches_the_screen_and_the_editor_trains_again(run, monkeypatch):
    from runtime.recording.line_file import LineFile

    def full(self, lines):
        raise OSError(28, "No space left on device")

    real = LineFile.write
    with monkeypatch.context() as patch:
        patch.setattr("runtime.recording.line_file.os.fspath", os.fspath)
        patch.setattr(LineFile, "write", lambda self, lines: full(self, lines) if "metric" in lines else
                      real(self, lines))  # fmt: skip
        run.press("actionTrain")
        run.until("failed")
    assert "No space left on device" in run.window.notice.text
    run.states.clear()
    run.start("finished", iterations=1)


def test_a_killed_process_is_told_and_the_editor_goes_on(run):
    run.controller.options.host = "process"
    run.start()
    host = run.controller._host
    assert isinstance(host, ProcessHost)
    os.kill(host.pid, signal.SIGKILL)
    run.until("failed")
    assert "killed by SIGKILL" in run.window.notice.text
    assert "killed by SIGKILL" in run.of(Failed)[-1].error
    run.controller.options.host = "thread"
    run.states.clear()
    run.start("finished", iterations=1)


def test_an_interpreter_that_is_none_is_told(run):
    run.controller.options.host, run.controller.options.interpreter = "process", "/no/such/python"
    run.press("actionTrain")
    run.until("failed")
    assert "/no/such/python does not start" in run.window.notice.text


@HOSTS
def test_closing_during_a_run_asks_and_leaves_nothing_behind(run, host, dialog, press, qtbot):
    run.controller.options.host = host
    run.start()
    run.window.close()
    press(run.window, "runGoesOn", "Cancel")
    assert run.window.isVisible() and run.controller.is_active
    qtbot.waitUntil(lambda: not [box for box in run.window.findChildren(QMessageBox) if box.isVisible()])
    run.window.close()
    press(run.window, "runGoesOn", "Stop and save")
    qtbot.waitUntil(lambda: not run.window.isVisible(), timeout=20_000)
    assert not run.controller.is_active
    assert list((run.controller.run_folder / "resume").iterdir())


def test_a_window_that_is_closed_at_once_stops_its_run(run):
    run.start()
    run.window.stop_at_once()
    assert run.controller.state == "finished"


def test_two_starts_are_one_run(run):
    run.start()
    run.controller.train()
    run.controller.infer()
    assert run.states == ["starting", "running"]
    run.stop()
