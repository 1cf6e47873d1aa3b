"""The metrics that a run's folder holds, read in parts: of a long run they are more than what is kept of them."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Dict, Iterator, List, Mapping, Optional

import numpy as np

from runtime.errors import DnneError, StorageError
from runtime.events import Event

from .metric_table import ELAPSED, ITERATION_COLUMN, STEP_COLUMN, Columns, MetricTable

BLOCK = 1 << 20


@dataclass(frozen=True)
class PastMetrics(Event):
    """Metrics of many iterations at once: what a run has reported before anybody looked.

    Attributes:
        step, iteration: Of the last of them.
        columns: As `MetricTable.extend` takes them.
        is_first: The run's first ones; what is known of it from elsewhere does not count any more.
    """

    is_recorded: ClassVar[bool] = False

    step: int
    iteration: int
    columns: Columns
    is_first: bool = False


def read_past(path: Path, last: float = math.inf, block: int = BLOCK) -> Iterator[PastMetrics]:
    """The metrics of a run up to an iteration, in parts; where there are none, a single part without rows.

    Args:
        path: Its ``metrics.csv``, which need not be there.
        last: What was reported later is left out.
        block: Bytes to read at once.

    Raises:
        StorageError: The file cannot be read.
        DnneError: A line is no row of such a table; the parts before it have been told.
    """
    is_first = True
    for columns in read_parts(path, block) if path.exists() else ():
        part = _past(columns, last, is_first)
        if part is not None:
            yield part
            is_first = False
    if is_first:
        yield PastMetrics(0.0, 0, 0, {}, True)


def _past(columns: Mapping[str, np.ndarray], last: float, is_first: bool) -> Optional[PastMetrics]:
    if not {STEP_COLUMN, ITERATION_COLUMN} <= columns.keys():
        raise DnneError(f"these are no metrics of a run: {', '.join(columns)}")
    rows = int(np.searchsorted(columns[ITERATION_COLUMN], last, side="right"))
    if not rows:
        return None
    step, iteration = (int(columns[name][rows - 1]) for name in (STEP_COLUMN, ITERATION_COLUMN))
    time = float(columns[ELAPSED][rows - 1]) if ELAPSED in columns else 0.0
    return PastMetrics(time, step, iteration, {name: values[:rows] for name, values in columns.items()}, is_first)


def read_table(path: Path) -> MetricTable:
    """The table of a ``metrics.csv``.

    Raises:
        StorageError: The file cannot be read.
        DnneError: A line is no row of such a table.
    """
    table = MetricTable()
    for columns in read_parts(path):
        table.extend(columns)
    return table


def read_parts(path: Path, block: int = BLOCK) -> Iterator[Dict[str, np.ndarray]]:
    """Columns by name of some rows after the others; empty cells are NaN, and a torn last line is left out.

    Args:
        path: A ``metrics.csv``.
        block: Bytes to read at once.

    Raises:
        StorageError: The file cannot be read.
        DnneError: A line is no row of such a table.
    """
    try:
        with path.open("rb") as file:
            names = next(csv.reader([file.readline().decode("utf-8", "replace")]), [])
            rest, line = b"", 2
            for content in iter(lambda: file.read(block), b""):
                whole, newline, rest = (rest + content).rpartition(b"\n")
                if newline:
                    yield _columns(path, names, whole, line)
                    line += whole.count(b"\n") + 1
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error


def _columns(path: Path, names: List[str], lines: bytes, first: int) -> Dict[str, np.ndarray]:
    """Rows without the last line end, the first of which has this number in its file."""
    cells = lines.replace(b"\n", b",\n").split(b",")  # float() does not mind the line end
    width = len(names)
    try:
        if len(cells) % width or any(cell[:1] != b"\n" for cell in cells[width::width]):
            raise ValueError(f"a row has not {width} cells, as the first line has")
        numbers = [float(cell) if cell else math.nan for cell in cells]
    except ValueError as error:
        raise DnneError(f"{path}, from line {first} on: {error}") from error
    table = np.array(numbers).reshape(-1, width).T.copy()
    return dict(zip(names, table))
