"""Tells a host a few times a second what the nodes of a run do right now, also while one of them computes for long."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Optional, Type

from ..events import LiveStatistics, Sink
from .run import Run

INTERVAL = 0.2


class LiveReports:
    """A thread that reads the engine's counters and sends `LiveStatistics`; the engine itself does nothing for it.

    Args:
        run: The run; until its engine is there nothing is sent.
        sink: Gets the events, in the thread of the reports.
    """

    def __init__(self, run: Run, sink: Sink):
        self._run, self._sink = run, sink
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._report, name="dnne-live-reports", daemon=True)

    def _report(self) -> None:
        while not self._ended.wait(INTERVAL):
            engine, context = self._run.engine, self._run.context
            if engine is not None:
                steps, nodes = context.progress.environment_steps, tuple(engine.statistics(with_wires=True))
                self._sink(LiveStatistics(context.elapsed, steps, nodes, engine.working()))

    def __enter__(self) -> LiveReports:
        self._thread.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._ended.set()
        self._thread.join()
