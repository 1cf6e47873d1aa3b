"""Ctrl-C in the terminal and SIGTERM end the editor in order; Qt's loop alone would not notice them."""

from __future__ import annotations

import signal
import socket
from typing import Callable, List, Tuple

from PySide6.QtCore import QObject, QSocketNotifier

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class QuitOnSignal(QObject):
    """Calls back in Qt's loop when a signal comes.

    Attributes:
        exit_code: 128 and the signal's number; 0 before one came.
    """

    def __init__(self, stop: Callable[[], None], parent: QObject):
        super().__init__(parent)
        self._stop = stop
        self.exit_code = 0
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)
        self._wakeup = signal.set_wakeup_fd(self._write.fileno())
        self._handlers: List[Tuple[int, object]] = [(number, signal.signal(number, self._note)) for number in _SIGNALS]

    def _note(self, number: int, _: object) -> None:
        self.exit_code = 128 + number

    def _woken(self) -> None:
        self._read.recv(64)
        if self.exit_code:
            self._stop()

    def restore(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers:
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._read.close()
        self._write.close()
