"""A program that runs sessions and shows them itself, where the command line has a terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Mapping, Optional

from ..atomic import PathLike
from ..events import Event, LogMessage, Sink
from ..recording import RunTally, summary_lines
from ..scheduler.control import RunControl


@dataclass
class Host:
    """What a host hears of a session, and how it steers it.

    Attributes:
        sink: Hears every event, also from a thread that is not the engine's.
        control: The run's switches.
    """

    sink: Sink
    control: RunControl = field(default_factory=RunControl)


class HostDisplay:
    """Stands in for the progress display: what that one would print becomes messages for the host.

    Attributes:
        tally: What the run has come to.
        error: The last message of level error, of a session that ended without a `Failed` event.
    """

    def __init__(self, sink: Sink):
        self.tally = RunTally()
        self.error: Optional[str] = None
        self._sink = sink
        self._began = time.perf_counter()

    def __call__(self, event: Event) -> None:
        """Take an event into account; the host hears it by itself."""
        self.tally(event)

    def message(self, text: str, level: str = "info") -> None:
        """Tell the host something that is no event of the run."""
        if level == "error":
            self.error = text
        self._sink(LogMessage(time.perf_counter() - self._began, level, text))

    def summarise(self, places: Optional[Mapping[str, PathLike]] = None) -> None:
        """Tell the host what came of the run; how it ended, the host has heard as an event."""
        _, *figures = summary_lines(self.tally, places)
        self.message("\n".join(["Summary", *figures]))
