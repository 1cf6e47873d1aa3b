"""The drawing area of a plot: axes painted once for many frames, and curves over them."""

from __future__ import annotations

import time
from typing import Any, List, Optional, Tuple

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPaintEngine, QPainter, QPaintEvent, QPixmap, QWheelEvent

from .drawing import Points
from .ground import GAP, TICK, Ground, GroundColours
from .ticks import RunAxis, ValueAxis


class PaintedCurve(pg.PlotCurveItem):
    """A curve of pyqtgraph in no scene, which keeps its pen: pyqtgraph copies one that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self._look: Optional[Tuple[str, int, int]] = None

    def show_points(self, points: Points, colour: str, alpha: int, width: int) -> None:
        """Take over these finite points, in a colour ``#rrggbb``."""
        if self._look != (colour, alpha, width):
            self._look = (colour, alpha, width)
            shade = QColor(colour)
            shade.setAlpha(alpha)
            self.setPen(pg.mkPen(shade, width=width))
        self.setData(*points, connect="all", skipFiniteCheck=True)


class CurveView(pg.PlotWidget):
    """Ctrl and the wheel zoom, dragging moves; a plain wheel is left to the panel.

    Range, ticks and mouse are pyqtgraph's, but its scene is not painted: it costs Python for each item. Axes and grid
    are kept as a picture until they change: most frames of a run only add a point, and curves are painted over it.
    What a frame needs of Qt's objects is kept too: with every one that is made, PySide lets another thread have Python,
    and a run in a thread takes it.

    Signals:
        range_moved: Someone moved or zoomed to these positions.
        cursor_moved: The mouse is over this position; ``None`` when it has left.
        reset_requested: A double click.

    Attributes:
        curves: The lowest first; `refresh` after a change.
        cursor: Position of a vertical line, or ``None``.
        paint_seconds: Processor time of the last painting.
        grounds: How often axes and grid were painted.
    """

    range_moved = Signal(float, float)
    cursor_moved = Signal(object)
    reset_requested = Signal()

    def __init__(self) -> None:
        self.run_axis, self.value_axis = RunAxis(), ValueAxis()
        self.curves: List[PaintedCurve] = []
        self.cursor: Optional[float] = None
        self.paint_seconds, self.grounds = 0.0, 0
        self._colours, self._cursor_colour = GroundColours.of("#000000", "#ffffff", "#ffffff"), QColor()
        self._ground: Optional[QPixmap] = None
        self._ratio = 1.0
        self._place: Optional[QRectF] = None
        super().__init__(axisItems={"bottom": self.run_axis, "left": self.value_axis}, enableMenu=False)
        self.run_axis.setHeight(self.fontMetrics().height() + TICK + GAP)
        item = self.getPlotItem()
        item.hideButtons()
        self.view = item.getViewBox()
        self.view.disableAutoRange()
        self.view.setDefaultPadding(0)
        self.view.setMouseEnabled(x=True, y=False)
        self.view.sigRangeChangedManually.connect(self._on_moved)
        for changed in (self.view.sigRangeChanged, self.view.sigResized):
            changed.connect(self.forget_ground)
        self.scene().sigMouseMoved.connect(self._on_mouse)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(80)

    def set_colours(self, surface: str, lines: str, texts: str, cursor: str) -> None:
        """Draw in the colours of a theme."""
        self._colours, self._cursor_colour = GroundColours.of(surface, lines, texts), QColor(cursor)
        self.forget_ground()

    def set_logarithmic(self, on: bool) -> None:
        """Whether values are logarithms; the ticks say so."""
        if on != self.value_axis.logMode:
            self.value_axis.setLogMode(on)
            self.forget_ground()

    def show_range(self, kind: str, low: float, high: float, bottom: float, top: float) -> None:
        """Show a part of the plane; ``kind`` is that of the x axis."""
        if self.run_axis.kind != kind:
            self.run_axis.kind, self.run_axis.picture = kind, None
            self.forget_ground()
        if self.view.viewRange() != [[low, high], [bottom, top]]:
            self.view.setRange(xRange=(low, high), yRange=(bottom, top), padding=0, disableAutoRange=True)

    def refresh(self) -> None:
        """Paint curves and cursor anew, soon."""
        place = self.place
        left, top = int(place.left()), int(place.top())
        self.viewport().update(left, top, int(place.right()) + 1 - left, int(place.bottom()) + 1 - top)

    def forget_ground(self, *_: Any) -> None:
        """Axes or grid have changed, or their size."""
        self._ground = self._place = None
        self.viewport().update()

    def resizeEvent(self, event: Any) -> None:  # noqa: N802
        """Lay out and paint anew."""
        super().resizeEvent(event)
        self.forget_ground()

    @property
    def place(self) -> QRectF:
        """Where the curves lie."""
        if self._place is None:
            self._place = self.view.sceneBoundingRect()
        return self._place

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint, and note what it took."""
        start = time.thread_time()
        with QPainter(self.viewport()) as painter:
            if painter.paintEngine().type() == QPaintEngine.Type.Raster:
                painter.drawPixmap(0, 0, self._picture())
            else:  # an export keeps lines and texts as such
                self._paint_ground(painter)
            self._paint_curves(painter)
        self.paint_seconds = time.thread_time() - start

    def _picture(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        if self._ground is None or ratio != self._ratio:
            self._ground, self._ratio = QPixmap(self.viewport().size() * ratio), ratio
            self._ground.setDevicePixelRatio(ratio)
            with QPainter(self._ground) as painter:
                self._paint_ground(painter)
            self.grounds += 1
        return self._ground

    def _paint_ground(self, painter: QPainter) -> None:
        size, ranges = self.viewport().size(), self.view.viewRange()
        painter.setFont(self.font())
        Ground(size, self.place, self.run_axis, self.value_axis, ranges, self._colours).paint(painter)

    def _paint_curves(self, painter: QPainter) -> None:
        place, ((low, high), (bottom, top)) = self.place, self.view.viewRange()
        left, lowest = place.left(), place.bottom()
        across, up = place.width() / (high - low), place.height() / (top - bottom)
        painter.setClipRect(place)
        if self.cursor is not None:
            x = round(left + (self.cursor - low) * across)
            painter.setPen(self._cursor_colour)
            painter.drawLine(x, int(place.top()), x, int(lowest))
        painter.translate(left - low * across, lowest + bottom * up)
        painter.scale(across, -up)
        for curve in self.curves:
            if curve.isVisible():
                curve.paint(painter, None, None)

    # Mouse

    def _on_moved(self, _: Any = None) -> None:
        (low, high), _y = self.view.viewRange()
        self.range_moved.emit(low, high)

    def _on_mouse(self, position: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(position)
        self.cursor_moved.emit(self.view.mapSceneToView(position).x() if inside else None)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """The cursor is nowhere now."""
        super().leaveEvent(event)
        self.cursor_moved.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Zoom with Ctrl."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: Any) -> None:  # noqa: N802
        """Show all again."""
        self.reset_requested.emit()
