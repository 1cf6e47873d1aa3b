"""What did not come over as it was when a file was imported."""

from __future__ import annotations

from typing import Callable, Sequence

from PySide6.QtWidgets import QApplication, QDialogButtonBox, QHeaderView, QTreeWidgetItem, QWidget

from runtime.importing import ImportNote

from ..panels.widgets import text_label
from .frame import EditorDialog, table


def show_import_notes(parent: QWidget, notes: Sequence[ImportNote], reveal: Callable[[str], None]) -> EditorDialog:
    """List the notes of an import; a click shows the node."""
    dialog = EditorDialog(parent, "importNotesDialog", "Imported")
    dialog.body.addWidget(text_label(_summary(len(notes))))
    if notes:
        dialog.body.addWidget(_list(notes, reveal), 1)
        copy = dialog.buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setObjectName("importNotesCopy")
        copy.clicked.connect(lambda: QApplication.clipboard().setText("\n".join(note.text for note in notes)))
    dialog.fit(*((820, 460) if notes else (420, 120)))
    dialog.open()
    return dialog


def _summary(count: int) -> str:
    if count == 0:
        return "Everything came over as it was. Save the workflow to keep it."
    what = "1 thing" if count == 1 else f"{count} things"
    return f"{what} did not come over as it was. Nothing is lost: nodes without a counterpart stay as placeholders."


def _list(notes: Sequence[ImportNote], reveal: Callable[[str], None]) -> QWidget:
    tree = table("importNotes", ["Node", "What", "What to do"])
    tree.setAccessibleName("Notes of the import")
    tree.setWordWrap(True)
    tree.setUniformRowHeights(False)
    for note in notes:
        where = f"{note.label or note.node_id}" + (f" · {note.name}" if note.name else "") if note.node_id else "File"
        item = QTreeWidgetItem([where, note.message, note.remedy])
        item.setToolTip(1, note.text)
        tree.addTopLevelItem(item)
    tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
    tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    tree.header().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)

    def clicked(item: QTreeWidgetItem) -> None:
        note = notes[tree.indexOfTopLevelItem(item)]
        if note.node_id:
            reveal(note.node_id)

    tree.itemClicked.connect(clicked)
    return tree
