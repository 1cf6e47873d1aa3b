"""The area of the viewer: a grid of environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Optional

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.theme import colours, current_theme

from .painters import Painter, painter_of

if TYPE_CHECKING:
    from runtime.simulators.interface import ViewerState

GAP = 4.0
_WIDE = 1.6
"""How much wider than high a cell had best be."""


class SceneView(QWidget):
    """Paints the newest state; the mouse moves the camera, where there is one.

    Signals:
        failed: Nothing can be drawn; says why and what to do.
    """

    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__(objectName="viewerScene")
        self.setAccessibleName("Environments")
        self.setMinimumSize(120, 80)
        self.state: Optional[ViewerState] = None
        self.painter: Optional[Painter] = None
        self.paints = 0
        self._kind = ""
        self._drag: Optional[QPointF] = None
        self._follow = True

    def show_state(self, state: ViewerState) -> None:
        """Paint this from now on."""
        if state.kind != self._kind:
            self._change_painter(state.kind)
        self.state = state
        if self.painter is not None:
            self.painter.set_state(state, self._cell_size())
        self.update()

    def clear(self) -> None:
        """Paint nothing."""
        self.state = None
        self._change_painter("")
        self.update()

    def _change_painter(self, kind: str) -> None:
        self.close_painter()
        self._kind = kind
        self.painter = painter_of(kind, self) if kind else None
        if self.painter is not None:
            self.painter.ready.connect(self.update)
            self.painter.failed.connect(self.failed)
            self.painter.set_follow(self._follow)
        elif kind:
            self.failed.emit(f"This version cannot draw states of the kind “{kind}”.")

    def close_painter(self) -> None:
        """Release what painting needed."""
        if self.painter is not None:
            self.painter.close()
            self.painter.deleteLater()
            self.painter = None
        self._kind = ""

    def set_follow(self, on: bool) -> None:
        """Let the camera follow what moves."""
        self._follow = on
        if self.painter is not None:
            self.painter.set_follow(on)

    # Painting

    def cells(self) -> List[QRectF]:
        """Where the environments are painted, row by row."""
        count = len(self.state.env_ids) if self.state is not None else 0
        if not count:
            return []
        columns = max(range(1, count + 1), key=lambda columns: self._room(columns, count))
        rows = -(-count // columns)
        width, height = (self.width() + GAP) / columns - GAP, (self.height() + GAP) / rows - GAP
        return [
            QRectF(place % columns * (width + GAP), place // columns * (height + GAP), width, height)
            for place in range(count)
        ]

    def _room(self, columns: int, count: int) -> float:
        """How large environments are drawn in so many columns."""
        rows = -(-count // columns)
        return min(self.width() / columns / _WIDE, self.height() / rows)

    def _cell_size(self) -> QSize:
        cells, ratio = self.cells(), self.devicePixelRatioF()
        return QSize(int(cells[0].width() * ratio), int(cells[0].height() * ratio)) if cells else QSize()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint all environments."""
        self.paints += 1
        tokens = colours(current_theme())
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens["window"]))
        if self.state is None or self.painter is None:
            return
        for row, cell in enumerate(self.cells()):
            painter.fillRect(cell, QColor(tokens["field"]))
            self.painter.paint(painter, cell, row)
            painter.setPen(QPen(QColor(tokens["dim_text"])))
            painter.drawText(cell.adjusted(6, 4, -6, -4), Qt.AlignmentFlag.AlignTop, str(self.state.env_ids[row]))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw in the new size."""
        super().resizeEvent(event)
        if self.state is not None and self.painter is not None:
            self.painter.set_state(self.state, self._cell_size())

    # Camera

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Begin to turn."""
        self._drag = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Turn."""
        if self._drag is not None and self.painter is not None and self.painter.has_camera:
            moved = event.position() - self._drag
            self._drag = event.position()
            self.painter.orbit(moved.x() / max(self.width(), 1), moved.y() / max(self.height(), 1))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Turned."""
        self._drag = None

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Zoom."""
        if self.painter is not None and self.painter.has_camera:
            self.painter.zoom(0.9 ** (event.angleDelta().y() / 120))
            event.accept()
        else:
            event.ignore()
