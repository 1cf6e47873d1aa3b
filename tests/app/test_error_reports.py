"""What nobody caught reaches the log and the screen."""

import sys
import threading

import pytest
from PySide6.QtWidgets import QMessageBox, QWidget

from app.error_reports import ErrorReports


@pytest.fixture
def reports(qtbot, tmp_path):
    window, rescued = QWidget(), []
    qtbot.addWidget(window)
    reports = ErrorReports(tmp_path)
    reports.attach(window, lambda: rescued.append(True))
    reports.rescued, reports.window = rescued, window
    yield reports
    reports.detach()


def boxes(reports):
    return [box for box in reports.window.findChildren(QMessageBox) if box.isVisible()]


def raise_in_slot(text):
    try:
        raise RuntimeError(text)
    except RuntimeError:
        sys.excepthook(*sys.exc_info())


def test_an_exception_is_shown_and_logged_and_work_is_copied(reports, qtbot):
    raise_in_slot("the slot failed")
    qtbot.waitUntil(lambda: bool(boxes(reports)))
    (box,) = boxes(reports)
    assert "RuntimeError: the slot failed" in box.informativeText()
    assert "raise_in_slot" in box.detailedText()
    assert "raise_in_slot" in reports.log_file.read_text()
    assert reports.rescued == [True]
    box.close()


def test_a_storm_shows_one_dialog_and_logs_all(reports, qtbot):
    for number in range(5):
        raise_in_slot(f"frame {number}")
    qtbot.waitUntil(lambda: bool(boxes(reports)))
    qtbot.wait(20)
    assert len(boxes(reports)) == 1
    assert reports.log_file.read_text().count("uncaught exception") == 5
    boxes(reports)[0].close()
    raise_in_slot("later")
    qtbot.waitUntil(lambda: bool(boxes(reports)))
    boxes(reports)[0].close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_threads_are_heard_too(reports, qtbot, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", reports._on_thread_exception)  # pytest puts its own in between

    def fail():
        raise ValueError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(boxes(reports)))
    assert "in a thread" in boxes(reports)[0].informativeText()
    boxes(reports)[0].close()


def test_the_hooks_are_given_back(tmp_path, qapp):
    before = (sys.excepthook, threading.excepthook)
    reports = ErrorReports(tmp_path)
    assert sys.excepthook != before[0]
    reports.detach()
    assert (sys.excepthook, threading.excepthook) == before


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, qapp, caplog):
    (tmp_path / "file").write_text("")
    ErrorReports(tmp_path / "file" / "log").detach()
    assert "no log is written" in caplog.text
