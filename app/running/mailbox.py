"""Carries events from the thread of an engine to the window, and rings for it."""

from __future__ import annotations

import threading
from typing import Callable, Dict, Hashable, List, Optional

from runtime.events import Event, LiveStatistics, NodeStatistics, ProbeSample, ViewerFrame


class Mailbox:
    """Events in order; of those that only say how the run stands right now, the newest one per thing is kept.

    Args:
        ring: Called in the thread that puts an event, once until the next `take`; not for statistics, which can wait.
    """

    def __init__(self, ring: Callable[[], None] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._ring = ring
        self._has_rung = False
        self._events: List[Optional[Event]] = []
        self._places: Dict[Hashable, int] = {}

    def put(self, event: Event) -> None:
        """Add an event; from any thread."""
        key = _moment_key(event)
        with self._lock:
            if key is not None:
                place = self._places.get(key)
                if place is not None:
                    self._events[place] = None
                self._places[key] = len(self._events)
            self._events.append(event)
            rings = not self._has_rung and not isinstance(event, NodeStatistics)
            self._has_rung = self._has_rung or rings
        if rings:
            self._ring()

    def __len__(self) -> int:
        return len(self._events)

    def take(self, most: Optional[int] = None) -> List[Event]:
        """The events since the last call, oldest first; all of them, or so many at most."""
        with self._lock:
            self._has_rung = False
            if not self._events:
                return []
            count = len(self._events) if most is None else most
            taken, self._events = self._events[:count], self._events[count:]
            self._places = {key: at - len(taken) for key, at in self._places.items() if at >= len(taken)}
        return [event for event in taken if event is not None]


def _moment_key(event: Event) -> Optional[Hashable]:
    """Equal for events of which only the newest one matters; ``None`` where every one does."""
    if isinstance(event, NodeStatistics):
        return LiveStatistics
    if isinstance(event, ProbeSample):
        return (event.node_id, event.port)
    return event.node_id if isinstance(event, ViewerFrame) else None
