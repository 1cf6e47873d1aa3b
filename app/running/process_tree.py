"""Ends a process with all that it has started, which may lie in sessions of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Dict, List

_PARENT = 1
"""Place of the parent's id in ``/proc/PID/stat``, behind the name in parentheses and the state."""


def kill_tree(process: subprocess.Popen) -> None:
    """Kill a process and its descendants; it is halted first, so that it starts none meanwhile."""
    process.send_signal(signal.SIGSTOP)
    for pid in _descendants(process.pid):
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.kill(pid, signal.SIGKILL)
    process.kill()


def _descendants(pid: int) -> List[int]:
    """Ids of children and their children, as ``/proc`` tells them; none where there is no such folder."""
    children: Dict[int, List[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[_PARENT])
        except (OSError, IndexError):  # it has ended meanwhile
            continue
        children.setdefault(parent, []).append(int(entry.parent.name))
    found = [pid]
    for known in found:
        found += children.get(known, [])
    return found[1:]
