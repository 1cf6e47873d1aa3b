"""The metrics that a run's folder holds, read in parts: of a long run they are more than what is kept of them."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np

from runtime.errors import DnneError, StorageError
from runtime.events import Event

from .metric_table import ELAPSED, ITERATION_COLUMN, STEP_COLUMN, Columns, MetricTable

BLOCK = 1 << 20
MOST_COUNTED = float(1 << 53)
"""Beyond it a float does not hold every whole number."""


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
        DnneError: A line is no row of such a table; the rows before it have been told.
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
    rows = int(np.searchsorted(columns[ITERATION_COLUMN], last, side="right"))
    if not rows:
        return None
    step, iteration = (int(columns[name][rows - 1]) for name in (STEP_COLUMN, ITERATION_COLUMN))
    time = float(columns[ELAPSED][rows - 1]) if ELAPSED in columns else 0.0
    time = time if math.isfinite(time) else 0.0
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

    Steps and iterations are whole numbers of at most 2^53. What lies before a damaged line comes before the error.

    Args:
        path: A ``metrics.csv``.
        block: Bytes to read at once.

    Raises:
        StorageError: The file cannot be read.
        DnneError: A line is no row of such a table.
    """
    try:
        with path.open("rb") as file:
            names = _names(path, file.readline())
            rest, line = b"", 2
            for content in iter(lambda: file.read(block), b""):
                whole, newline, rest = (rest + content).rpartition(b"\n")
                if newline:
                    yield from _rows(path, names, whole, line)
                    line += whole.count(b"\n") + 1
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error


def _names(path: Path, line: bytes) -> List[str]:
    """The columns that a first line names; of an empty file none."""
    try:
        names = next(csv.reader([line.decode("utf-8", "replace")]), [])
    except csv.Error as error:
        raise DnneError(f"{path}, line 1: {error}") from error
    if line and not {STEP_COLUMN, ITERATION_COLUMN} <= set(names):
        raise DnneError(
            f"{path}, line 1: these are no metrics of a run: {', '.join(names)[:200] or 'it is empty'}; expected the "
            f"columns {STEP_COLUMN}, {ITERATION_COLUMN} and others"
        )
    return names


def _rows(path: Path, names: List[str], lines: bytes, first: int) -> Iterator[Dict[str, np.ndarray]]:
    """Rows without the last line end, the first of which has this number in its file; those before a damaged one."""
    try:
        yield _columns(names, lines)
    except ValueError:
        rows = lines.split(b"\n")
        good, reason = _first_damaged(names, rows)
        if good:
            yield _columns(names, b"\n".join(rows[:good]))
        raise DnneError(f"{path}, line {first + good}: {reason}") from None


def _first_damaged(names: List[str], rows: List[bytes]) -> Tuple[int, str]:
    for index, row in enumerate(rows):
        try:
            _columns(names, row)
        except ValueError as error:
            return index, str(error)
    raise AssertionError("rows that are good one by one are good together")


def _columns(names: List[str], lines: bytes) -> Dict[str, np.ndarray]:
    cells = (b"\n" + lines).replace(b"\n", b",\n").split(b",")[1:]  # float() does not mind the line end
    width = len(names)
    starts = cells[::width]
    if len(cells) % width or any(cell[:1] != b"\n" for cell in starts):
        raise ValueError(f"a row has not {width} cells, as the first line has")
    if b"\n" in starts:
        raise ValueError(f"{names[0]} is empty")
    table = np.array([float(cell) if cell else math.nan for cell in cells]).reshape(-1, width).T.copy()
    columns = dict(zip(names, table))
    for name in (STEP_COLUMN, ITERATION_COLUMN):
        values = columns[name]
        is_whole = (values >= 0) & (values <= MOST_COUNTED) & (values == np.floor(values))
        if not is_whole.all():
            raise ValueError(f"{name} is {values[~is_whole][0]:g}; expected a whole number")
    return columns
