"""The view: zoom, pan, the grid, and which tool gets the mouse."""

from __future__ import annotations

import math
from typing import Callable, List, NamedTuple, Optional

from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPixmapCache,
    QResizeEvent,
    QUndoStack,
    QWheelEvent,
)
from PySide6.QtWidgets import QGraphicsScene, QGraphicsView, QWidget

from .nodegraph import NodeViewer
from .theme import Theme

SMALLEST_ZOOM, LARGEST_ZOOM = 0.06, 3.0
GRID = 20
FAR = 100_000.0
EDGE, EDGE_PAN_MS = 24.0, 20
CACHE_KILOBYTES = 64 * 1024
NODE_TYPE_MIME = "application/x-dnne-node-type"


class Tool:
    """What the mouse does between press and release."""

    cursor: Optional[Qt.CursorShape] = None

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """The mouse is at ``position`` in the scene."""

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """The button was let go: do it."""

    def cancel(self) -> None:
        """Escape: leave everything as it was."""


class _Grid(NamedTuple):
    """The lines of the grid in a part of the scene, kept while the view stands still."""

    area: QRectF
    step: int
    lines: List[QLineF]

    @classmethod
    def of(cls, area: QRectF, step: int) -> _Grid:
        """At the multiples of a step, a little beyond the area."""
        area = area.adjusted(-step, -step, step, step)
        left, right, top, bottom = area.left(), area.right(), area.top(), area.bottom()
        columns = range(math.floor(left / step) * step, math.ceil(right) + step, step)
        rows = range(math.floor(top / step) * step, math.ceil(bottom) + step, step)
        return cls(area, step, [*(QLineF(x, top, x, bottom) for x in columns),
                                *(QLineF(left, y, right, y) for y in rows)])  # fmt: skip


def _cosmetic(colour: QColor) -> QPen:
    pen = QPen(colour, 1.0)
    pen.setCosmetic(True)
    return pen


