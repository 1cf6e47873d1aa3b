"""What did not come over as it was when a file was imported."""

from __future__ import annotations

from typing import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from runtime.importing import ImportNote

from ..panels.widgets import text_label
from .frame import EditorDialog


def show_import_notes(parent: QWidget, notes: Sequence[ImportNote], reveal: Callable[[str], None]) -> EditorDialog:
    """List the notes of an import; a click shows the node."""
    dialog = EditorDialog(parent, "importNotesDialog", "Imported")
    dialog.body.addWidget(text_label(_summary(len(notes))))
    if notes:
        dialog.body.addWidget(_list(notes, reveal), 1)
        copy = dialog.buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setObjectName("importNotesCopy")
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QApplication.clipboard().setText("\n".join(note.text for note in notes)))
    dialog.fit(*((820, 460) if notes else (420, 120)))
    dialog.open()
    return dialog


def _summary(count: int) -> str:
    if count == 0:
        return "Everything came over as it was. Save the workflow to keep it."
    what = "1 thing did not come over as it was" if count == 1 else f"{count} things did not come over as they were"
    return f"{what}. Nothing is lost: nodes without a counterpart stay as placeholders."


def _list(notes: Sequence[ImportNote], reveal: Callable[[str], None]) -> QWidget:
    table = QTableWidget(len(notes), 3, objectName="importNotes", showGrid=False)
    table.setAccessibleName("Notes of the import")
    table.setHorizontalHeaderLabels(["Node", "What", "What to do"])
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.verticalHeader().hide()
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    for row, note in enumerate(notes):
        for column, text in enumerate((_place(note), note.message, note.remedy)):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            table.setItem(row, column, item)
    stretch, contents = QHeaderView.ResizeMode.Stretch, QHeaderView.ResizeMode.ResizeToContents
    for column, mode in enumerate((contents, stretch, stretch)):
        table.horizontalHeader().setSectionResizeMode(column, mode)
    table.verticalHeader().setSectionResizeMode(contents)

    def clicked(row: int, _: int) -> None:
        if notes[row].node_id:
            reveal(notes[row].node_id)

    table.cellClicked.connect(clicked)
    return table


def _place(note: ImportNote) -> str:
    if not note.node_id:
        return "File"
    return (note.label or note.node_id) + (f" · {note.name}" if note.name else "")
