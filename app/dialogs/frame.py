"""What the dialogs have in common."""

from __future__ import annotations

from typing import List

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTreeWidget, QVBoxLayout, QWidget


class EditorDialog(QDialog):
    """A dialog over the window that goes away when it is closed.

    Attributes:
        body: Layout of the content.
        buttons: The row at the bottom, with Close.
    """

    def __init__(self, parent: QWidget, name: str, title: str):
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        layout.addLayout(self.body, 1)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.buttons.rejected.connect(self.reject)
        layout.addWidget(self.buttons)

    def fit(self, width: int, height: int) -> None:
        """Take this size, or what the screen has."""
        free = self.screen().availableGeometry().size()
        self.resize(min(width, free.width() - 40), min(height, free.height() - 60))


def table(name: str, headers: List[str]) -> QTreeWidget:
    """A flat list with columns."""
    tree = QTreeWidget(objectName=name, rootIsDecorated=False, uniformRowHeights=True)
    tree.setHeaderLabels(headers)
    tree.setAccessibleName(name)
    return tree
