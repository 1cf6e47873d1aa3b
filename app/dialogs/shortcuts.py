"""All shortcuts in one list, taken from the actions, and what the mouse does on the canvas."""

from __future__ import annotations

from typing import Sequence, Tuple

from PySide6.QtWidgets import QHeaderView, QLineEdit, QTreeWidgetItem, QWidget

from .frame import EditorDialog, table

Row = Tuple[str, str, str]

CANVAS: Tuple[Row, ...] = (
    ("Canvas", "Search for a node type", "Tab or double click"),
    ("Canvas", "Wire two ports", "Drag from port to port"),
    ("Canvas", "Add a node that fits a wire", "Drop the wire on empty canvas"),
    ("Canvas", "Select several nodes", "Drag over empty canvas, or Shift and click"),
    ("Canvas", "Move the view", "Drag with the middle button, or Space and drag"),
    ("Canvas", "Zoom", "Mouse wheel"),
    ("Canvas", "What can be done here", "Right click"),
)


class ShortcutsDialog(EditorDialog):
    """A list with a search field."""

    def __init__(self, parent: QWidget, rows: Sequence[Row]):
        super().__init__(parent, "shortcutsDialog", "Keyboard and mouse")
        self._search = QLineEdit(objectName="shortcutsSearch", clearButtonEnabled=True, placeholderText="Search")
        self._search.setAccessibleName("Search")
        self._search.textChanged.connect(self._filter)
        self.list = table("shortcutsList", ["", "What", "Keys"])
        self.list.setAccessibleName("Shortcuts")
        self._items = [QTreeWidgetItem(list(row)) for row in (*rows, *CANVAS)]
        self.list.addTopLevelItems(self._items)
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.body.addWidget(self._search)
        self.body.addWidget(self.list, 1)
        self.fit(620, 560)

    def _filter(self, text: str) -> None:
        for item in self._items:
            line = " ".join(item.text(column) for column in range(3))
            item.setHidden(text.casefold() not in line.casefold())
