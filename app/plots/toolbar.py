"""The row of controls above the plots."""

from __future__ import annotations

from typing import Tuple

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QPushButton, QSlider, QToolButton, QWidget

from app.panels.widgets import flat_button, text_label

from .choices import PlotChoices
from .metric_table import AXES

EXPORTS: Tuple[Tuple[str, str], ...] = (("png", "Picture (PNG)…"), ("svg", "Drawing (SVG)…"), ("csv", "Numbers (CSV)…"))
_MOST = 99
_LEAST_WIDTH, _ROOM_FOR_SLIDER, _ROOM_FOR_WORDS = 260, 400, 520


class PlotToolbar(QWidget):
    """What can be chosen for all plots.

    Signals:
        add_requested: The list of metrics.
        axis_changed: steps, iterations or time.
        smoothing_changed: Weight in [0, 0.99].
        follow_changed: Whether the newest values are to stay in view.
        export_requested: Ending of the file's name.
    """

    add_requested = Signal()
    axis_changed = Signal(str)
    smoothing_changed = Signal(float)
    follow_changed = Signal(bool)
    export_requested = Signal(str)

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.add = QPushButton("Add metric", objectName="plotsAddMetric")
        self.add.setToolTip("Choose what is plotted")
        self.add.clicked.connect(lambda: self.add_requested.emit())
        self.axis = QComboBox(objectName="plotsAxis", toolTip="What lies on the x axes")
        self.axis.setAccessibleName("x axis")
        for axis in AXES:
            self.axis.addItem(axis.capitalize(), axis)
        self.axis.activated.connect(lambda _: self.axis_changed.emit(self.axis.currentData()))
        self.smoothing = QSlider(Qt.Orientation.Horizontal, objectName="plotsSmoothing")
        self.smoothing.setAccessibleName("Smoothing")
        self.smoothing.setToolTip("Weight of earlier values in the smoothed curve")
        self.smoothing.setRange(0, _MOST)
        self.smoothing.setMaximumWidth(110)
        self.smoothing.setMinimumWidth(60)
        self.weight = text_label("", "dim", wrap=False)
        self.weight.setMinimumWidth(self.weight.fontMetrics().horizontalAdvance("0.00 "))
        self.smoothing.valueChanged.connect(self._on_slider)
        self.follow = _check_button("Follow", "plotsFollow", "Show all of the run as it grows (double-click a plot)")
        self.follow.clicked.connect(lambda: self.follow_changed.emit(self.follow.isChecked()))
        self.export = flat_button("export", "Export the plots")
        self.export.setObjectName("plotsExport")
        self.export.setIconSize(QSize(16, 16))
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export.setMenu(self._export_menu())
        self._words = [text_label(text, "dim", wrap=False) for text in ("x axis", "Smoothing")]
        self._lay_out()
        self.setMinimumWidth(_LEAST_WIDTH)

    def _export_menu(self) -> QMenu:
        menu = QMenu(self)
        for ending, text in EXPORTS:
            action = menu.addAction(text)
            action.setObjectName(f"plotsExport{ending.capitalize()}")
            action.triggered.connect(lambda _=False, ending=ending: self.export_requested.emit(ending))
        return menu

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(8)
        layout.addWidget(self.add)
        layout.addWidget(self._words[0])
        layout.addWidget(self.axis)
        layout.addWidget(self._words[1])
        layout.addWidget(self.smoothing)
        layout.addWidget(self.weight)
        layout.addStretch(1)
        layout.addWidget(self.follow)
        layout.addWidget(self.export)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leave out what explains where there is little room, and then the slider."""
        super().resizeEvent(event)
        for label in self._words:
            label.setVisible(self.width() >= _ROOM_FOR_WORDS)
        for widget in (self.smoothing, self.weight):
            widget.setVisible(self.width() >= _ROOM_FOR_SLIDER)

    def show_choices(self, choices: PlotChoices) -> None:
        """Show what is chosen."""
        self.axis.setCurrentIndex(AXES.index(choices.axis))
        self.smoothing.blockSignals(True)
        self.smoothing.setValue(round(100 * choices.smoothing))
        self.smoothing.blockSignals(False)
        self._show_weight()

    def show_follow(self, on: bool) -> None:
        """Whether the newest values stay in view."""
        self.follow.setChecked(on)

    def set_data(self, there: bool) -> None:
        """Without data there is nothing to add, export or follow."""
        for widget in (self.add, self.export, self.follow):
            widget.setEnabled(there)

    def _on_slider(self, _: int) -> None:
        self._show_weight()
        self.smoothing_changed.emit(self.smoothing.value() / 100)

    def _show_weight(self) -> None:
        value = self.smoothing.value()
        self.weight.setText(f"{value / 100:.2f}" if value else "off")


def _check_button(text: str, name: str, tip: str) -> QToolButton:
    button = QToolButton(objectName=name, text=text, toolTip=tip, checkable=True, checked=True)
    button.setProperty("chip", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
