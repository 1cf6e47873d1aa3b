"""What a person sees of `OnPolicyRunner.learn`."""

from __future__ import annotations

from typing import Mapping, Optional

from ..atomic import PathLike
from ..events import Event, Failed, LogMessage
from ..recording.progress import ProgressDisplay


class LearnProgress:
    """A sink that shows each `learn` on standard error.

    Args:
        verbose: 0 for nothing, 1 for a progress line and a summary with the run's folder, 2 also for details.
    """

    def __init__(self, verbose: int):
        self.verbose = verbose
        self._display: Optional[ProgressDisplay] = None

    @property
    def is_shown(self) -> bool:
        """Whether a `learn` goes on that is shown."""
        return self._display is not None

    def begin(self, total_steps: int) -> None:
        """A `learn` begins that ends at so many steps, counted from the run's beginning."""
        if self.verbose:
            self._display = ProgressDisplay(total_steps=total_steps, verbose=self.verbose > 1)

    def __call__(self, event: Event) -> None:
        """Show one event; messages come by `message`, and an error is raised by `learn`."""
        if self._display is None or isinstance(event, LogMessage):
            return
        if isinstance(event, Failed):
            self._display.close()
        else:
            self._display(event)

    def message(self, event: LogMessage) -> None:
        """Show a message above the progress line."""
        if self._display is not None:
            self._display(event)

    def end(self, places: Optional[Mapping[str, PathLike]] = None) -> None:
        """The `learn` has ended: with a summary where ``places`` are given."""
        display, self._display = self._display, None
        if display is not None and places is not None:
            display.summarise(places)
        elif display is not None:
            display.close()
