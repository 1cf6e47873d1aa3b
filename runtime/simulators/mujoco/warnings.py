"""MuJoCo's warnings as messages of the log."""

import logging
from typing import Any, Set

logger = logging.getLogger(__name__)

SHOWN_WARNINGS = 5


def log_warnings(mujoco: Any, task: str, repeat: bool = True) -> None:
    """Take MuJoCo's warnings in this process to the log; it would write a file into the working folder.

    Args:
        mujoco: The module.
        task: Named in the messages.
        repeat: Whether a text that has been logged is logged again.
    """
    mujoco.set_mju_user_warning(_Warnings(task, repeat).log)


class _Warnings:
    def __init__(self, task: str, repeat: bool):
        self.task = task
        self.repeat = repeat
        self.count = 0
        self.texts: Set[str] = set()

    def log(self, text: str) -> None:
        """One warning, from any thread."""
        if text in self.texts and not self.repeat:
            return
        self.texts.add(text)
        self.count += 1
        if self.count <= SHOWN_WARNINGS:
            more = "" if self.count < SHOWN_WARNINGS else " Further warnings are not shown."
            logger.warning("%s: MuJoCo: %s%s", self.task, text.strip(), more)
