"""One metric of a run: exact values, and of a very long run the extremes of its older ones."""

from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np

from .column import Column

PAIR = 2
"""Rows of a group: the first holds the least value, the second the greatest one."""


class Curve:
    """The values of one metric and the rows of the table in which they were reported.

    Rows are kept only where some are left out; most metrics come with every iteration. The older values of a very long
    run are thinned: of a group of rows the least and the greatest one stay, and the mean, for smoothing.

    Attributes:
        values: Finite values; of each group the least and the greatest one, before all others. Shape: (n,).
        means: Of the values of each group. Shape: (groups,).
        reports: How many values the groups stand for.
        not_finite: How many values were NaN or infinite; they are in no row.
        revision: Another number after each cut, for caches of what follows from the values.
    """

    def __init__(self) -> None:
        self._first = 0
        self._rows: Optional[Column] = None
        self.values = Column()
        self.means = Column()
        self.reports = 0
        self.not_finite = 0
        self.revision = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def rows(self) -> np.ndarray:
        """Row of each value, rising. Shape: (n,)."""
        return np.arange(self._first, self._first + len(self)) if self._rows is None else self._rows.values

    @property
    def last_row(self) -> int:
        """Row of the last value; -1 where there is none."""
        if self._rows is not None and len(self):
            return int(self._rows.values[-1])
        return self._first + len(self) - 1 if len(self) else -1

    @property
    def thinned(self) -> int:
        """How many of the first values are extremes of groups."""
        return PAIR * len(self.means)

    def append(self, row: int, value: float) -> None:
        """Add a value that was reported in a row after all earlier ones."""
        size = len(self.values)
        if not size:
            self._first, self._rows = row, None
        elif self._rows is None and row != self._first + size:
            self._keep_rows(self.rows)
        if self._rows is not None:
            self._rows.append(row)
        self.values.append(value)

    def extend(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Add many values, whose rows rise and come after all earlier ones."""
        if not len(rows):
            return
        if not len(self):
            self._first, self._rows = int(rows[0]), None
        goes_on = rows[0] == self._first + len(self) and rows[-1] - rows[0] + 1 == len(rows)
        if self._rows is None and not goes_on:
            self._keep_rows(self.rows)
        if self._rows is not None:
            self._rows.extend(rows)
        self.values.extend(values)

    def _keep_rows(self, rows: np.ndarray) -> None:
        self._rows = Column(np.int64)
        self._rows.extend(rows)

    def cut(self, rows: int) -> None:
        """Drop what was reported in row ``rows`` and later; no group is cut in two."""
        kept = int(np.searchsorted(self.rows, rows))
        if kept < len(self.values):
            if self._rows is not None:
                self._rows.cut(kept)
            self.values.cut(kept)
            if kept < self.thinned:
                self.reports = self.reports * kept // self.thinned
                self.means.cut(kept // PAIR)
            self.revision += 1

    # Thinning

    def thin(self, start: int, groups: int, size: int) -> None:
        """Put the rows from ``start`` on, where the exact ones begin, into groups of ``size`` rows each."""
        rows, values = self.rows, self.values.values
        first, last = np.searchsorted(rows, [start, start + groups * size])
        made = _grouped((rows[first:last] - start) // size, values[first:last], values[first:last], values[first:last])
        new_rows = [rows[:first], start + made.rows, rows[last:] - groups * (size - PAIR)]
        self.means.extend(made.means)
        self.reports += int(last - first)
        self._replace(np.concatenate(new_rows), np.concatenate([values[:first], made.values, values[last:]]))

    def join(self, groups: int) -> None:
        """Make one group of every two; ``groups`` is the number that there is room for in the table, an even one."""
        rows, values, end = self.rows, self.values.values, self.thinned
        made = _grouped(rows[:end:PAIR] // (2 * PAIR), values[:end:PAIR], values[1:end:PAIR], self.means.values)
        self.means.replace(made.means)
        new_rows = np.concatenate([made.rows, rows[end:] - groups])
        self._replace(new_rows, np.concatenate([made.values, values[end:]]))

    def _replace(self, rows: np.ndarray, values: np.ndarray) -> None:
        self.values.cut(0)
        self.extend(rows, values)
        self.revision += 1


class _Groups(NamedTuple):
    """Two rows and values for each group that holds some, and the means. Shapes: (2·groups,) twice, (groups,)."""

    rows: np.ndarray
    values: np.ndarray
    means: np.ndarray


def _grouped(keys: np.ndarray, lows: np.ndarray, highs: np.ndarray, means: np.ndarray) -> _Groups:
    """Extremes and means of what has the same key; keys never fall."""
    if not len(keys):
        return _Groups(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    counts = np.diff(np.append(starts, len(keys)))
    first_rows = PAIR * keys[starts]
    rows, values = np.repeat(first_rows, PAIR), np.empty(PAIR * len(starts))
    rows[1::PAIR] += 1
    values[0::PAIR], values[1::PAIR] = np.minimum.reduceat(lows, starts), np.maximum.reduceat(highs, starts)
    return _Groups(rows, values, np.add.reduceat(means, starts) / counts)