class CanvasViewer(NodeViewer):
    """NodeGraphQt's viewer with a camera and events of its own.

    Signals:
        pressed: Left button (scene position, modifiers): the receiver may set ``tool``.
        hovered: The mouse moved without a tool (scene position).
        double_clicked: Left button (scene position).
        menu_requested: Scene position and global position.
        menu_key_pressed: The key that opens the menu of what is selected.
        type_dropped: Class name of a node type, scene position.
        view_changed: Zoomed, panned or resized.
        left: The mouse left the canvas.
    """

    pressed = Signal(QPointF, object)
    hovered = Signal(QPointF)
    double_clicked = Signal(QPointF)
    menu_requested = Signal(QPointF, QPoint)
    menu_key_pressed = Signal()
    type_dropped = Signal(str, QPointF)
    view_changed = Signal()
    left = Signal()

    def __init__(self, undo_stack: QUndoStack, parent: Optional[QWidget] = None):
        super().__init__(parent, undo_stack=undo_stack)
        self._search_widget.setParent(self)
        self._search_widget.hide()
        self.theme = Theme({})
        self._grid: Optional[_Grid] = None
        self._grid_pen = _cosmetic(self.theme.grid)
        self.tool: Optional[Tool] = None
        self.keys: Callable[[QKeyEvent], bool] = lambda event: False
        self.cursor_position = QPointF()
        self.touched = False
        self._pan_from: Optional[QPoint] = None
        self._space_down = False
        self._edge_pan = QTimer(self, interval=EDGE_PAN_MS)
        self._edge_pan.timeout.connect(self._pan_at_edge)
        self.setFrameShape(QGraphicsView.Shape.NoFrame)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState, True)
        self.setSceneRect(-FAR, -FAR, 2 * FAR, 2 * FAR)
        self.setMouseTracking(True)
        QPixmapCache.setCacheLimit(max(QPixmapCache.cacheLimit(), CACHE_KILOBYTES))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.BspTreeIndex)
        self.centerOn(0, 0)

    def _build_context_menus(self) -> None:
        """NodeGraphQt's menus stay empty: the canvas has its own."""

    def _update_scene(self) -> None:
        """NodeGraphQt's camera is not used."""

    # Camera

    @property
    def zoom(self) -> float:
        """Screen pixels per scene pixel."""
        return float(self.transform().m11())

    def get_zoom(self) -> float:
        """The zoom as NodeGraphQt counts it."""
        return self.zoom - 1.0

    def set_zoom_at(self, zoom: float, at: QPointF) -> None:
        """Zoom, and keep what lies under a viewport position there."""
        zoom = min(max(zoom, SMALLEST_ZOOM), LARGEST_ZOOM)
        fixed = self.scene_position(at)
        self.resetTransform()
        self.scale_to(zoom)
        self._scroll(fixed * zoom - QPointF(at))
        self.view_changed.emit()

    def scale_to(self, zoom: float) -> None:
        """Set the zoom alone."""
        QGraphicsView.scale(self, zoom, zoom)

    def _scroll(self, corner: QPointF) -> None:
        shift = corner - self._corner()
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() + round(shift.x()))
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + round(shift.y()))

    def _corner(self) -> QPointF:
        transform = self.viewportTransform()
        return QPointF(-transform.dx(), -transform.dy())

    def scene_position(self, at: QPointF) -> QPointF:
        """Scene position of a point of the viewport."""
        inverse, _ = self.viewportTransform().inverted()
        return inverse.map(QPointF(at))

    def pan(self, pixels: QPointF) -> None:
        """Move the view by screen pixels."""
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() + round(pixels.x()))
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + round(pixels.y()))
        self.view_changed.emit()

    def show_rect(self, rect: QRectF, largest: float = 1.0, margin: float = 30.0) -> None:
        """Bring a rectangle into view as large as fits."""
        size = self.viewport().size()
        across = max(size.width() - 2 * margin, 50.0) / max(rect.width(), 1.0)
        down = max(size.height() - 2 * margin, 50.0) / max(rect.height(), 1.0)
        self.resetTransform()
        self.scale_to(min(max(min(across, down), SMALLEST_ZOOM), largest))
        self.centerOn(rect.center())
        self.view_changed.emit()

    def centre_on(self, position: QPointF) -> None:
        """Bring a point into the middle."""
        self.centerOn(position)
        self.view_changed.emit()

    def ensure_seen(self, rect: QRectF) -> None:
        """Bring a rectangle into view, if it is not, without a change of zoom."""
        if not self.visible_rect().contains(rect):
            self.centre_on(rect.center())

    def visible_rect(self) -> QRectF:
        """What is seen of the scene."""
        size = self.viewport().size()
        return QRectF(self.scene_position(QPointF(0, 0)), self.scene_position(QPointF(size.width(), size.height())))

    # Grid

    def set_theme(self, theme: Theme) -> None:
        """Draw the background in other colours."""
        self.theme = theme
        self._grid_pen = _cosmetic(theme.grid)
        self.scene().setBackgroundBrush(theme.background)
        self.viewport().update()

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:  # noqa: N802
        """A grid that thins out as one zooms out."""
        painter.fillRect(rect, self.theme.background)
        step = GRID
        while step * self.zoom < 16:
            step *= 5
        if self._grid is None or self._grid.step != step or not self._grid.area.contains(rect):
            seen = self.visible_rect()
            self._grid = _Grid.of(seen if seen.contains(rect) else rect, step)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(self._grid_pen)
        painter.drawLines(self._grid.lines)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Left: a tool, or pan with space held; middle: pan."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.touched = True
        position = self.scene_position(event.position())
        if event.button() == Qt.MouseButton.MiddleButton or (
            event.button() == Qt.MouseButton.LeftButton and self._space_down
        ):
            self._pan_from = event.position().toPoint()
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit(position, event.modifiers())
            if self.tool is not None and self.tool.cursor is not None:
                self.viewport().setCursor(self.tool.cursor)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Pan, let the tool work, or hover."""
        position = self.scene_position(event.position())
        self.cursor_position = position
        self._previous_pos = event.position().toPoint()
        if self._pan_from is not None:
            here = event.position().toPoint()
            self.pan(QPointF(self._pan_from - here))
            self._pan_from = here
        elif self.tool is not None:
            self.tool.move(position, event.modifiers())
            if not self._edge_step().isNull():
                self._edge_pan.start()
        else:
            self.hovered.emit(position)
        event.accept()

    def _edge_step(self) -> QPointF:
        """How far the view moves per tick while something is dragged at its edge."""
        inner = QRectF(self.viewport().rect()).adjusted(EDGE, EDGE, -EDGE, -EDGE)
        at = QPointF(self._previous_pos)
        across = min(0.0, at.x() - inner.left()) + max(0.0, at.x() - inner.right())
        down = min(0.0, at.y() - inner.top()) + max(0.0, at.y() - inner.bottom())
        limit = EDGE * 1.5
        return QPointF(min(max(across, -limit), limit), min(max(down, -limit), limit)) * 0.5

    def _pan_at_edge(self) -> None:
        step = self._edge_step()
        if self.tool is None or step.isNull():
            self._edge_pan.stop()
            return
        self.pan(step)
        self.cursor_position = self.scene_position(QPointF(self._previous_pos))
        self.tool.move(self.cursor_position, QGuiApplication.keyboardModifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """End of a pan or of a tool's work."""
        if self._pan_from is not None and event.button() in (Qt.MouseButton.MiddleButton, Qt.MouseButton.LeftButton):
            self._pan_from = None
            self._show_cursor()
        elif self.tool is not None and event.button() == Qt.MouseButton.LeftButton:
            tool, self.tool = self.tool, None
            self._show_cursor()
            tool.release(self.scene_position(event.position()), event.modifiers())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Left double click."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.double_clicked.emit(self.scene_position(event.position()))
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Zoom at the cursor; with Shift, pan sideways."""
        self.touched = True
        steps = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pan(QPointF(-steps * 0.6, 0))
        else:
            self.set_zoom_at(self.zoom * 1.0015**steps, event.position())
        event.accept()

    def cancel_tool(self) -> bool:
        """Stop what the mouse is doing; true if it was doing something."""
        if self.tool is None:
            return False
        tool, self.tool = self.tool, None
        self._show_cursor()
        tool.cancel()
        return True

    def _show_cursor(self) -> None:
        shape = Qt.CursorShape.OpenHandCursor if self._space_down else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """Right click, or the menu key."""
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            at = event.pos()
            self.menu_requested.emit(self.scene_position(QPointF(at)), self.viewport().mapToGlobal(at))
        else:
            self.menu_key_pressed.emit()
        event.accept()

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Space for panning; the rest goes to the canvas."""
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                self._space_down = True
                self._show_cursor()
            event.accept()
        elif self.keys(event):
            event.accept()
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Space was let go."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space_down = False
            self._show_cursor()
        else:
            event.ignore()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802
        """Tab opens the search instead of leaving the canvas."""
        return False

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Without NodeGraphQt's menus."""
        QGraphicsView.focusInEvent(self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Space cannot stay down behind another window."""
        self._space_down = False
        QGraphicsView.focusOutEvent(self, event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Without NodeGraphQt's zoom."""
        QGraphicsView.resizeEvent(self, event)
        self.view_changed.emit()

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802
        """No tooltips of Qt: the canvas shows its own."""
        if event.type() == QEvent.Type.ToolTip:
            return True
        if event.type() == QEvent.Type.Leave:
            self.left.emit()
        return bool(super().viewportEvent(event))

    # Drops

    def dragEnterEvent(self, event) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        """A node type from the palette; anything else is for the window."""
        event.setAccepted(event.mimeData().hasFormat(NODE_TYPE_MIME))

    dragMoveEvent = dragEnterEvent  # noqa: N815

    def dropEvent(self, event) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        """Add the node where it was dropped."""
        name = bytes(event.mimeData().data(NODE_TYPE_MIME).data()).decode()
        event.acceptProposedAction()
        self.type_dropped.emit(name, self.scene_position(event.position()))
