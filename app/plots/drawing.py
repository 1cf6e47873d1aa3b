"""What a plot draws: curves of runs, reduced to the pixels of the plot."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from .labels import curve_names
from .metric_table import MetricTable
from .reduction import reduce_min_max, visible_range
from .smoothing import Smoothed

Points = Tuple[np.ndarray, np.ndarray]
Ends = Tuple[float, float]
_ROOM, _STEPS_OF_VALUES = 0.05, 16
_FAR = 1e300


@dataclass
class RunCurves:
    """The metrics of one run, with what its legend says.

    Attributes:
        name: Of its folder, or "This run".
        table: Its metrics.
        differences: What differs from the other runs, in words.
        colour: Place in the list of colours.
    """

    name: str
    table: MetricTable = field(default_factory=MetricTable)
    differences: str = ""
    colour: int = 0
    _smoothed: Dict[str, Smoothed] = field(default_factory=dict)

    def smoothed(self, metric: str, weight: float) -> np.ndarray:
        """Smoothed values of a metric. Shape: (n,)."""
        kept = self._smoothed.get(metric)
        if kept is None or kept.weight != weight:
            kept = self._smoothed[metric] = Smoothed(weight)
        return kept.of(self.table.curves[metric])


@dataclass(frozen=True)
class DrawnCurve:
    """One curve of one plot.

    Attributes:
        name: What the read-out calls it; empty for the only one.
        colour: Place in the list of colours.
        is_faint: Drawn in a lighter colour: of an earlier run among several metrics.
        raw: Reduced positions and values.
        smooth: Likewise, smoothed; ``None`` without smoothing.
        at_cursor: Value at the cursor, else the last one, smoothed where the curve is; ``None`` where there is none.
        measured_at_cursor: Likewise, never smoothed.
    """

    name: str
    colour: int
    is_faint: bool
    raw: Points
    smooth: Optional[Points]
    at_cursor: Optional[float]
    measured_at_cursor: Optional[float]


@dataclass(frozen=True)
class View:
    """How curves are looked at; positions are those of ``axis``."""

    axis: str
    low: float
    high: float
    smoothing: float
    pixels: int
    logarithmic: bool = False
    cursor: Optional[float] = None


def drawn_curves(plot: str, runs: Sequence[RunCurves], view: View) -> List[DrawnCurve]:
    """The curves of a plot: one for each run, or for plots of several metrics, one for each metric and run."""
    metrics = curve_names(plot, {name: None for run in runs for name in run.table.curves})
    found = []
    for number, run in enumerate(runs):
        for place, metric in enumerate(metrics):
            if not run.table.curves.get(metric):
                continue
            is_family = len(metrics) > 1
            name = metric.rpartition("/")[2].replace("reward_", "").replace("_", " ") if is_family else run.name
            colour = place if is_family else run.colour
            found.append(_drawn(run, metric, view, name, colour, is_family and number > 0))
    return found


def _drawn(run: RunCurves, metric: str, view: View, name: str, colour: int, is_faint: bool) -> DrawnCurve:
    positions, values = run.table.points(metric, view.axis)
    first, last = visible_range(positions, view.low, view.high)
    smooth = run.smoothed(metric, view.smoothing) if view.smoothing > 0 and len(values) > 1 else None
    at = _index_at(positions, view.cursor)
    shown = values if smooth is None else smooth
    return DrawnCurve(
        name, colour, is_faint, _reduced(positions, values, first, last, view),
        None if smooth is None else _reduced(positions, smooth, first, last, view), float(shown[at]), float(values[at]),
    )  # fmt: skip


def _index_at(positions: np.ndarray, cursor: Optional[float]) -> int:
    """The last point that is not past the cursor."""
    if cursor is None:
        return len(positions) - 1
    return max(int(np.searchsorted(positions, cursor, side="right")) - 1, 0)


def _reduced(positions: np.ndarray, values: np.ndarray, first: int, last: int, view: View) -> Points:
    x, y = reduce_min_max(positions, values, first, last, max(view.pixels, 50))
    if not view.logarithmic:
        return x, y
    is_positive = y > 0
    return x[is_positive], np.log10(y[is_positive])


def value_range(curves: Sequence[DrawnCurve], low: float, high: float) -> Optional[Ends]:
    """Least and greatest value that is drawn in [low, high]; ``None`` where nothing is."""
    parts = [y[(x >= low) & (x <= high)] for curve in curves for x, y in (curve.raw, curve.smooth or curve.raw)]
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    return float(min(part.min() for part in parts)), float(max(part.max() for part in parts))


def steady_range(found: Optional[Ends]) -> Ends:
    """Ends of the y axis for these values: with some room, and round, so that they stay while values grow a little."""
    if found is None:
        return 0.0, 1.0
    least, greatest = (min(max(end, -_FAR), _FAR) for end in found)
    span = max((greatest - least) or abs(greatest) * 0.2 or 1.0, 1.0 / _FAR)
    step = 2.0 ** math.floor(math.log2(span)) / _STEPS_OF_VALUES
    room = _ROOM * span
    return math.floor((least - room) / step) * step, math.ceil((greatest + room) / step) * step
