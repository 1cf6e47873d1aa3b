"""Dialogs that choose a file or a folder, and call back with it."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

FILTER = "Workflows (*.json);;All files (*)"

Chosen = Callable[[Path], None]


def choose_file(parent: QWidget, name: str, title: str, folder: Optional[Path], chosen: Chosen) -> QFileDialog:
    """Choose a file that exists."""
    dialog = _dialog(parent, name, title, folder, chosen)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilter(FILTER)
    dialog.open()
    return dialog


def choose_target(parent: QWidget, name: str, title: str, suggestion: Path, chosen: Chosen) -> QFileDialog:
    """Choose where to save; asks before an existing file is written over."""
    dialog = _dialog(parent, name, title, suggestion.parent, chosen)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter(FILTER)
    dialog.setDefaultSuffix("json")
    dialog.selectFile(suggestion.name)
    dialog.open()
    return dialog


def choose_folder(parent: QWidget, name: str, title: str, folder: Optional[Path], chosen: Chosen) -> QFileDialog:
    """Choose a folder, which may be made in the dialog."""
    dialog = _dialog(parent, name, title, folder, chosen)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.open()
    return dialog


def _dialog(parent: QWidget, name: str, title: str, folder: Optional[Path], chosen: Chosen) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setObjectName(name)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    if folder is not None and folder.is_dir():
        dialog.setDirectory(str(folder))

    def accepted() -> None:
        selected = dialog.selectedFiles()
        if selected:
            chosen(Path(selected[0]))

    dialog.accepted.connect(accepted)
    return dialog
