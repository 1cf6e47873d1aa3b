"""Runs that do not go as they should: stuck, begun over and over, without room or torch, watched until they vanish."""

import os
import shlex
import shutil
import sys
import threading

import pytest
from PySide6.QtCore import QAbstractAnimation, QObject

from app.running import run_view
from nodes.control.cartpole_action import CartpoleActionNode
from tests.app.running.test_attached import folder, going_on

__all__ = ["folder"]


@pytest.fixture
def stuck(monkeypatch):
    """Nodes wait for this event."""
    released, entered = threading.Event(), threading.Event()
    compute = CartpoleActionNode.compute

    def wait(self, policy_output):
        entered.set()
        released.wait(30)
        return compute(self, policy_output)

    monkeypatch.setattr(run_view, "PATIENCE_MS", 100)
    monkeypatch.setattr(CartpoleActionNode, "compute", wait)
    yield entered
    released.set()
    for thread in threading.enumerate():
        if thread.name in ("dnne-run", "dnne-live-reports"):
            thread.join(20)


def stop_stuck(run, stuck):
    run.window.run_view._patience.setInterval(100)
    run.start()
    run.wait(stuck.is_set)
    run.press("actionStop")


def test_a_stuck_run_is_given_up_and_the_editor_goes_on(run, stuck, press, dialog):
    stop_stuck(run, stuck)
    question = dialog(run.window, "runStuck")
    assert "has not ended its work" in question.informativeText()
    press(run.window, "runStuck", "Give up the run")
    run.until("failed")
    assert "was given up" in run.window.notice.text and not run.window.session.is_locked


def test_a_window_closes_over_a_stuck_run(run, stuck, press, qtbot):
    run.window.run_view._patience.setInterval(100)
    run.start()
    run.wait(stuck.is_set)
    run.window.close()
    press(run.window, "runGoesOn", "Stop and save")
    press(run.window, "runStuck", "Give up the run")
    qtbot.waitUntil(lambda: not run.window.isVisible())


def test_twenty_runs_leave_nothing_behind(run):
    def left():
        """Threads and objects; animations of Qt's style come and go with the time."""
        objects = run.window.findChildren(QObject)
        return threading.active_count(), len([each for each in objects if not isinstance(each, QAbstractAnimation)])

    counts = []
    for _ in range(20):
        run.states.clear()
        run.start()
        run.stop()
        counts.append(left())
    assert counts[-1] == counts[3]


@pytest.mark.parametrize("host", ["thread", "process"])
def test_another_theme_during_a_run(run, host):
    run.controller.options.host = host
    run.start()
    run.window.view.show_panel("plots")
    for theme in ("light", "dark"):
        run.events.clear()
        run.window.view.set_theme(theme)
        run.wait(lambda: run.events)
    run.stop()


def interpreter(folder, line):
    path = folder / "python"
    path.write_text(f"#!/bin/bash\n{line.format(python=shlex.quote(sys.executable))}\n")
    path.chmod(0o755)
    return str(path)


def test_an_interpreter_without_torch_is_told(run, tmp_path):
    run.controller.options.host = "process"
    run.controller.options.interpreter = interpreter(tmp_path, 'exec {python} -S "$@"')
    run.press("actionTrain")
    run.until("failed")
    assert "No module named" in run.window.notice.text


def test_files_that_cannot_grow_in_a_process_are_told(run, tmp_path):
    run.controller.options.host = "process"
    run.controller.options.interpreter = interpreter(tmp_path, 'ulimit -f 40; exec {python} "$@"')
    run.press("actionTrain")
    run.until("failed")
    assert "File too large" in run.window.notice.text
    run.controller.options.interpreter = ""
    run.states.clear()
    run.start("finished", iterations=1)


def test_a_watched_run_whose_folder_vanishes_is_told(run, folder, tmp_path):
    target = tmp_path / "elsewhere"
    going_on(folder, target, 20)
    run.controller.attach(target)
    run.until("running")
    shutil.rmtree(target)
    run.until("failed")
    assert os.fspath(target) in run.window.notice.text
