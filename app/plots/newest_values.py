"""The newest values of a plot's curves, each in its curve's colour."""

from __future__ import annotations

import functools
from typing import List, Sequence, Tuple

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

GAP = 8


class NewestValues(QWidget):
    """Numbers from right to left. It never asks for another size, so that a new number moves nothing else.

    It paints its own ground: else every ancestor would paint a part of its own anew with every number.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._parts: List[Tuple[str, str]] = []
        self._metrics = self.fontMetrics()
        self._ground = QColor()
        self._tip = ""

    def set_ground(self, colour: str) -> None:
        """Paint on this colour."""
        self._ground = QColor(colour)
        self.update()

    def show_parts(self, parts: Sequence[Tuple[str, str]], tip: str) -> None:
        """Show these texts in these colours, and under the mouse all of them with their names."""
        self._tip = tip
        if self.underMouse():
            self.setToolTip(tip)
        if list(parts) != self._parts:
            self._parts = list(parts)
            self.update()

    def fitting(self, texts: Sequence[str]) -> int:
        """How many of these texts there is room for, besides dots where it is not all of them."""
        widths = [self._metrics.horizontalAdvance(text) + GAP for text in texts]
        if sum(widths) - GAP <= self.width():
            return len(texts)
        room = self.width() - self._metrics.horizontalAdvance("…")
        return sum(sum(widths[: count + 1]) <= room for count in range(len(widths)))

    def text(self) -> str:
        """What is shown, without its colours."""
        return "  ".join(text for text, _ in self._parts)

    def sizeHint(self) -> QSize:  # noqa: N802
        """A line."""
        return QSize(0, self._metrics.height())

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Measure with another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._metrics = self.fontMetrics()

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        """Only now is a tooltip of use: to set one costs as much as to paint."""
        super().enterEvent(event)
        self.setToolTip(self._tip)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint."""
        right, metrics = self.width(), self._metrics
        base = (self.height() + metrics.ascent() - metrics.descent()) // 2
        with QPainter(self) as painter:
            painter.fillRect(0, 0, right, self.height(), self._ground)
            for text, colour in reversed(self._parts):
                right -= metrics.horizontalAdvance(text)
                painter.setPen(_shade(colour))
                painter.drawText(right, base, text)
                right -= GAP


@functools.lru_cache(maxsize=32)
def _shade(colour: str) -> QColor:
    return QColor(colour)
