"""The recorders of a resumed run."""

from __future__ import annotations

from typing import Callable, List, Optional

from ..events import Event, RunStarted
from ..recording import Recorders


class LateRecorders:
    """A sink that opens the recorders when the run has started, for opening them drops what they hold past its state.

    What does not start, because the saved state does not fit, leaves the run's files as they are.

    Args:
        open_recorders: Called at the start.
    """

    def __init__(self, open_recorders: Callable[[], Recorders]):
        self._open = open_recorders
        self._earlier: List[Event] = []
        self._recorders: Optional[Recorders] = None

    def __call__(self, event: Event) -> None:
        if self._recorders is None and isinstance(event, RunStarted):
            self._recorders = self._open()
            for earlier in self._earlier:
                self._recorders(earlier)
        if self._recorders is None:
            self._earlier.append(event)
        else:
            self._recorders(event)

    def close(self) -> None:
        """Close the files, where they were opened."""
        if self._recorders is not None:
            self._recorders.close()
