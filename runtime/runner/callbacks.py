"""A program's own functions, called while a training runs."""

from __future__ import annotations

import logging
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional

from ..errors import ParameterError
from ..suggest import did_you_mean

PRE_ITERATION, PRE_ROLLOUT, POST_ROLLOUT = "pre_iteration", "pre_rollout", "post_rollout"
PRE_UPDATE, POST_UPDATE, POST_ITERATION = "pre_update", "post_update", "post_iteration"
EVENTS = (PRE_ITERATION, PRE_ROLLOUT, POST_ROLLOUT, PRE_UPDATE, POST_UPDATE, POST_ITERATION)
"""In the order in which they come in an iteration."""
PHASES = (POST_ROLLOUT, PRE_UPDATE, POST_UPDATE)
"""What the node that trains tells."""

logger = logging.getLogger(__name__)


class Callback(NamedTuple):
    """A function; an optional one may raise without ending the run."""

    function: Callable[..., Any]
    optional: bool

    @property
    def name(self) -> str:
        """For messages."""
        return getattr(self.function, "__name__", repr(self.function))


class Callbacks:
    """Functions by event, in the order in which they were added.

    Args:
        runner: What they are called with.

    Attributes:
        error: What a function raised that was not optional; it ends the run.
    """

    def __init__(self, runner: Any):
        self._runner = runner
        self._functions: Dict[str, List[Callback]] = {event: [] for event in EVENTS}
        self.error: Optional[BaseException] = None

    def add(self, event: str, function: Callable[..., Any], optional: bool) -> None:
        """Call a function at an event from now on.

        Raises:
            ParameterError: there is no such event, or this is no function.
        """
        if event not in self._functions:
            known = ", ".join(EVENTS)
            raise ParameterError(f"there is no event {event!r}{did_you_mean(event, EVENTS)}; there are {known}")
        if not callable(function):
            raise ParameterError(f"the callback for {event} is {function!r}; expected a function")
        self._functions[event].append(Callback(function, optional))

    @property
    def hear_phases(self) -> bool:
        """Whether the node that trains has anything to tell."""
        return any(self._functions[event] for event in PHASES)

    def begin_iteration(self) -> None:
        """``pre_iteration``, then ``pre_rollout``."""
        self.call(PRE_ITERATION)
        self.call(PRE_ROLLOUT)

    def call(self, event: str, stats: Optional[Mapping[str, float]] = None) -> None:
        """Call the functions of an event: ``f(runner)`` before something, ``f(runner, stats)`` after it."""
        for callback in tuple(self._functions[event]):
            arguments = [self._runner] if event.startswith("pre_") else [self._runner, dict(stats or {})]
            try:
                callback.function(*arguments)
            except Exception as error:
                text = f"the {event} callback {callback.name} raised {type(error).__name__}: {error}"
                if not callback.optional:
                    logger.error("%s", text)
                    self.error = error
                    raise
                logger.warning("%s; it is optional, so the run goes on", text)
