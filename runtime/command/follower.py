"""What a process shows that is not rank 0: what rank 0 cannot know."""

from __future__ import annotations

import sys
from typing import Mapping, Optional

from ..atomic import PathLike
from ..distributed.failures import LOST_ANOTHER
from ..events import Event, Failed, LogMessage
from ..recording import RunTally


class FollowerDisplay:
    """Stands in for the progress display: warnings and the failure of this rank go to standard error, nothing else.

    Attributes:
        tally: What the run has come to.
    """

    def __init__(self, rank: int):
        self.tally = RunTally()
        self._rank = rank

    def __call__(self, event: Event) -> None:
        """Take one event into account."""
        self.tally(event)
        if isinstance(event, LogMessage):
            self.message(event.message, event.level)
        elif isinstance(event, Failed):
            where = f" in node {event.node_id} ({event.label})" if event.node_id else ""
            self.message(f"failed{where}: {event.error}", "error")

    def message(self, text: str, level: str = "info") -> None:
        """Show a warning or an error."""
        if level in ("warning", "error") and LOST_ANOTHER not in text:
            sys.stderr.write(f"rank {self._rank}: {level}: {text}\n")

    def summarise(self, places: Optional[Mapping[str, PathLike]] = None) -> None:
        """Rank 0 tells what came of the run."""
