"""Where a run takes place: one interface for a thread, a process, and a run that somebody else started."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from runtime.errors import DnneError
from runtime.events import Event, LogMessage, RunStarted

from ..plots.metrics_file import PastMetrics, read_past
from .mailbox import Mailbox

logger = logging.getLogger(__name__)

METRICS_FILE = "metrics.csv"


@dataclass(frozen=True)
class Outcome:
    """How a host ended.

    Attributes:
        code: As the command's exit code; 0 is good.
        error: What went wrong, where no `Failed` event says so.
        details: Traceback or last output.
    """

    code: int
    error: str = ""
    details: str = ""


def crashed(error: BaseException) -> Outcome:
    """The end of a run whose thread met an error that nobody expected; to be called where it is caught."""
    return Outcome(1, f"{type(error).__name__}: {error}", traceback.format_exc())


class RunHost:
    """One run. Its events go to the mailbox; when ``outcome`` is set, the last one has been put there.

    Attributes:
        outcome: ``None`` while the run goes on; other threads set it.
        can_steer: False where the run can only be looked at.
        why_no_pause: Why it can neither be paused nor edited; empty where it can.
    """

    can_steer = True
    why_no_pause = ""

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.outcome: Optional[Outcome] = None

    def hear(self, event: Event) -> None:
        """Pass an event on; after the start of a resumed run, also what it has reported before."""
        self.mailbox.put(event)
        if isinstance(event, RunStarted) and event.resumed and event.run_dir:
            self._put_past_of(event)

    def _put_past_of(self, event: RunStarted) -> None:
        is_told = False
        try:
            for part in read_past(Path(event.run_dir, METRICS_FILE), event.iteration):
                self.mailbox.put(part)
                is_told = True
        except DnneError as error:
            if not is_told:
                self.mailbox.put(PastMetrics(0.0, 0, 0, {}, is_first=True))
            self.warn(event.time, f"not all that the run has reported before it was resumed is shown: {error}")

    def warn(self, time: float, text: str) -> None:
        """Say in the log that not all of a run can be shown; ``time`` as of an event."""
        logger.warning("%s", text)
        self.mailbox.put(LogMessage(time, "warning", text))

    def start(self) -> None:
        """Begin."""
        raise NotImplementedError

    def command(self, name: str, /, **arguments: Any) -> None:
        """Do what `runtime.command.commands` knows under this name."""
        raise NotImplementedError

    def close(self) -> None:
        """Wait until nothing of it is left."""
        raise NotImplementedError

    def abandon(self) -> None:
        """It does not end: do not wait for it any longer."""
        raise NotImplementedError
