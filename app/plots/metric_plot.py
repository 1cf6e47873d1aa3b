"""One plot: a title with the newest values, and the curves below."""

from __future__ import annotations

import html
from typing import Any, List, Optional, Sequence, Tuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from app.panels.widgets import flat_button
from app.theme import colours, current_theme, plot_colours

from .curve_view import CurveView, PaintedCurve
from .drawing import DrawnCurve, steady_range, value_range
from .labels import label, short_number
from .newest_values import NewestValues

LEAST_SIZE = (210, 132)
_RAW_ALPHA, _FAINT_ALPHA, _FULL_ALPHA = 90, 120, 255


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
        self.view.set_colours(tokens["surface"], tokens["border"], tokens["dim_text"], tokens["faint_text"])
        self.values.set_ground(tokens["surface"])

    def set_logarithmic(self, on: bool) -> None:
        """Show logarithms; the scale's ticks say so."""
        self.logarithmic.blockSignals(True)
        self.logarithmic.setChecked(on)
        self.logarithmic.blockSignals(False)
        self.view.set_logarithmic(on)

    @property
    def pixels(self) -> int:
        """Width of the drawing area."""
        return int(self.view.place.width())

    def draw(self, curves: Sequence[DrawnCurve], axis: str, low: float, high: float, cursor: Optional[float]) -> None:
        """Show curves between two positions of the x axis."""
        self._match_items(len(curves))
        palette = plot_colours(current_theme())
        for curve, (raw, smooth) in zip(curves, self._items):
            colour = palette[curve.colour % len(palette)]
            strong = _FAINT_ALPHA if curve.is_faint else _FULL_ALPHA
            weak = _RAW_ALPHA if curve.smooth is not None else strong
            raw.show_points(curve.raw, colour, weak, 1)
            smooth.setVisible(curve.smooth is not None)
            if curve.smooth is not None:
                smooth.show_points(curve.smooth, colour, strong, 2)
        bottom, top = steady_range(value_range(curves, low, high))
        self.view.show_range(axis, low, high, bottom, top)
        self.view.cursor = cursor
        self.view.refresh()
        self._show_values(curves, palette)

    def _match_items(self, count: int) -> None:
        """Raw curves lie under the smoothed ones."""
        if len(self._items) != count:
            self._items = self._items[:count]
            self._items += [(PaintedCurve(), PaintedCurve()) for _ in range(count - len(self._items))]
            self.view.curves = [raw for raw, _ in self._items] + [smooth for _, smooth in self._items]

    def _show_values(self, curves: Sequence[DrawnCurve], palette: Sequence[str]) -> None:
        numbers = [_number(curve) for curve in curves]
        count = max(1, self.values.fitting(numbers)) if len(curves) > 1 else 1
        parts = [(number, palette[curve.colour % len(palette)]) for number, curve in zip(numbers[:count], curves)]
        dots = [("…", palette[0])] if len(curves) > count else []
        tip = "<br>".join(
            f"{html.escape(curve.name)}: {_explained(number, curve)}" for number, curve in zip(numbers, curves)
        )
        self.values.show_parts([*parts, *dots], tip)

    @property
    def shown(self) -> List[Tuple[Any, Any]]:
        """Positions and values of every raw curve as they are drawn."""
        return [raw.getData() for raw, _ in self._items]


def _explained(number: str, curve: DrawnCurve) -> str:
    measured = number if curve.measured_at_cursor is None else short_number(curve.measured_at_cursor)
    return number if measured == number else f"{number} smoothed, {measured} measured"


def _number(curve: DrawnCurve) -> str:
    return "–" if curve.at_cursor is None else short_number(curve.at_cursor)
