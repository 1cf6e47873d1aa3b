"""A run in a thread of the editor: the session of `dnne train`, with the window in the place of the terminal."""

from __future__ import annotations

import argparse
import contextlib
import logging
import threading
from typing import Any

from runtime.command.commands import perform
from runtime.command.host import Host
from runtime.command.session import Session, Source
from runtime.errors import DnneError

from .host import Outcome, RunHost, crashed
from .mailbox import Mailbox

logger = logging.getLogger(__name__)

PATIENCE = 30.0


class ThreadHost(RunHost):
    """Runs a session in a worker thread.

    Args:
        source: The workflow as it was when the run began.
        args: Parsed options.
        inference: Nothing is trained.
        mailbox: Gets the events.
    """

    def __init__(self, source: Source, args: argparse.Namespace, inference: bool, mailbox: Mailbox):
        super().__init__(mailbox)
        self._source, self._args, self._inference = source, args, inference
        self._is_abandoned = False
        self._host = Host(self.hear)
        self._thread = threading.Thread(target=self._run, name="dnne-run", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _run(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                session = Session(self._source, self._args, self._inference, False, stack, self._host)
                code = session.run()
            self.outcome = Outcome(code)
        except DnneError as error:
            self.outcome = Outcome(2, str(error))
        except BaseException as error:  # noqa: BLE001 - shown in the window, which goes on
            self.outcome = crashed(error)

    def command(self, name: str, /, **arguments: Any) -> None:
        """Set the run's switches; the engine looks at them at its next safe point."""
        perform(self._host.control, name, arguments)

    def abandon(self) -> None:
        """Leave the thread behind, which nothing can end; it ends with the editor."""
        self._is_abandoned = True

    def close(self) -> None:
        """Wait for the thread, but not for ever."""
        if not self._is_abandoned:
            self._thread.join(PATIENCE)
            if self._thread.is_alive():
                logger.error("the run did not end within %g s and is left behind", PATIENCE)
