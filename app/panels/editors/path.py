"""A line with a button that opens the system's dialog for files or folders."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog

from app.panels.widgets import flat_button
from runtime.parameters import Parameter

from .text import TextEditor


class PathEditor(TextEditor):
    """The path of a file or of a folder."""

    def __init__(self, declared: Parameter, is_folder: bool):
        super().__init__(declared)
        self.is_folder = is_folder
        kind = "folder" if is_folder else "file"
        self.button = flat_button(kind, f"Choose a {kind}")
        self.button.clicked.connect(self._choose)
        self.box.addWidget(self.button)

    def _choose(self) -> None:
        title = self.button.toolTip()
        if self.is_folder:
            path = QFileDialog.getExistingDirectory(self, title, self.line.text())
        else:
            path, _ = QFileDialog.getOpenFileName(self, title, self.line.text())
        if path:
            self.line.setText(path)
            self._hand_over(path)
            self.finished.emit()
