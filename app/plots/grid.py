"""Lays plots out in as many columns as fit."""

from __future__ import annotations

from typing import List, Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QScrollArea, QWidget

from .metric_plot import LEAST_SIZE

SPACING = 6
_COMFORTABLE_WIDTH, _MOST_COLUMNS = 280, 5


class PlotGrid(QScrollArea):
    """Plots side by side, all of one size; they share the height as far as it goes.

    Signals:
        view_changed: Other plots may be in view now.
    """

    view_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.inner = QWidget()
        self._layout = QGridLayout(self.inner)
        self._layout.setContentsMargins(SPACING, 0, SPACING, SPACING)
        self._layout.setSpacing(SPACING)
        self.setWidget(self.inner)
        self._plots: List[QWidget] = []
        self._columns = 0
        self.verticalScrollBar().valueChanged.connect(lambda _: self.view_changed.emit())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """One plot."""
        return QSize(LEAST_SIZE[0] + 2 * SPACING, LEAST_SIZE[1] + SPACING)

    def show_plots(self, plots: Sequence[QWidget]) -> None:
        """Show these and no others."""
        for plot in self._plots:
            self._layout.removeWidget(plot)
            if plot not in plots:
                plot.hide()
        self._plots = list(plots)
        self._arrange()
        for plot in plots:
            plot.show()

    def in_view(self) -> List[QWidget]:
        """The plots of which something can be seen."""
        return [plot for plot in self._plots if plot.isVisible() and not plot.visibleRegion().isEmpty()]

    def _fitting_columns(self) -> int:
        count = max(len(self._plots), 1)
        most = min(max(self.viewport().width() // _COMFORTABLE_WIDTH, 1), _MOST_COLUMNS, count)
        rows = -(-count // most)
        return -(-count // rows)  # as even as possible

    def _arrange(self) -> None:
        columns = self._fitting_columns()
        for column in range(_MOST_COLUMNS):
            self._layout.setColumnStretch(column, 1 if column < columns else 0)
        for place, plot in enumerate(self._plots):
            self._layout.addWidget(plot, place // columns, place % columns)
        self._columns = columns

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Use another number of columns where it fits better."""
        super().resizeEvent(event)
        if self._fitting_columns() != self._columns:
            self._arrange()
        self.view_changed.emit()
