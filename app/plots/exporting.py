"""Plots as a picture or as numbers, written completely or not at all."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import List, Sequence

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRect
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from runtime.atomic import write_bytes, write_text

from .drawing import RunCurves
from .metric_table import AXES, MetricTable

PICTURES = (".png", ".svg")
HOLDS = "holds"
"""Column that says what the metrics of a row are."""


def write_picture(widget: QWidget, path: Path) -> None:
    """Write what a widget shows as PNG or SVG, by the ending of the path.

    Raises:
        StorageError: The file cannot be written.
    """
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if path.suffix.lower() == ".svg":
        _draw_svg(widget, buffer)
    else:
        widget.grab().save(buffer, "PNG")
    buffer.close()
    write_bytes(path, bytes(data.data()))


def _draw_svg(widget: QWidget, buffer: QBuffer) -> None:
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(widget.size())
    generator.setViewBox(QRect(QPoint(0, 0), widget.size()))
    generator.setResolution(96)
    generator.setTitle("DNNE")
    painter = QPainter(generator)
    widget.render(painter, QPoint(0, 0))
    painter.end()


def write_numbers(runs: Sequence[RunCurves], metrics: Sequence[str], path: Path) -> None:
    """Write a row for each iteration of each run: its axes and metrics; a cell is empty where none was reported.

    Where a run is so long that its older rows are thinned, a further column says of each row whether it is that of one
    iteration, or the least or the greatest values of so many.

    Raises:
        StorageError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    are_thinned = any(run.table.groups for run in runs)
    writer.writerow(["run", *([HOLDS] if are_thinned else []), *AXES, *metrics])
    for run in runs:
        columns: List[List[str]] = [_holds(run.table)] if are_thinned else []
        columns += [[_exact(v) for v in run.table.axis(axis).tolist()] for axis in AXES]
        columns += [_cells(run, metric) for metric in metrics]
        writer.writerows([run.name, *row] for row in zip(*columns))
    write_text(path, text.getvalue())


def _holds(table: MetricTable) -> List[str]:
    least, greatest = (f"{what} of {table.group_size}" for what in ("least", "greatest"))
    return [*[least, greatest] * table.groups, *["one iteration"] * (len(table) - table.thinned)]


def _cells(run: RunCurves, metric: str) -> List[str]:
    cells = np.full(len(run.table), np.nan)
    curve = run.table.curves.get(metric)
    if curve is not None:
        cells[curve.rows] = curve.values.values
    return ["" if value != value else repr(value) for value in cells.tolist()]


def _exact(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
