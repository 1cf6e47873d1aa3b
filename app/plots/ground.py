"""What lies behind the curves of a plot: grid, axes and the texts of their ticks."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter

from .ticks import RunAxis, ValueAxis

TICK, GAP = 4, 4
_GRID_ALPHA, _FINE_ALPHA = 90, 40


class GroundColours(NamedTuple):
    """Of a theme; the grid is as the lines, and fainter."""

    surface: QColor
    lines: QColor
    grid: QColor
    fine_grid: QColor
    texts: QColor

    @classmethod
    def of(cls, surface: str, lines: str, texts: str) -> GroundColours:
        """From colours ``#rrggbb``."""
        grid, fine_grid = QColor(lines), QColor(lines)
        grid.setAlpha(_GRID_ALPHA)
        fine_grid.setAlpha(_FINE_ALPHA)
        return cls(QColor(surface), QColor(lines), grid, fine_grid, QColor(texts))


class Ground(NamedTuple):
    """One state of it; pyqtgraph's axes tell where their ticks are, its scene would take ten times as long to paint.

    Attributes:
        size: Of all that is painted.
        place: Where the curves lie.
        ranges: Least and greatest value of both axes, as of `pyqtgraph.ViewBox.viewRange`.
    """

    size: QSize
    place: QRectF
    run_axis: RunAxis
    value_axis: ValueAxis
    ranges: Sequence[Sequence[float]]
    colours: GroundColours

    def paint(self, painter: QPainter) -> None:
        """Paint all of it."""
        painter.fillRect(0, 0, self.size.width(), self.size.height(), self.colours.surface)
        left, top, right, bottom = (round(end) for end in self.place.getCoords())
        self._paint_values(painter, left, right, bottom)
        self._paint_positions(painter, left, bottom)
        painter.setPen(self.colours.lines)
        painter.drawLine(left, bottom, right, bottom)
        painter.drawLine(left, top, left, bottom)

    def _paint_values(self, painter: QPainter, left: int, right: int, bottom: int) -> None:
        least, greatest = self.ranges[1]
        length, metrics = self.place.height(), painter.fontMetrics()
        free = bottom + metrics.height()
        for level, (spacing, values) in enumerate(self.value_axis.tickValues(least, greatest, length)):
            places = [round(bottom - (value - least) / (greatest - least) * length) for value in values]
            painter.setPen(self.colours.fine_grid if level else self.colours.grid)
            for y in places:
                painter.drawLine(left + 1, y, right, y)
            texts = self.value_axis.tickStrings(values, 1.0, spacing) if level == 0 else ()
            painter.setPen(self.colours.texts)
            for y, text in zip(places, texts):
                if metrics.height() // 2 <= y <= free - metrics.height():
                    base = y + (metrics.ascent() - metrics.descent()) // 2
                    painter.drawText(left - GAP - metrics.horizontalAdvance(text), base, text)
                    free = y

    def _paint_positions(self, painter: QPainter, left: int, bottom: int) -> None:
        low, high = self.ranges[0]
        length, metrics = self.place.width(), painter.fontMetrics()
        for spacing, values in self.run_axis.tickValues(low, high, length):
            for value, text in zip(values, self.run_axis.tickStrings(values, 1.0, spacing)):
                x, half = round(left + (value - low) / (high - low) * length), metrics.horizontalAdvance(text) // 2
                painter.setPen(self.colours.lines)
                painter.drawLine(x, bottom, x, bottom + TICK)
                if half <= x < self.size.width() - half:
                    painter.setPen(self.colours.texts)
                    painter.drawText(x - half, bottom + TICK + GAP + metrics.ascent(), text)
