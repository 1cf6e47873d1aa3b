"""The list in which metrics are searched and chosen to be plotted."""

from __future__ import annotations

from typing import Collection, Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.canvas.fuzzy import score

from .labels import label

_SIZE = (300, 330)


class MetricPicker(QFrame):
    """A popup with every metric; a check mark shows a plot.

    Signals:
        chosen: Name of a plot, and whether it is to be shown.
    """

    chosen = Signal(str, bool)

    def __init__(self, parent: QWidget):
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("metricPicker")
        self.setProperty("panel", True)
        self.search = QLineEdit(placeholderText="Search metrics", clearButtonEnabled=True)
        self.search.setAccessibleName("Search metrics")
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._toggle_first)
        self.list = QListWidget()
        self.list.setAccessibleName("Metrics")
        self.list.itemChanged.connect(self._on_changed)
        self.nothing = QLabel("No metric of this run has such a name.")
        self.nothing.setProperty("role", "dim")
        self.nothing.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.search)
        layout.addWidget(self.nothing)
        layout.addWidget(self.list, 1)
        self.resize(*_SIZE)

    def open_at(self, place: QPoint, plots: Sequence[str], shown: Collection[str]) -> None:
        """Show the list with its upper left corner at a place of the screen."""
        self.fill(plots, shown)
        screen = self.screen().availableGeometry()
        x = max(screen.left(), min(place.x(), screen.right() - _SIZE[0]))
        y = max(screen.top(), min(place.y(), screen.bottom() - _SIZE[1]))
        self.move(x, y)
        self.show()
        self.search.setFocus()

    def fill(self, plots: Sequence[str], shown: Collection[str]) -> None:
        """List these plots."""
        self.search.clear()
        self.list.blockSignals(True)
        self.list.clear()
        for plot in plots:
            item = QListWidgetItem(label(plot).text, self.list)
            item.setData(Qt.ItemDataRole.UserRole, plot)
            item.setToolTip(plot)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if plot in shown else Qt.CheckState.Unchecked)
        self.list.blockSignals(False)

    def _filter(self, text: str) -> None:
        found = 0
        for row in range(self.list.count()):
            item = self.list.item(row)
            name = f"{item.text()} {item.data(Qt.ItemDataRole.UserRole)}"
            is_hit = not text.strip() or score(text.strip(), name) is not None
            item.setHidden(not is_hit)
            found += is_hit
        self.nothing.setVisible(found == 0)

    def _toggle_first(self) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            if not item.isHidden():
                is_shown = item.checkState() == Qt.CheckState.Checked
                item.setCheckState(Qt.CheckState.Unchecked if is_shown else Qt.CheckState.Checked)
                return

    def _on_changed(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole), item.checkState() == Qt.CheckState.Checked)
