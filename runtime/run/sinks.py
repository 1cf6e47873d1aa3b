"""The sinks of a run: every one hears every event, and an error of one is told from an error of a node."""

from __future__ import annotations

import contextlib
from typing import Optional, Sequence

from ..errors import NodeFailure
from ..events import Event, EventBus, Sink


class Sinks(EventBus):
    """Passes each event to every sink, even where one raises.

    Attributes:
        error: The first error of a sink; it ends the run.
    """

    def __init__(self, sinks: Sequence[Sink]):
        super().__init__(list(sinks))
        self.error: Optional[BaseException] = None

    def __call__(self, event: Event) -> None:
        try:
            with contextlib.ExitStack() as stack:
                for sink in reversed(self.sinks):
                    stack.callback(sink, event)
        except BaseException as error:
            self.error = self.error or error
            raise

    def acquit(self, error: BaseException) -> BaseException:
        """The error itself; where a node was running when a sink raised, the sink's error, for the node is innocent."""
        innocent = isinstance(error, NodeFailure) and error.__cause__ is self.error
        return self.error if innocent and self.error is not None else error
