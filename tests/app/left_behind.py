"""What a test with Qt may leave behind: nothing."""

import contextlib
import threading

HARMLESS = ("This plugin does not support",)  # of the offscreen platform, on windows


@contextlib.contextmanager
def nothing_left_behind(qtlog, seconds=5.0):
    """Raise AssertionError for a warning of Qt's, a thread, a visible window, or a running timer in a window.

    Threads have some seconds to end.
    """
    from PySide6.QtCore import QCoreApplication, QEvent, QTimer
    from PySide6.QtWidgets import QApplication

    threads = set(threading.enumerate())
    windows = {widget for widget in QApplication.topLevelWidgets() if widget.isVisible()}
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(seconds)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # here, and not in the midst of a later test
    left = [f"thread {thread.name}" for thread in set(threading.enumerate()) - threads]
    for widget in QApplication.topLevelWidgets():
        if widget.isVisible() and widget not in windows:
            left.append(f"window {widget.objectName()}")
        running = [timer for timer in widget.findChildren(QTimer) if timer.isActive()]
        left.extend(f"timer of {timer.parent().objectName()}" for timer in running)
    said = [record.message for record in qtlog.records if not record.message.startswith(HARMLESS)]
    assert not left + said, left + said
