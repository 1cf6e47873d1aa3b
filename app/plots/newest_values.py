"""The newest values of a plot's curves, each in its curve's colour."""

from __future__ import annotations

from typing import List, Sequence, Tuple

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

GAP = 8


class NewestValues(QWidget):
    """Numbers from right to left. It never asks for another size, so that a new number moves nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._parts: List[Tuple[str, str]] = []

    def show_parts(self, parts: Sequence[Tuple[str, str]]) -> None:
        """Show these texts in these colours."""
        if list(parts) != self._parts:
            self._parts = list(parts)
            self.update()

    def fitting(self, texts: Sequence[str]) -> int:
        """How many of these texts there is room for, besides dots where it is not all of them."""
        widths = [self.fontMetrics().horizontalAdvance(text) + GAP for text in texts]
        if sum(widths) - GAP <= self.width():
            return len(texts)
        room = self.width() - self.fontMetrics().horizontalAdvance("…")
        return sum(sum(widths[: count + 1]) <= room for count in range(len(widths)))

    def text(self) -> str:
        """What is shown, without its colours."""
        return "  ".join(text for text, _ in self._parts)

    def sizeHint(self) -> QSize:  # noqa: N802
        """A line."""
        return QSize(0, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint."""
        painter, right = QPainter(self), self.width()
        for text, colour in reversed(self._parts):
            width = self.fontMetrics().horizontalAdvance(text)
            painter.setPen(QColor(colour))
            painter.drawText(right - width, 0, width, self.height(), Qt.AlignmentFlag.AlignVCenter, text)
            right -= width + GAP
