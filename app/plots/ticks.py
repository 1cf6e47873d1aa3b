"""Axes whose ticks people can read: 200k steps, 1:30 of time, 10⁻³."""

from __future__ import annotations

import math
from typing import List, Sequence, Tuple

import pyqtgraph as pg

from .labels import duration_text
from .metric_table import TIME

_MOST_DECIMALS = 9
_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def count_texts(values: Sequence[float], spacing: float) -> List[str]:
    """Counts with one SI prefix for all ticks: 0, 200k, 400k."""
    largest = max((abs(value) for value in values), default=0.0)
    scale, prefix = next(((scale, prefix) for scale, prefix in _SCALES if largest >= scale), (1.0, ""))
    step = spacing / scale
    exact = (digits for digits in range(_MOST_DECIMALS) if abs(round(step, digits) - step) < 1e-3 * step)
    decimals = next(exact, _MOST_DECIMALS)
    return ["0" if value == 0 else f"{value / scale:.{decimals}f}{prefix}" for value in values]


class RunAxis(pg.AxisItem):
    """The x axis: steps, iterations or time."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.kind = ""
        self.enableAutoSIPrefix(False)

    def tickSpacing(self, low: float, high: float, size: float) -> List[Tuple[float, float]]:  # noqa: N802
        """Distances of ticks; no fractions of a step, and no minor ticks, which would only be noise."""
        spacing = _nice_spacing(max(high - low, 1e-9) / max(size / 90, 1), self.kind == TIME)
        return [(spacing, 0)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> List[str]:  # noqa: N802
        """Texts of the ticks."""
        if self.kind == TIME:
            return [duration_text(value) for value in values]
        return count_texts(values, spacing)


class ValueAxis(pg.AxisItem):
    """The y axis, of a width that does not jump about while values grow."""

    def __init__(self) -> None:
        super().__init__("left")
        self.setWidth(46)
        self.enableAutoSIPrefix(False)

    def tickSpacing(self, low: float, high: float, size: float) -> List[Tuple[float, float]]:  # noqa: N802
        """Few ticks; on a logarithmic scale those of pyqtgraph."""
        if self.logMode:
            return list(super().tickSpacing(low, high, size))
        return [(_nice_spacing(max(high - low, 1e-12) / max(size / 24, 1), False, 0.0), 0)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> List[str]:  # noqa: N802
        """Texts of the ticks."""
        if self.logMode:
            return list(super().tickStrings(values, scale, spacing))
        largest = max((abs(value) for value in values), default=0.0)
        if 0.0 < largest < 1e-3:
            digits = max(_floor_log10(largest) - _floor_log10(spacing) + 1, 1)
            return [f"{value:.{digits}g}" for value in values]
        return count_texts(values, spacing)


def _nice_spacing(room: float, is_time: bool, least: float = 1.0) -> float:
    """The least round distance that is not below ``room``: 1, 2 or 5 times a power of ten, or parts of an hour."""
    if is_time and room > 1:
        return float(next((s for s in (2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800) if s >= room), _hours(room)))
    power = 10.0 ** _floor_log10(room)
    spacing = next((factor * power for factor in (1, 2, 5, 10) if factor * power >= room * 0.999), 10 * power)
    return spacing if is_time else max(spacing, least)


def _hours(room: float) -> float:
    return 3600.0 * _nice_spacing(room / 3600.0, False)


def _floor_log10(value: float) -> int:
    return math.floor(math.log10(value))
