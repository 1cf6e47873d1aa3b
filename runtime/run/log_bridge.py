"""Brings what our modules write to `logging` into the run's events, so that every host shows it."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import Iterator

from ..context import RunContext

PACKAGE = __name__.split(".")[0]


class _EventHandler(logging.Handler):
    def __init__(self, context: RunContext):
        super().__init__()
        self.context = context
        self.thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if threading.get_ident() == self.thread:
            level = "debug" if record.levelno < logging.INFO else record.levelname.lower()
            self.context.log(record.getMessage(), level)


@contextmanager
def forward_logging(context: RunContext) -> Iterator[None]:
    """While a run lasts, send this package's log records of this thread to its hosts."""
    logger = logging.getLogger(PACKAGE)
    handler = _EventHandler(context)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if context.verbose else logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
