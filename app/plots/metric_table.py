"""The metrics of one run in numpy columns that grow while it goes on, up to a bound."""

from __future__ import annotations

import math
from copy import copy, deepcopy
from typing import Collection, Dict, Mapping, Sequence, Tuple, Union

import numpy as np

from .column import Column
from .curve import PAIR, Curve

STEPS, ITERATIONS, TIME = "steps", "iterations", "time"
AXES = (STEPS, ITERATIONS, TIME)
ELAPSED = "time/elapsed_seconds"
STEP_COLUMN, ITERATION_COLUMN = "step", "iteration"
"""Names in ``metrics.csv`` of what are axes here."""

MOST_ROWS = 100_000
LEAST_GROUP = 4

Columns = Mapping[str, Union[np.ndarray, Sequence[float]]]


class MetricTable:
    """One row per iteration. A resumed run goes on in the same table: its clock goes on too.

    A table of ``most`` rows is thinned: its older rows are put into groups, and of each group two rows stay, that of
    the least values and that of the greatest ones, with the positions of the first and the last row. Where there are
    many groups, every two become one. So all groups are equally large, no extreme gets lost, and at least the newest
    quarter of the rows is exact.

    Attributes:
        curves: By name of the metric.
        groups: How many there are; they take the first rows, two each.
        group_size: Rows that a group stands for.
    """

    def __init__(self, most: int = MOST_ROWS) -> None:
        self.curves: Dict[str, Curve] = {}
        self.groups, self.group_size = 0, LEAST_GROUP
        self._most = most
        self._axes = {STEPS: Column(), ITERATIONS: Column(), TIME: Column()}
        self._clock_offset = self._last_clock = 0.0

    def __len__(self) -> int:
        return len(self._axes[STEPS])

    @property
    def thinned(self) -> int:
        """How many of the first rows are extremes of groups."""
        return PAIR * self.groups

    def axis(self, name: str) -> np.ndarray:
        """Environment steps, iterations, or seconds of the run, by row; never falling. Shape: (rows,)."""
        return self._axes[name].values

    def append(self, step: int, iteration: int, time: float, values: Mapping[str, float]) -> None:
        """Add the metrics of an iteration; rows at or past it are dropped, for a resumed run does them anew.

        What comes of the same moment once more is a part of the same row: a reader of files may meet it in two halves.
        """
        if len(self) and (iteration, time) == (self._axes[ITERATIONS].values[-1], self._last_clock):
            row = len(self) - 1
            self._report(row, {name: value for name, value in values.items() if self._curve(name).last_row < row})
            return
        self._drop_from(iteration)
        row = len(self)
        last = float(self._axes[TIME].values[-1]) if row else 0.0
        if row == 0 or time + self._clock_offset < last:
            self._clock_offset = last
        self._last_clock = time
        for name, value in ((STEPS, step), (ITERATIONS, iteration), (TIME, time + self._clock_offset)):
            self._axes[name].append(value)
        self._report(row, values)
        self._thin()

    def _report(self, row: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            curve = self._curve(name)
            if math.isfinite(value):
                curve.append(row, value)
            else:
                curve.not_finite += 1

    def _curve(self, name: str) -> Curve:
        curve = self.curves.get(name)
        if curve is None:
            curve = self.curves[name] = Curve()
        return curve

    def _drop_from(self, iteration: int) -> None:
        iterations = self._axes[ITERATIONS].values
        if not len(iterations) or iterations[-1] < iteration:
            return
        rows = int(np.searchsorted(iterations, iteration))
        if rows < self.thinned:
            rows -= rows % PAIR
            self.groups = rows // PAIR
            self.group_size = self.group_size if self.groups else LEAST_GROUP
        for column in self._axes.values():
            column.cut(rows)
        for curve in self.curves.values():
            curve.cut(rows)

    def points(self, name: str, axis: str) -> Tuple[np.ndarray, np.ndarray]:
        """Positions on an axis and values of a metric, as views where it was reported in every row. Shapes: (n,)."""
        curve = self.curves.get(name)
        if curve is None:
            return np.empty(0), np.empty(0)
        positions = self.axis(axis)
        if len(curve) != len(positions):
            positions = positions[curve.rows]
        return positions, curve.values.values

    def copy(self, names: Collection[str]) -> MetricTable:
        """The table as it is now, with these metrics alone, for another thread."""
        table = copy(self)
        table._axes = deepcopy(self._axes)
        table.curves = {name: deepcopy(curve) for name, curve in self.curves.items() if name in names}
        return table

    # Many rows at once

    @classmethod
    def from_columns(cls, columns: Columns) -> MetricTable:
        """The table of columns as `extend` takes them."""
        table = cls()
        table.extend(columns)
        return table

    def extend(self, columns: Columns) -> None:
        """Add rows of a ``metrics.csv``, after all others; NaN says that a metric was not reported.

        Args:
            columns: By name, all of the same length, with ``step`` and ``iteration``. Without a clock, time is 0.
        """
        arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
        start, rows = 0, len(arrays.get(STEP_COLUMN, ()))
        while start < rows:
            end = start + max(self._most - len(self), LEAST_GROUP)
            self._extend({name: values[start:end] for name, values in arrays.items()})
            self._thin()
            start = end

    def _extend(self, columns: Mapping[str, np.ndarray]) -> None:
        first, steps = len(self), columns[STEP_COLUMN]
        self._axes[STEPS].extend(steps)
        self._axes[ITERATIONS].extend(columns[ITERATION_COLUMN])
        self._axes[TIME].extend(self._going_on(columns.get(ELAPSED, np.zeros(len(steps)))))
        for name, values in columns.items():
            if name not in (STEP_COLUMN, ITERATION_COLUMN):
                curve, is_finite = self._curve(name), np.isfinite(values)
                curve.extend(first + np.flatnonzero(is_finite), values[is_finite])
                curve.not_finite += int(np.isinf(values).sum())

    def _going_on(self, clock: np.ndarray) -> np.ndarray:
        """Seconds that go on where the clock of a resumed run began anew."""
        clock = np.nan_to_num(clock)
        before = np.concatenate([[self._last_clock], clock[:-1]])
        offsets = self._clock_offset + np.cumsum(np.where(clock < before, before, 0.0))
        self._last_clock, self._clock_offset = float(clock[-1]), float(offsets[-1])
        return clock + offsets

    # Thinning

    def _thin(self) -> None:
        while len(self) >= self._most:
            if self.groups % 2 == 0 and self.thinned > self._most * 3 // 8:
                self._join_groups()
            elif not self._make_groups():
                return

    def _make_groups(self) -> bool:
        """Of the older half of the exact rows; false where they are too few. The number of groups is even then."""
        start, size = self.thinned, self.group_size
        half = (len(self) - start) // 2 // size
        groups = max(half - (self.groups + half) % 2, 2 - self.groups % 2)
        end = start + groups * size
        if end > len(self):
            return False
        for column in self._axes.values():
            values = column.values
            column.replace(np.concatenate([values[:start], _ends(values[start:end], size), values[end:]]))
        for curve in self.curves.values():
            curve.thin(start, groups, size)
        self.groups += groups
        return True

    def _join_groups(self) -> None:
        end = self.thinned
        for column in self._axes.values():
            column.replace(np.concatenate([_ends(column.values[:end], 2 * PAIR), column.values[end:]]))
        for curve in self.curves.values():
            curve.join(self.groups)
        self.groups //= 2
        self.group_size *= 2


def _ends(values: np.ndarray, size: int) -> np.ndarray:
    """The first and the last of every ``size`` values. Shape: (groups·size,) -> (2·groups,)."""
    return values.reshape(-1, size)[:, [0, -1]].ravel()
