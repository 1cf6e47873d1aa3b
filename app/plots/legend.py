"""The list of the runs that are drawn: colour, name, and what differs between them."""

from __future__ import annotations

from typing import Optional, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.panels.widgets import flat_button, text_label
from app.theme import current_theme, plot_colours

from .drawing import RunCurves

WIDTH = 250


class Swatch(QWidget):
    """A dash in the colour of a run, whatever the theme."""

    def __init__(self, colour: int):
        super().__init__()
        self._colour = colour
        self.setFixedSize(14, 4)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint."""
        palette = plot_colours(current_theme())
        QPainter(self).fillRect(self.rect(), QColor(palette[self._colour % len(palette)]))


class RunLegend(QScrollArea):
    """Shown only where runs are compared.

    Signals:
        remove_requested: Take the run at this place away.
    """

    remove_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("plotLegend")
        self.setAccessibleName("Compared runs")
        self.setFixedWidth(WIDTH)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_runs(self, runs: Sequence[RunCurves]) -> None:
        """List these; the first is the run of this window, if it has had one, and cannot be taken away."""
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(8)
        for place, run in enumerate(runs):
            if not place and not len(run.table):
                continue
            layout.addWidget(self._row(place, run))
        layout.addStretch(1)
        self.setWidget(inner)

    def _row(self, place: int, run: RunCurves) -> QWidget:
        row = QWidget()
        row.setObjectName(f"legend:{run.name}")
        heading = QHBoxLayout()
        heading.setContentsMargins(0, 0, 0, 0)
        heading.setSpacing(6)
        heading.addWidget(Swatch(run.colour))
        name = text_label(run.name)
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        heading.addWidget(name, 1)
        if place:
            button = flat_button("remove", f"Do not draw {run.name} any more")
            button.clicked.connect(lambda _=False, place=place: self.remove_requested.emit(place))
            heading.addWidget(button)
        layout = QVBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addLayout(heading)
        text = run.differences or ("Nothing that is known differs" if place else "")
        details: Optional[QLabel] = text_label(text, "dim") if text else None
        if details is not None:
            details.setContentsMargins(20, 0, 0, 0)
            layout.addWidget(details)
        row.setToolTip(f"{run.name}\n{run.differences}")
        return row
