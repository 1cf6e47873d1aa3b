"""Where a run takes place: one interface for a thread, a process, and a run that somebody else started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from .mailbox import Mailbox


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
