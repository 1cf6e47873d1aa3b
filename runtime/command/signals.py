"""Ctrl-C, SIGTERM and SIGUSR1: the first ends the run in order, the second at once.

SIGUSR1 is Slurm's warning before a time limit. Slurm sends SIGTERM after it: that one does not cut the saving short.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import Any, Dict, Iterator

from ..scheduler.control import RunControl

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 138}
NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGUSR1: "SIGUSR1"}


class SignalState:
    """Which signal, if any, has asked for the end of the run."""

    def __init__(self) -> None:
        self.received = 0

    @property
    def exit_code(self) -> int:
        """130, 138 or 143 after a signal, else 0."""
        return EXIT_CODES[signal.Signals(self.received)] if self.received else 0


@contextmanager
def stop_on_signals(control: RunControl) -> Iterator[SignalState]:
    """While the context lasts, let signals stop the run.

    Outside the main thread nothing is installed; a signal that the process was started to ignore (``nohup``, a job in a
    script's background) stays ignored.
    """
    state = SignalState()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return

    def handle(number: int, frame: Any) -> None:
        if number == signal.SIGUSR1 and state.received:
            return
        if state.received not in (0, signal.SIGUSR1):
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        state.received = number
        name = NAMES[signal.Signals(number)]
        control.stop(f"stopped by {name}")
        _say(f"\n{name}: finishing the step and saving; again to end at once\n")

    heard = [number for number in EXIT_CODES if signal.getsignal(number) != signal.SIG_IGN]
    before: Dict[int, Any] = {number: signal.signal(number, handle) for number in heard}
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    """Write past Python's buffers, which the interrupted code may be using."""
    with suppress(OSError):  # nobody reads standard error any more: there is nobody to tell
        os.write(2, text.encode())
