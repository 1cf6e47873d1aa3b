"""Offers unsaved work of an editor that crashed."""

from __future__ import annotations

import time
from typing import Callable, Sequence

from PySide6.QtWidgets import QMessageBox, QWidget

from ..files.autosave import LostWork
from .messages import ACCEPT, DESTRUCTIVE, REJECT, ask


def offer_recovery(parent: QWidget, lost: Sequence[LostWork], recover: Callable[[LostWork], None]) -> QMessageBox:
    """Ask about the newest piece of lost work; the next one is offered at the next start, or after a discard."""
    work = lost[0]
    when = time.strftime("%d %B %Y, %H:%M", time.localtime(work.saved_at))
    place = f"It was last saved at {work.path}." if work.path is not None else "It was never saved."
    more = f"\n{len(lost) - 1} more will be offered later." if len(lost) > 1 else ""

    def discard() -> None:
        work.remove()
        if len(lost) > 1:
            offer_recovery(parent, lost[1:], recover)

    return ask(
        parent,
        "recoveryDialog",
        f"Recover unsaved changes to {work.title}?",
        f"DNNE ended without saving them. The copy is from {when}. {place}{more}",
        [("&Recover", ACCEPT, lambda: recover(work)), ("&Discard", DESTRUCTIVE, discard), ("&Later", REJECT, None)],
    )
