"""Cycles with Qt objects are collected in the window's thread, whoever allocates."""

import gc
import subprocess
import sys
import threading
import weakref

import pytest

from app.garbage import MainThreadCollector
from tests.commands import ROOT

# Widgets in cycles, and a thread that allocates while they become garbage: without the collector the process dies.
PROGRAM = """
import sys, threading
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QVBoxLayout
from app.garbage import MainThreadCollector

class Leaky(QDialog):
    def __init__(self):
        super().__init__()
        self.cycle = [self]
        QVBoxLayout(self).addWidget(QLabel("text"))
        QTimer(self).start(1)
        self.destroyed.connect(lambda: died_in.append(threading.current_thread().name))

app, died_in, end = QApplication([]), [], threading.Event()

def allocate():
    while not end.is_set():
        keep = [[] for _ in range(10_000)]

collector = MainThreadCollector(app, interval_ms=5)
collector.start()
threading.Thread(target=allocate, daemon=True, name="worker").start()
for _ in range(40):
    dialog = Leaky()
    dialog.show()
    app.processEvents()
    dialog.hide()
    del dialog
    app.processEvents()
end.set()
collector.stop()
sys.exit("worker" in died_in)
"""


class Cycle:
    def __init__(self):
        self.me = self


@pytest.fixture
def collector(qapp):
    collector = MainThreadCollector(qapp, interval_ms=5)
    was_enabled = gc.isenabled()
    collector.start()
    yield collector
    collector.stop()
    if not was_enabled:
        gc.disable()


def test_garbage_of_a_worker_is_collected_in_the_thread_of_the_window(collector, qtbot):
    died_in = []

    def work():
        cycle = Cycle()
        weakref.finalize(cycle, lambda: died_in.append(threading.current_thread()))
        del cycle
        keep = [[] for _ in range(100_000)]
        del keep

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert died_in == []
    kept = [[] for _ in range(2 * gc.get_threshold()[0])]
    qtbot.waitUntil(lambda: bool(died_in))
    assert died_in == [threading.main_thread()]
    assert kept


def test_afterwards_python_collects_again(qapp):
    was_enabled = gc.isenabled()
    collector = MainThreadCollector(qapp)
    collector.start()
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()
    if not was_enabled:
        gc.disable()


def test_widgets_in_cycles_do_not_die_in_a_worker():
    ended = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, timeout=100)
    assert ended.returncode == 0
