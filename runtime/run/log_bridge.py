"""Brings what our modules write to `logging` into the run's events, so that every host shows it."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import Iterator, List

from ..context import RunContext

PACKAGE = __name__.split(".")[0]


LOCK = threading.Lock()


class _EventHandler(logging.Handler):
    def __init__(self, context: RunContext, level_before: int):
        super().__init__()
        self.context = context
        self.thread = threading.get_ident()
        self.level_before = level_before
        self.setLevel(logging.DEBUG if context.verbose else logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        if threading.get_ident() == self.thread:
            level = "debug" if record.levelno < logging.INFO else record.levelname.lower()
            self.context.log(record.getMessage(), level)


@contextmanager
def forward_logging(context: RunContext) -> Iterator[None]:
    """While a run lasts, send this package's log records of this thread to its hosts.

    Runs in several threads may overlap in any order; after the last one the logger has the level it had before the
    first.
    """
    logger = logging.getLogger(PACKAGE)
    with LOCK:
        running = _handlers(logger)
        handler = _EventHandler(context, running[0].level_before if running else logger.level)
        logger.addHandler(handler)
        logger.setLevel(min(each.level for each in _handlers(logger)))
    try:
        yield
    finally:
        with LOCK:
            logger.removeHandler(handler)
            running = _handlers(logger)
            logger.setLevel(min(each.level for each in running) if running else handler.level_before)


def _handlers(logger: logging.Logger) -> List[_EventHandler]:
    return [handler for handler in logger.handlers if isinstance(handler, _EventHandler)]
