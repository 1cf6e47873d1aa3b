"""One plot: a title with the newest values, and the curves below."""

from __future__ import annotations

import html
import time
from typing import Any, List, Optional, Sequence, Tuple

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from app.panels.widgets import flat_button
from app.theme import colours, current_theme, plot_colours

from .drawing import DrawnCurve, value_range
from .labels import label, short_number
from .newest_values import NewestValues
from .ticks import RunAxis, ValueAxis, styled

LEAST_SIZE = (210, 132)
_PADDING = 0.08
_RAW_ALPHA, _FAINT_ALPHA = 90, 120


class CurveView(pg.PlotWidget):
    """The drawing area. Ctrl and the wheel zoom, dragging moves; a plain wheel is left to the panel.

    Signals:
        range_moved: Someone moved or zoomed to these positions.
        cursor_moved: The mouse is over this position; ``None`` when it has left.
        reset_requested: A double click.

    Attributes:
        paint_seconds: What the last painting took.
    """

    range_moved = Signal(float, float)
    cursor_moved = Signal(object)
    reset_requested = Signal()

    def __init__(self) -> None:
        self.run_axis, self.value_axis = RunAxis(), ValueAxis()
        super().__init__(axisItems={"bottom": self.run_axis, "left": self.value_axis}, enableMenu=False)
        self.paint_seconds = 0.0
        item = self.getPlotItem()
        item.hideButtons()
        self.view = item.getViewBox()
        self.view.disableAutoRange()
        self.view.setDefaultPadding(0)
        self.view.setMouseEnabled(x=True, y=False)
        self.view.sigRangeChangedManually.connect(self._on_moved)
        self.scene().sigMouseMoved.connect(self._on_mouse)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(80)

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

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint, and note how long it took."""
        start = time.perf_counter()
        super().paintEvent(event)
        self.paint_seconds = time.perf_counter() - start


class MetricPlot(QFrame):
    """A plot of one metric, or of several that belong together.

    Signals:
        remove_requested: From its menu.
        logarithmic_changed: From its menu.
    """

    remove_requested = Signal()
    logarithmic_changed = Signal(bool)

    def __init__(self, plot: str, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.plot = plot
        self.setObjectName(f"plot:{plot}")
        self.setAccessibleName(label(plot).text)
        self.setProperty("plotCard", True)
        self.setMinimumSize(*LEAST_SIZE)
        self.title = QLabel(label(plot).title)
        self.title.setToolTip(plot)
        self.unit = QLabel(label(plot).unit)
        self.unit.setProperty("role", "dim")
        self.values = NewestValues()
        self.menu_button = flat_button("more", f"What can be done with the plot {label(plot).title}")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._make_menu()
        self.view = CurveView()
        self._items: List[Tuple[Any, Any]] = []
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self.view.addItem(self._cursor, ignoreBounds=True)
        self._lay_out()
        self.set_theme()

    def _make_menu(self) -> None:
        menu = QMenu(self.menu_button)
        self.logarithmic = menu.addAction("Logarithmic scale")
        self.logarithmic.setCheckable(True)
        self.logarithmic.toggled.connect(self.logarithmic_changed)
        menu.addAction("Remove this plot").triggered.connect(lambda: self.remove_requested.emit())
        self.menu_button.setMenu(menu)

    def _lay_out(self) -> None:
        heading = QHBoxLayout()
        heading.setContentsMargins(8, 4, 4, 0)
        heading.setSpacing(6)
        heading.addWidget(self.title)
        heading.addWidget(self.unit)
        heading.addWidget(self.values, 1)
        heading.addWidget(self.menu_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        layout.addLayout(heading)
        layout.addWidget(self.view, 1)

    def set_theme(self) -> None:
        """Draw in the colours of the present theme."""
        tokens = colours(current_theme())
        self.view.setBackground(tokens["surface"])
        for axis in (self.view.run_axis, self.view.value_axis):
            styled(axis, tokens["border"], tokens["dim_text"])
        grid = QColor(tokens["border"])
        self.view.value_axis.setGrid(90)
        self.view.value_axis.setPen(pg.mkPen(grid))
        self._cursor.setPen(pg.mkPen(tokens["faint_text"]))

    def set_logarithmic(self, on: bool) -> None:
        """Show logarithms; the scale's ticks say so."""
        self.logarithmic.blockSignals(True)
        self.logarithmic.setChecked(on)
        self.logarithmic.blockSignals(False)
        self.view.value_axis.setLogMode(on)

    @property
    def pixels(self) -> int:
        """Width of the drawing area."""
        return int(self.view.view.width())

    def draw(self, curves: Sequence[DrawnCurve], axis: str, low: float, high: float, cursor: Optional[float]) -> None:
        """Show curves between two positions of the x axis."""
        self._match_items(len(curves))
        palette = plot_colours(current_theme())
        for curve, (raw, smooth) in zip(curves, self._items):
            colour = QColor(palette[curve.colour % len(palette)])
            strong = _with_alpha(colour, _FAINT_ALPHA) if curve.is_faint else colour
            weak = _with_alpha(colour, _RAW_ALPHA) if curve.smooth is not None else strong
            raw.setData(*curve.raw, pen=pg.mkPen(weak, width=1), connect="all", skipFiniteCheck=True)
            smooth.setVisible(curve.smooth is not None)
            if curve.smooth is not None:
                smooth.setData(*curve.smooth, pen=pg.mkPen(strong, width=2), connect="all", skipFiniteCheck=True)
        self._show_range(curves, axis, low, high)
        self._show_cursor(cursor)
        self._show_values(curves, palette)

    def _match_items(self, count: int) -> None:
        while len(self._items) < count:
            pair = pg.PlotCurveItem(), pg.PlotCurveItem()
            for z, item in enumerate(pair):
                item.setZValue(z)
                self.view.addItem(item, ignoreBounds=True)
            self._items.append(pair)
        while len(self._items) > count:
            for item in self._items.pop():
                self.view.removeItem(item)

    def _show_range(self, curves: Sequence[DrawnCurve], axis: str, low: float, high: float) -> None:
        if self.view.run_axis.kind != axis:
            self.view.run_axis.kind = axis
            self.view.run_axis.picture = None
        found = value_range(curves, low, high)
        bottom, top = found if found is not None else (0.0, 1.0)
        room = (top - bottom) * _PADDING or abs(top) * 0.1 or 0.5
        self.view.view.setRange(
            xRange=(low, high), yRange=(bottom - room, top + room), padding=0, disableAutoRange=True
        )

    def _show_cursor(self, cursor: Optional[float]) -> None:
        self._cursor.setVisible(cursor is not None)
        if cursor is not None:
            self._cursor.setPos(cursor)

    def _show_values(self, curves: Sequence[DrawnCurve], palette: Sequence[str]) -> None:
        shown = curves[: max(1, self.values.fitting([_number(curve) for curve in curves]))]
        parts = [(_number(curve), palette[curve.colour % len(palette)]) for curve in shown]
        self.values.show_parts([*parts, *([("…", palette[0])] if len(curves) > len(shown) else [])])
        self.values.setToolTip("<br>".join(f"{html.escape(curve.name)}: {_number(curve)}" for curve in curves))

    @property
    def shown(self) -> List[Tuple[Any, Any]]:
        """Positions and values of every raw curve as they are drawn."""
        return [raw.getData() for raw, _ in self._items]


def _number(curve: DrawnCurve) -> str:
    return "–" if curve.at_cursor is None else short_number(curve.at_cursor)


def _with_alpha(colour: QColor, alpha: int) -> QColor:
    lighter = QColor(colour)
    lighter.setAlpha(alpha)
    return lighter
