"""The metrics that a run's folder holds, read in parts: of a long run they are more than what is kept of them."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Dict, Iterator, List, Mapping

import numpy as np

from runtime.errors import DnneError, StorageError
from runtime.events import Event

from .metric_table import ELAPSED, ITERATION_COLUMN, STEP_COLUMN, Columns, MetricTable

BLOCK = 1 << 20


@dataclass(frozen=True)
class PastMetrics(Event):
    """Metrics of many iterations at once, for what shows a run that has gone on for long.

    Attributes:
        step, iteration: Of the last of them.
        columns: As `MetricTable.extend` takes them.
    """

    is_recorded: ClassVar[bool] = False

    step: int
    iteration: int
    columns: Columns


def past_metrics(columns: Mapping[str, np.ndarray]) -> PastMetrics:
    """The event of these columns.

    Raises:
        DnneError: Steps or iterations are missing.
    """
    try:
        step, iteration = (int(columns[name][-1]) for name in (STEP_COLUMN, ITERATION_COLUMN))
    except (KeyError, ValueError) as error:
        raise DnneError(f"these are no metrics of a run: {error!r}") from error
    clock = columns.get(ELAPSED)
    return PastMetrics(0.0 if clock is None else float(clock[-1]), step, iteration, columns)


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
