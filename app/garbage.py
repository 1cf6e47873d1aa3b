"""Garbage with Qt objects in it is collected in the window's thread alone.

Python collects cycles in whichever thread allocates next. In a worker, such as the one in which a graph runs,
the destructors of widgets then run beside the event loop, and the process dies of a segmentation fault.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1000


class MainThreadCollector(QObject):
    """Collects instead of Python, by Python's thresholds, in the thread in which it was made."""

    def __init__(self, parent: QObject, interval_ms: int = INTERVAL_MS):
        super().__init__(parent)
        self._timer = QTimer(self, interval=interval_ms)
        self._timer.timeout.connect(self.collect)

    def start(self) -> None:
        """Take over."""
        gc.disable()
        self._timer.start()

    def stop(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.enable()

    def collect(self) -> None:
        """Collect the oldest generation that is due."""
        due = [g for g, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold())) if count > threshold]
        if due:
            gc.collect(due[-1])
