"""The switches of a running engine; safe to use from any thread."""

from __future__ import annotations

import threading
from typing import Any, List, Optional, Tuple

from .watch import Watch

CYCLE, FIRING = "cycle", "firing"


class RunControl:
    """Pause, resume, single step, stop and live edits of one run.

    The engine looks at it at every safe point; a host calls it from whatever thread it lives in.

    Attributes:
        watch: What the host wants to see.
        has_edits: Whether edits wait for the next safe point.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edits: List[Tuple[str, str, Any]] = []
        self._step: Optional[str] = None
        self.has_edits = False
        self.paused = False
        self.stop_reason: Optional[str] = None
        self.watch = Watch()

    def pause(self) -> None:
        """Hold at the next safe point."""
        self.paused = True

    def resume(self) -> None:
        """Go on after a pause."""
        self._step = None
        self.paused = False

    def step(self, size: str = CYCLE) -> None:
        """While paused, go on to the next safe point (``cycle``) or do a single firing (``firing``), then hold.

        Raises:
            ValueError: ``size`` is neither.
        """
        if size not in (CYCLE, FIRING):
            raise ValueError(f"step size {size!r}; expected {CYCLE!r} or {FIRING!r}")
        self._step = size
        self.paused = True

    def stop(self, reason: str) -> None:
        """End the run at the next safe point; the first reason counts. Takes no lock: signal handlers call it."""
        if self.stop_reason is None:
            self.stop_reason = reason

    def edit(self, node_id: str, name: str, value: Any) -> None:
        """Change a live parameter at the next safe point."""
        with self._lock:
            self._edits.append((node_id, name, value))
            self.has_edits = True

    def take_edits(self) -> List[Tuple[str, str, Any]]:
        """The edits since the last call (engine only)."""
        with self._lock:
            edits, self._edits, self.has_edits = self._edits, [], False
            return edits

    def take_step(self) -> Optional[str]:
        """The requested single step, once (engine only)."""
        size, self._step = self._step, None
        return size
