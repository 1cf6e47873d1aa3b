"""Exceptions that nobody caught: they go to the log and onto the screen, and unsaved work is copied at once."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional, Type

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from .dialogs.messages import show_error

logger = logging.getLogger(__name__)

LOG_FILE = "editor.log"
LOG_BYTES, LOG_FILES = 500_000, 3


class ErrorReports(QObject):
    """Takes over ``sys.excepthook`` and ``threading.excepthook`` until it is detached."""

    _raised = Signal(str, str)

    def __init__(self, log_folder: Path):
        super().__init__()
        self.log_file = log_folder / LOG_FILE
        self._window: Optional[QWidget] = None
        self._rescue: Callable[[], Any] = lambda: None
        self._box: Optional[QMessageBox] = None
        self._handler = self._open_log()
        self._hooks = (sys.excepthook, threading.excepthook)
        self._raised.connect(self._show, Qt.ConnectionType.QueuedConnection)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception

    def attach(self, window: QWidget, rescue: Callable[[], Any]) -> None:
        """Show errors over this window from now on.

        Args:
            window: The editor's window.
            rescue: Called at an error, to copy unsaved work.
        """
        self._window, self._rescue = window, rescue

    def detach(self) -> None:
        """Give the hooks back and close the log."""
        sys.excepthook, threading.excepthook = self._hooks
        self._window, self._rescue = None, lambda: None
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()

    def _open_log(self) -> Optional[logging.Handler]:
        try:
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            handler = RotatingFileHandler(self.log_file, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
        except OSError as error:
            logger.warning("no log is written: %s", error)
            return None
        handler.setLevel(logging.WARNING)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(handler)
        return handler

    def _on_exception(self, kind: Type[BaseException], error: BaseException, trace: Optional[TracebackType]) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._hooks[0](kind, error, trace)
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        logger.error("uncaught exception\n%s", text)
        self._raised.emit(f"{kind.__name__}: {error}", text)

    def _on_thread_exception(self, failure: Any) -> None:
        if failure.exc_type is not SystemExit:
            self._on_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)

    def _show(self, summary: str, details: str) -> None:
        """One dialog at a time: an error in painting comes again with every frame."""
        if self._window is None or self._box is not None:
            return
        self._rescue()
        where = f"\n\nThe details are in {self.log_file}" if self._handler is not None else ""
        reason = f"{summary}\n\nYour unsaved work was copied and is offered again after a crash.{where}"
        self._box = show_error(self._window, "Something went wrong inside DNNE.", reason, details)
        self._box.finished.connect(self._closed)

    def _closed(self, _: int) -> None:
        self._box = None
