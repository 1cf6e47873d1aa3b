"""A small picture of the whole graph; a click goes there."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, QTimer
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from .graph_items import GraphItems
from .looks import MISSING
from .theme import Theme, blend
from .viewer import CanvasViewer

WIDTH, HEIGHT, MARGIN = 168, 110, 8.0
REDRAW_MS = 80


class Minimap(QWidget):
    """Draws cards and groups as boxes, and where the view is. The boxes are drawn again a little after a change."""

    def __init__(self, items: GraphItems, viewer: CanvasViewer, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("canvasMinimap")
        self.setAccessibleName("Overview of the graph")
        self.setToolTip("Click or drag to go there")
        self.setFixedSize(WIDTH, HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.items, self.viewer, self.theme = items, viewer, Theme({})
        self._picture = QPixmap()
        self._area = QRectF()
        self._redraw = QTimer(self, singleShot=True, interval=REDRAW_MS)
        self._redraw.timeout.connect(self.draw_again)
        viewer.view_changed.connect(self.update)

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.theme = theme
        self.draw_again()

    def content_changed(self) -> None:
        """Draw the boxes again soon."""
        if not self._redraw.isActive():
            self._redraw.start()

    def draw_again(self) -> None:
        """Draw the boxes now."""
        ratio = self.devicePixelRatioF()
        self._picture = QPixmap(round(WIDTH * ratio), round(HEIGHT * ratio))
        self._picture.setDevicePixelRatio(ratio)
        self._picture.fill(Qt.GlobalColor.transparent)
        bounds = self.items.bounds()
        self._area = bounds.adjusted(-200, -200, 200, 200) if not bounds.isEmpty() else QRectF(-500, -300, 1000, 600)
        painter = QPainter(self._picture)
        for group in self.items.groups:
            colour = QColor(group.colour)
            colour.setAlpha(70)
            painter.fillRect(self._to_map(group.rect), colour)
        for item in self.items.nodes.values():
            colour = self.theme.error if item.look.state == MISSING else self.theme.category(item.look.category)
            box = self._to_map(item.card)
            box.setSize(box.size().expandedTo(QSizeF(2.0, 2.0)))
            painter.fillRect(box, blend(self.theme.node, colour, 0.75))
        painter.end()
        self.update()

    def _scale(self) -> float:
        return min((WIDTH - 2 * MARGIN) / self._area.width(), (HEIGHT - 2 * MARGIN) / self._area.height())

    def _to_map(self, rect: QRectF) -> QRectF:
        scale, centre = self._scale(), self._area.center()
        return QRectF(
            WIDTH / 2 + (rect.x() - centre.x()) * scale,
            HEIGHT / 2 + (rect.y() - centre.y()) * scale,
            rect.width() * scale,
            rect.height() * scale,
        )

    def to_scene(self, position: QPointF) -> QPointF:
        """Scene position of a point of the map."""
        return self._area.center() + (position - QPointF(WIDTH / 2, HEIGHT / 2)) / self._scale()

    def to_map(self, position: QPointF) -> QPointF:
        """Point of the map for a scene position."""
        return QPointF(WIDTH / 2, HEIGHT / 2) + (position - self._area.center()) * self._scale()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """The boxes, and the frame of what is in view."""
        if self._picture.isNull():
            self.draw_again()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(blend(self.theme.background, self.theme.node, 0.5))
        ground.setAlpha(235)
        painter.setBrush(ground)
        painter.setPen(QPen(self.theme.node_border, 1.0))
        frame = QRectF(0.5, 0.5, WIDTH - 1, HEIGHT - 1)
        painter.drawRoundedRect(frame, 8, 8)
        painter.drawPixmap(0, 0, self._picture)
        view = self._to_map(self.viewer.visible_rect()).intersected(frame.adjusted(2, 2, -2, -2))
        light = QColor(self.theme.accent)
        light.setAlpha(28)
        painter.setBrush(light)
        painter.setPen(QPen(self.theme.accent, 1.4))
        painter.drawRoundedRect(view, 3, 3)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Go there."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.viewer.centre_on(self.to_scene(event.position()))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Keep going."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.viewer.centre_on(self.to_scene(event.position()))
        event.accept()

    def place(self) -> None:
        """Stay in the lower right corner."""
        parent = self.parentWidget()
        assert parent is not None
        room = parent.rect()
        self.move(room.width() - WIDTH - 12, room.height() - HEIGHT - 12)
