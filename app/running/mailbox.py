"""Carries events from the thread of an engine to the window, which empties it with every frame."""

from __future__ import annotations

import threading
from typing import Dict, Hashable, List, Optional

from runtime.events import Event, LiveStatistics, NodeStatistics, ProbeSample, ViewerFrame


class Mailbox:
    """Events in order; of those that only say how the run stands right now, the newest one per thing is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
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

    def take(self) -> List[Event]:
        """All events since the last call, oldest first."""
        with self._lock:
            if not self._events:
                return []
            taken, self._events, self._places = self._events, [], {}
        return [event for event in taken if event is not None]


def _moment_key(event: Event) -> Optional[Hashable]:
    """Equal for events of which only the newest one matters; ``None`` where every one does."""
    if isinstance(event, NodeStatistics):
        return LiveStatistics
    if isinstance(event, ProbeSample):
        return (event.node_id, event.port)
    return event.node_id if isinstance(event, ViewerFrame) else None
