"""A titled backdrop behind nodes that belong together."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Tuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from .theme import GROUP_COLOURS, Theme, font

Z_GROUP = -10.0
TITLE_HEIGHT = 32.0
GRIP = 18.0
SMALLEST: Tuple[float, float] = (120.0, 80.0)
TITLE, CORNER, INSIDE = "title", "corner", "inside"


class GroupItem(QGraphicsItem):
    """Draws one group of the document.

    Attributes:
        index: Its place among the document's groups.
        title, colour: As in the document.
        rect: Where it lies, in the scene.
    """

    def __init__(self, index: int, data: Mapping[str, Any], theme: Theme):
        super().__init__()
        self.index, self.theme = index, theme
        self.title, self.colour, self.rect = "", QColor(), QRectF()
        self.is_active = False
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.set_data(data)

    def set_data(self, data: Mapping[str, Any]) -> None:
        """Show what the document says now; what is missing or has the wrong form gets a default."""
        self.prepareGeometryChange()
        self.title = str(data.get("title", "Group"))
        colour = QColor(str(data.get("colour", data.get("color", ""))))
        self.colour = colour if colour.isValid() else QColor(GROUP_COLOURS["Blue"])
        self.set_rect(bounding_of(data))

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.theme = theme
        self.update()

    def set_rect(self, rect: QRectF) -> None:
        """Show it at another place, for example while it is dragged."""
        self.prepareGeometryChange()
        self.rect = rect
        self.setZValue(Z_GROUP - min(rect.width() * rect.height(), 1e9) / 1e9)
        self.update()

    def set_active(self, active: bool) -> None:
        """Show it as selected."""
        if active != self.is_active:
            self.is_active = active
            self.update()

    def part_at(self, position: QPointF) -> Optional[str]:
        """``title``, ``corner``, ``inside``, or ``None`` outside."""
        if not self.rect.contains(position):
            return None
        if position.x() > self.rect.right() - GRIP and position.y() > self.rect.bottom() - GRIP:
            return CORNER
        return TITLE if position.y() < self.rect.top() + TITLE_HEIGHT else INSIDE

    @property
    def title_rect(self) -> QRectF:
        """The strip by which it is moved."""
        return QRectF(self.rect.left(), self.rect.top(), self.rect.width(), TITLE_HEIGHT)

    def boundingRect(self) -> QRectF:  # noqa: N802
        """The backdrop with its border."""
        return self.rect.adjusted(-2, -2, 2, 2)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: Optional[QWidget] = None) -> None:
        """Draw backdrop, title and the corner by which it is resized."""
        fill, edge = QColor(self.colour), QColor(self.colour)
        fill.setAlpha(34 if self.theme.is_dark else 40)
        edge.setAlpha(150)
        painter.setBrush(fill)
        painter.setPen(QPen(self.theme.accent, 2.0) if self.is_active else QPen(edge, 1.2))
        painter.drawRoundedRect(self.rect, 10, 10)
        detail = option.levelOfDetailFromTransform(painter.worldTransform())
        self._paint_title(painter, detail)
        if detail > 0.4:
            corner = self.rect.bottomRight()
            painter.setPen(QPen(edge, 1.6))
            for step in (5.0, 9.0, 13.0):
                painter.drawLine(corner - QPointF(step, 4), corner - QPointF(4, step))

    def _paint_title(self, painter: QPainter, detail: float) -> None:
        pixels = round(min(max(14.0, 10.0 / detail), 60.0))
        painter.setFont(font(pixels, True))
        colour = QColor(self.colour).lighter(150) if self.theme.is_dark else QColor(self.colour).darker(135)
        painter.setPen(colour)
        rect = QRectF(self.rect.left() + 12, self.rect.top() + 6, self.rect.width() - 24, pixels * 1.5)
        text = painter.fontMetrics().elidedText(self.title, Qt.TextElideMode.ElideRight, int(rect.width()))
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def bounding_of(data: Mapping[str, Any]) -> QRectF:
    """Place and size of a group in the document, never smaller than can be grabbed."""
    numbers = data.get("bounding", ())
    if not isinstance(numbers, (list, tuple)) or [type(number) in (int, float) for number in numbers] != [True] * 4:
        numbers = (0.0, 0.0, 300.0, 200.0)
    x, y, width, height = numbers
    return QRectF(x, y, max(width, SMALLEST[0]), max(height, SMALLEST[1]))
