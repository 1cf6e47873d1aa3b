"""Durations as people write them: 30s, 5m, 1h, 1h30m, 2h45m30s."""

import math
import re

from .errors import DurationError

GRAMMAR = (
    "a duration is whole numbers with the units h, m and s, in that order and each at most once, "
    "longer than zero: 30s, 5m, 1h, 1h30m, 2h45m30s"
)
MAX_HOURS = 100_000
MAX_SECONDS = MAX_HOURS * 3600

_PATTERN = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_MAX_LENGTH = 64


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as ``1h30m``.

    Raises:
        DurationError: the text does not follow the grammar, is zero, or is longer than ``MAX_HOURS``.
    """
    match = _PATTERN.fullmatch(text) if 0 < len(text) <= _MAX_LENGTH else None
    if match is None:
        raise DurationError(f"{text[:_MAX_LENGTH]!r} is not a duration; {GRAMMAR}")
    hours, minutes, seconds = (int(group or 0) for group in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total == 0:
        raise DurationError(f"{text!r} is no time at all; {GRAMMAR}")
    if total > MAX_SECONDS:
        raise DurationError(f"{text!r} is longer than {MAX_HOURS}h; {GRAMMAR}")
    return float(total)


def format_duration(seconds: float) -> str:
    """Return seconds, rounded to whole ones, in the grammar of :func:`parse_duration` (``0s`` for zero).

    Raises:
        DurationError: the number is negative, infinite or NaN.
    """
    if not math.isfinite(seconds) or seconds < 0:
        raise DurationError(f"{seconds!r} seconds cannot be written as a duration; it must be finite and not negative")
    minutes, rest = divmod(round(float(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{value}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if value]
    return "".join(parts) or "0s"
