"""The check of every test with Qt bites."""

import threading
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from tests.app.left_behind import nothing_left_behind

SILENT = SimpleNamespace(records=[])


@pytest.fixture
def widget(qtbot):
    widget = QWidget(objectName="forgotten")
    qtbot.addWidget(widget)
    return widget


def test_a_tidy_test_passes(widget):
    with nothing_left_behind(SILENT):
        widget.show()
        widget.hide()


def test_a_visible_window_is_found(widget):
    with pytest.raises(AssertionError, match="window forgotten"), nothing_left_behind(SILENT):
        widget.show()
    widget.hide()


def test_a_running_timer_is_found(widget):
    timer = QTimer(widget)
    with pytest.raises(AssertionError, match="timer of forgotten"), nothing_left_behind(SILENT):
        timer.start(1000)
    timer.stop()


def test_a_thread_that_goes_on_is_found(qapp):
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="endless", daemon=True)
    with pytest.raises(AssertionError, match="thread endless"), nothing_left_behind(SILENT, seconds=0.01):
        thread.start()
    end.set()
    thread.join()


def test_a_warning_is_found_and_what_the_platform_says_is_not(qapp):
    said = [SimpleNamespace(message="This plugin does not support raise()"), SimpleNamespace(message="QPainter: no")]
    with pytest.raises(AssertionError, match="QPainter: no"), nothing_left_behind(SimpleNamespace(records=said)):
        pass
    with nothing_left_behind(SimpleNamespace(records=said[:1])):
        pass
