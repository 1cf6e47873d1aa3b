"""Work that takes longer than a frame, in a thread of its own; its result comes back to the window's thread."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Any, Callable, List, Optional

from PySide6.QtCore import QObject, Signal, Slot

logger = logging.getLogger(__name__)

Tell = Callable[[str], None]
Work = Callable[[Tell], Any]


class Task(QObject):
    """One piece of work. ``succeeded`` or ``failed`` is called in the thread in which the task was made.

    Signals:
        progress: A step in words.
    """

    progress = Signal(str)
    _ended = Signal(object)

    def __init__(
        self, work: Work, succeeded: Callable[[Any], None], failed: Callable[[Exception], None], parent: QObject
    ):
        super().__init__(parent)
        self._work, self._succeeded, self._failed = work, succeeded, failed
        self._ended.connect(self._deliver)
        self._thread = threading.Thread(target=self._run, name="dnne-task", daemon=True)
        self.is_cancelled = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait(self, seconds: Optional[float] = None) -> bool:
        """Wait for the work's end; its result is not delivered yet then. True if it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Do not deliver the result; the work itself goes on to its end."""
        self.is_cancelled = True

    def _run(self) -> None:
        result: Any = None
        failure: Optional[Exception] = None
        try:
            result = self._work(self._tell)
        except Exception as error:
            logger.info("work in the background failed", exc_info=True)
            failure = error
        with contextlib.suppress(RuntimeError):  # the window is gone: nobody waits for the result
            self._ended.emit((result, failure))

    def _tell(self, step: str) -> None:
        with contextlib.suppress(RuntimeError):
            self.progress.emit(step)

    @Slot(object)
    def _deliver(self, outcome: Any) -> None:
        result, failure = outcome
        self._thread.join()
        if self.is_cancelled:
            return
        if failure is not None:
            self._failed(failure)
        else:
            self._succeeded(result)


class Tasks(QObject):
    """The tasks of one window; at its end they are waited for."""

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self._tasks: List[Task] = []

    def start(self, work: Work, succeeded: Callable[[Any], None], failed: Callable[[Exception], None]) -> Task:
        """Start work and return its task."""
        task = Task(work, succeeded, failed, self)
        self._tasks = [other for other in self._tasks if not other.wait(0)] + [task]
        task.start()
        return task

    def finish(self) -> None:
        """Wait for all; results are not delivered any more."""
        for task in self._tasks:
            task.cancel()
            task.wait()
