"""Metrics as a wide CSV table: ``step``, ``iteration`` and a column for each metric.

Floats are written so that reading them gives the same bits; NaN and infinity are ``nan``, ``inf`` and ``-inf``, which
``float()`` reads; an empty cell says that the metric was not reported in this iteration.
"""

import csv
import io
from pathlib import Path
from typing import Dict, Iterable, List, Optional

from ..atomic import PathLike, atomic_file
from ..errors import DnneError, StorageError
from ..events import Event, Metrics
from .line_file import LineFile, cut_after, storage_errors, whole_lines

COUNTERS = ["step", "iteration"]


class CsvMetrics:
    """Writes one row per iteration, at once.

    A metric that appears later gets a new last column; the file is then rewritten, completely or not at all.
    """

    def __init__(self, path: PathLike, append: bool = False) -> None:
        """Create the file, or continue its table after the last whole row, as a resumed run does.

        Raises:
            StorageError: the file cannot be created or opened, or is no table of metrics.
        """
        self._file = LineFile(path, append)
        self._names: List[str] = []
        if append:
            header = _header(self._file.path)
            self._check_header(header)
            self._names = header[len(COUNTERS) :]
        self._known = set(self._names)
        self._has_header = bool(append and header)

    def __call__(self, event: Event) -> None:
        """Write the row of a :class:`Metrics` event; all other events are of no concern here.

        Raises:
            StorageError: the file cannot be written.
            DnneError: a metric has the name of a column that the table has anyway.
        """
        if not isinstance(event, Metrics):
            return
        if not (self._has_header and self._known.issuperset(event.values)):
            self._extend([name for name in event.values if name not in self._known])
        values = [repr(float(event.values[name])) if name in event.values else "" for name in self._names]
        self._file.write(",".join([str(event.step), str(event.iteration), *values]) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _extend(self, new: List[str]) -> None:
        taken = [name for name in new if name in COUNTERS]
        if taken:
            raise DnneError(f"{self._file.path}: no metric may be called {taken[0]!r}, as a column has this name")
        self._names += new
        self._known.update(new)
        header = _csv_line(COUNTERS + self._names)
        if self._has_header:
            self._file.close()
            _rewrite(self._file.path, header, len(new))
            self._file = LineFile(self._file.path, append=True)
        else:
            self._file.write(header)
            self._has_header = True

    def _check_header(self, header: List[str]) -> None:
        if header and header[: len(COUNTERS)] != COUNTERS:
            self._file.close()
            raise StorageError(
                f"cannot continue {self._file.path}: its first line begins with {','.join(header[:2])!r}; expected the "
                f"metrics of a run, with the columns {','.join(COUNTERS)},…"
            )


def read_metrics(path: PathLike) -> Dict[str, List[float]]:
    """Return the columns of a table by name, all of the same length; empty cells are NaN.

    Raises:
        StorageError: the file cannot be read.
        DnneError: a line is no row of such a table.
    """
    rows = csv.reader(line + "\n" for line in whole_lines(path))
    try:
        header = next(rows, [])
        table = [_numbers(row, len(header)) for row in rows]
    except (ValueError, csv.Error) as error:
        raise DnneError(f"{path}, line {rows.line_num}: {error}") from error
    return {name: [row[index] for row in table] for index, name in enumerate(header)}


def truncate_after(path: PathLike, iteration: int) -> None:
    """Drop the rows past ``iteration``, before a run is resumed from there; the header stays.

    A missing file stays missing; a torn last line is dropped.

    Raises:
        StorageError: the file cannot be read or cut.
    """
    cut_after(path, iteration, _iteration_of)


def _iteration_of(line: bytes) -> Optional[int]:
    cells = line.split(b",", 2)
    return int(cells[1]) if len(cells) > 1 and cells[1].isdigit() else None


def _numbers(row: List[str], columns: int) -> List[float]:
    if len(row) != columns:
        raise ValueError(f"{len(row)} cells; expected {columns}, as in the first line")
    return [float(cell) if cell else float("nan") for cell in row]


def _header(path: Path) -> List[str]:
    return next(csv.reader(line + "\n" for line in whole_lines(path)), [])


def _csv_line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _rewrite(path: Path, header: str, new_columns: int) -> None:
    empty = b"," * new_columns + b"\n"
    with storage_errors(path), path.open("rb") as old, atomic_file(path) as new:
        _skip_header(old)
        new.write(header.encode("utf-8"))
        for line in old:
            new.write(line.rstrip(b"\n") + empty)


def _skip_header(file: Iterable[bytes]) -> None:
    next(csv.reader(line.decode("utf-8", "replace") for line in file))
