"""When a checkpoint is due: every n iterations, every so often, or at a new best value of a metric."""

import logging
import math
import re
from typing import Any, Callable, Dict, Mapping, Optional, Union

from ..duration import GRAMMAR, format_duration, parse_duration
from ..errors import CheckpointError, DurationError
from ..suggest import did_you_mean

logger = logging.getLogger(__name__)

Value = Union[str, int, float]

MODES = ("max", "min")
DEFAULT_METRIC = "episode/mean_reward"

_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
_PATIENCE = 100


class BestMetric:
    """Tells when a metric reaches a new best value. NaN and infinity never count."""

    def __init__(self, mode: str, metric: str = DEFAULT_METRIC) -> None:
        """Watch ``metric``; ``mode`` is ``"max"`` or ``"min"``.

        Raises:
            CheckpointError: the mode is neither, or the metric has no name.
        """
        if mode not in MODES or not metric:
            raise CheckpointError(
                f"{mode}:{metric} names no metric to watch; expected max, min, max:METRIC or min:METRIC, for example "
                f"max:{DEFAULT_METRIC}{did_you_mean(mode, MODES)}"
            )
        self.mode = mode
        self.metric = metric
        self.best: Optional[float] = None
        self._unseen = 0

    def update(self, metrics: Mapping[str, float]) -> bool:
        """Take the current metrics; return whether the watched one is better than ever before."""
        value = metrics.get(self.metric)
        if value is None:
            self._count_unseen(metrics)
            return False
        self._unseen = 0
        if not math.isfinite(value) or not self._is_better(value):
            return False
        self.best = float(value)
        return True

    def state_dict(self) -> Dict[str, Any]:
        """Return the best value so far."""
        return {"best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved best value."""
        self.best = state["best"]

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return True
        return value > self.best if self.mode == "max" else value < self.best

    def _count_unseen(self, metrics: Mapping[str, float]) -> None:
        self._unseen += 1
        if self._unseen == _PATIENCE:
            hint = did_you_mean(self.metric, metrics)
            logger.warning("no checkpoint yet: the metric %r was missing %d times%s", self.metric, _PATIENCE, hint)


class CheckpointTrigger:
    """Decides when a node's checkpoint is due.

    ==============  =========================================================================================
    type            value
    ==============  =========================================================================================
    ``epoch``       n: every n iterations, n whole and positive
    ``time``        every so often: a duration such as ``10m`` or ``1h30m``, or a positive number of seconds
    ``best_metric`` ``max`` or ``min`` of ``episode/mean_reward``, or ``max:METRIC`` or ``min:METRIC``
    ==============  =========================================================================================
    """

    def __init__(self, type: str, value: Value) -> None:
        """Check and keep type and value.

        Raises:
            CheckpointError: the type is unknown or the value is not one of this type; says what would be right.
        """
        if type not in TRIGGER_TYPES:
            raise CheckpointError(
                f"unknown checkpoint trigger {type!r}; expected one of {', '.join(TRIGGER_TYPES)}"
                f"{did_you_mean(str(type), TRIGGER_TYPES)}"
            )
        self.type = type
        self._rule = _RULES[type](value)

    def start(self, now: float) -> None:
        """Start the clock of a ``time`` trigger when the run begins; without it the first :meth:`due` does."""
        self._rule.start(now)

    def due(self, iteration: int, metrics: Mapping[str, float], now: float) -> Optional[str]:
        """Return why a checkpoint is due, or None. Asked once per iteration; a reason is given once.

        Args:
            iteration: Finished iterations, from the run's beginning.
            metrics: The current metrics by name.
            now: The time of a monotonic clock, in seconds.
        """
        return self._rule.due(iteration, metrics, now)

    def state_dict(self) -> Dict[str, Any]:
        """Return what must survive a stop: the last iteration seen, the seconds since the last save, the best value."""
        return {"type": self.type, **self._rule.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state; one of another type of trigger is left aside with a warning."""
        if state["type"] != self.type:
            logger.warning("the checkpoint trigger was %s and is now %s: it starts anew", state["type"], self.type)
            return
        self._rule.load_state_dict(state)


class _Rule:
    """One way to decide; a rule without a clock ignores its start."""

    def start(self, now: float) -> None:
        """Start the clock."""

    def due(self, iteration: int, metrics: Mapping[str, float], now: float) -> Optional[str]:
        raise NotImplementedError

    def state_dict(self) -> Dict[str, Any]:
        raise NotImplementedError

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError


class _EpochRule(_Rule):
    def __init__(self, value: Value) -> None:
        is_number = type(value) is int or (isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value))
        if not is_number or int(value) < 1:
            raise _wrong("epoch", value, "a whole number of iterations, 1 or more")
        self._every = int(value)
        self._last_iteration = 0

    def due(self, iteration: int, metrics: Mapping[str, float], now: float) -> Optional[str]:
        is_due = iteration // self._every > self._last_iteration // self._every
        self._last_iteration = iteration
        return f"epoch: iteration {iteration}, every {self._every}" if is_due else None

    def state_dict(self) -> Dict[str, Any]:
        return {"last_iteration": self._last_iteration}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._last_iteration = state["last_iteration"]


class _TimeRule(_Rule):
    def __init__(self, value: Value) -> None:
        self._period = _parse_period(value)
        self._text = format_duration(self._period) if self._period.is_integer() else f"{self._period:g} s"
        self._start: Optional[float] = None
        self._elapsed = 0.0

    def start(self, now: float) -> None:
        if self._start is None:
            self._start = now - self._elapsed

    def due(self, iteration: int, metrics: Mapping[str, float], now: float) -> Optional[str]:
        if self._start is None:
            self._start = now - self._elapsed
        self._elapsed = now - self._start
        if self._elapsed < self._period:
            return None
        self._start, self._elapsed = now, 0.0
        return f"time: every {self._text}"

    def state_dict(self) -> Dict[str, Any]:
        return {"elapsed": self._elapsed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._start, self._elapsed = None, state["elapsed"]


class _BestRule(_Rule):
    def __init__(self, value: Value) -> None:
        mode, colon, metric = str(value).partition(":")
        if mode not in MODES or (colon and not metric):
            expected = f"max, min, max:METRIC or min:METRIC, for example max:{DEFAULT_METRIC}"
            raise _wrong("best_metric", value, expected)
        self._watched = BestMetric(mode, metric if colon else DEFAULT_METRIC)

    def due(self, iteration: int, metrics: Mapping[str, float], now: float) -> Optional[str]:
        watched, before = self._watched, self._watched.best
        if not watched.update(metrics):
            return None
        was = "the first value" if before is None else f"before {before:g}"
        return f"best_metric: {watched.mode} {watched.metric} {watched.best:g}, {was}"

    def state_dict(self) -> Dict[str, Any]:
        return {"watched": f"{self._watched.mode}:{self._watched.metric}", **self._watched.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        watched = f"{self._watched.mode}:{self._watched.metric}"
        if state["watched"] != watched:
            logger.warning(
                "the best metric was %s and is now %s: the best value starts anew", state["watched"], watched
            )
            return
        self._watched.load_state_dict(state)


_RULES: Dict[str, Callable[[Value], _Rule]] = {"epoch": _EpochRule, "time": _TimeRule, "best_metric": _BestRule}
TRIGGER_TYPES = tuple(_RULES)


def _wrong(type: str, value: Any, expected: str) -> CheckpointError:
    return CheckpointError(f"checkpoint trigger {type!r} has the value {value!r}; expected {expected}")


def _parse_period(value: Value) -> float:
    expected = f"a duration or a positive number of seconds; {GRAMMAR}"
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        try:
            return parse_duration(value)
        except DurationError as error:
            raise _wrong("time", value, expected) from error
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _wrong("time", value, expected)
    seconds = float(value)
    if not math.isfinite(seconds) or seconds <= 0:
        raise _wrong("time", value, expected)
    return seconds
