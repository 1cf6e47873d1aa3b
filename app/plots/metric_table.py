"""The metrics of one run in numpy columns that grow while it goes on."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

STEPS, ITERATIONS, TIME = "steps", "iterations", "time"
AXES = (STEPS, ITERATIONS, TIME)
ELAPSED = "time/elapsed_seconds"

_FIRST_SIZE = 256
_LARGE = 1 << 16


class Column:
    """A numpy array that grows by doubling, and a large one by a quarter."""

    def __init__(self, dtype: Any = np.float64):
        self._data = np.empty(_FIRST_SIZE, dtype=dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> np.ndarray:
        """All values so far, as a view. Shape: (n,)."""
        return self._data[: self._size]

    def append(self, value: float) -> None:
        """Add one value."""
        self._reserve(1)
        self._data[self._size] = value
        self._size += 1

    def extend(self, values: Union[Sequence[float], np.ndarray]) -> None:
        """Add many values."""
        count = len(values)
        self._reserve(count)
        self._data[self._size : self._size + count] = values
        self._size += count

    def cut(self, size: int) -> None:
        """Keep the first ``size`` values."""
        self._size = min(size, self._size)

    def _reserve(self, count: int) -> None:
        needed = self._size + count
        if needed > len(self._data):
            size = len(self._data)
            grown = np.empty(max(needed, size + (size if size < _LARGE else size // 4)), dtype=self._data.dtype)
            grown[: self._size] = self.values
            self._data = grown


class Curve:
    """The values of one metric and the rows of the table in which they were reported.

    Rows are kept only where some are left out; most metrics come with every iteration.

    Attributes:
        values: Finite values. Shape: (n,).
        not_finite: How many values were NaN or infinite; they are in no row.
        revision: Another number after each cut, for caches of what follows from the values.
    """

    def __init__(self) -> None:
        self._first = 0
        self._rows: Optional[Column] = None
        self.values = Column()
        self.not_finite = 0
        self.revision = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def rows(self) -> np.ndarray:
        """Row of each value, rising. Shape: (n,)."""
        return np.arange(self._first, self._first + len(self)) if self._rows is None else self._rows.values

    def append(self, row: int, value: float) -> None:
        """Add a value that was reported in a row after all earlier ones."""
        if not len(self):
            self._first, self._rows = row, None
        elif self._rows is None and row != self._first + len(self):
            self._keep_rows(self.rows)
        if self._rows is not None:
            self._rows.append(row)
        self.values.append(value)

    def extend(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Begin with many values."""
        self._first = int(rows[0]) if len(rows) else 0
        if len(rows) and rows[-1] - rows[0] + 1 != len(rows):
            self._keep_rows(rows)
        self.values.extend(values)

    def _keep_rows(self, rows: np.ndarray) -> None:
        self._rows = Column(np.int64)
        self._rows.extend(rows)

    def cut(self, rows: int) -> None:
        """Drop what was reported in row ``rows`` and later."""
        kept = int(np.searchsorted(self.rows, rows))
        if kept < len(self.values):
            if self._rows is not None:
                self._rows.cut(kept)
            self.values.cut(kept)
            self.revision += 1


class MetricTable:
    """One row per iteration. A resumed run goes on in the same table: its clock goes on too.

    Attributes:
        curves: By name of the metric.
    """

    def __init__(self) -> None:
        self.curves: Dict[str, Curve] = {}
        self._axes = {STEPS: Column(), ITERATIONS: Column(), TIME: Column()}
        self._clock_offset = 0.0

    def __len__(self) -> int:
        return len(self._axes[STEPS])

    def axis(self, name: str) -> np.ndarray:
        """Environment steps, iterations, or seconds of the run, by row; never falling. Shape: (rows,)."""
        return self._axes[name].values

    def append(self, step: int, iteration: int, time: float, values: Mapping[str, float]) -> None:
        """Add the metrics of an iteration; rows at or past it are dropped, for a resumed run does them anew."""
        self._drop_from(iteration)
        row = len(self)
        last = float(self._axes[TIME].values[-1]) if row else 0.0
        if row == 0 or time + self._clock_offset < last:
            self._clock_offset = last
        for name, value in ((STEPS, step), (ITERATIONS, iteration), (TIME, time + self._clock_offset)):
            self._axes[name].append(value)
        for name, value in values.items():
            curve = self.curves.get(name)
            if curve is None:
                curve = self.curves[name] = Curve()
            if math.isfinite(value):
                curve.append(row, value)
            else:
                curve.not_finite += 1

    def _drop_from(self, iteration: int) -> None:
        iterations = self._axes[ITERATIONS].values
        if not len(iterations) or iterations[-1] < iteration:
            return
        rows = int(np.searchsorted(iterations, iteration))
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

    @classmethod
    def from_columns(cls, columns: Mapping[str, List[float]]) -> MetricTable:
        """The table of a ``metrics.csv`` as `runtime.recording.read_metrics` gives it; without a clock, time is 0."""
        table = cls()
        steps, iterations = np.asarray(columns.get("step", [])), np.asarray(columns.get("iteration", []))
        clock = np.asarray(columns.get(ELAPSED, np.zeros(len(steps))), dtype=np.float64)
        table._axes[STEPS].extend(steps)
        table._axes[ITERATIONS].extend(iterations)
        table._axes[TIME].extend(_going_on(clock))
        table._clock_offset = float(table.axis(TIME)[-1] - np.nan_to_num(clock[-1])) if len(clock) else 0.0
        for name, values in columns.items():
            if name not in ("step", "iteration"):
                table.curves[name] = _curve(np.asarray(values, dtype=np.float64))
        return table


def _curve(values: np.ndarray) -> Curve:
    curve, is_finite = Curve(), np.isfinite(values)
    curve.extend(np.flatnonzero(is_finite), values[is_finite])
    curve.not_finite = int(np.isinf(values).sum())
    return curve


def _going_on(clock: np.ndarray) -> np.ndarray:
    """Seconds that go on where the clock of a resumed run began anew."""
    clock = np.nan_to_num(clock)
    before = np.concatenate([clock[:1], clock])[: len(clock)]
    return clock + np.cumsum(np.where(clock < before, before, 0.0))
