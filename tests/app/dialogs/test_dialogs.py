"""Templates, notes of an import, shortcuts, about, messages."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QListWidget, QMessageBox, QTableWidget

from app.dialogs.import_notes import show_import_notes
from app.dialogs.messages import ACCEPT, REJECT, ask, show_error
from app.dialogs.templates import TemplatesDialog
from runtime.importing import ImportNote

EXAMPLES = Path(__file__).parents[3] / "examples"


def trigger(window, name):
    window.findChild(QAction, name).trigger()


def test_a_template_starts_an_unsaved_copy(window, dialog, press):
    trigger(window, "actionTemplates")
    gallery = dialog(window, "templatesDialog").findChild(QListWidget, "templatesList")
    assert gallery.count() == len(list(EXAMPLES.glob("*.json")))
    assert not gallery.item(0).icon().isNull()
    names = [gallery.item(row).text() for row in range(gallery.count())]
    gallery.setCurrentRow(next(row for row, name in enumerate(names) if name.startswith("Cartpole PPO")))
    press(window, "templatesDialog", "Use This")
    assert len(window.session.workflow.nodes) == 6
    assert window.session.document.path is None


def test_enter_takes_a_template(window, qtbot):
    chosen = []
    gallery = TemplatesDialog(window, chosen.append)
    gallery.open()
    qtbot.keyClick(gallery.list, Qt.Key.Key_Return)
    assert len(chosen) == 1
    assert not gallery.isVisible()


def test_a_folder_without_templates_offers_none(window, tmp_path):
    gallery = TemplatesDialog(window, print, folder=tmp_path)
    assert not gallery._button.isEnabled()
    gallery.close()


def test_notes_of_an_import_lead_to_their_nodes(window, press):
    shown = []
    notes = [ImportNote("3", "lr", "it was dropped", "set it again", "Agent"), ImportNote("", "", "the file is old")]
    found = show_import_notes(window, notes, shown.append)
    table = found.findChild(QTableWidget, "importNotes")
    rows = [[table.item(row, column).text() for column in range(3)] for row in range(2)]
    assert rows == [["Agent · lr", "it was dropped", "set it again"], ["File", "the file is old", ""]]
    table.cellClicked.emit(0, 0)
    table.cellClicked.emit(1, 0)
    assert shown == ["3"]
    press(window, "importNotesDialog", "Copy")
    assert QApplication.clipboard().text() == "\n".join(note.text for note in notes)
    found.close()


def test_an_import_without_notes_says_so(window):
    found = show_import_notes(window, [], print)
    assert any("Everything came over" in label.text() for label in found.findChildren(QLabel))
    found.close()


def test_shortcuts_are_listed_and_found(window, dialog):
    trigger(window, "actionShortcuts")
    found = dialog(window, "shortcutsDialog")
    tree = found.list
    rows = [[tree.topLevelItem(i).text(column) for column in range(3)] for i in range(tree.topLevelItemCount())]
    assert ["File", "Save", "Ctrl+S"] in rows
    assert ["Edit", "Redo", "Ctrl+Shift+Z or Ctrl+Y"] in rows
    found.findChild(QLineEdit, "shortcutsSearch").setText("ctrl+d")
    visible = [rows[i][1] for i in range(len(rows)) if not tree.topLevelItem(i).isHidden()]
    assert visible == ["Duplicate"]
    found.close()


def test_about_names_the_versions(window, dialog):
    import torch

    from runtime import __version__

    trigger(window, "actionAbout")
    found = dialog(window, "aboutDialog")
    text = found.findChild(QLabel, "aboutVersions").text()
    assert f"DNNE {__version__}" in text
    assert f"PyTorch {torch.__version__}" in text
    found.close()


def test_node_reference_follows_the_selection(make_window, dialog):
    window = make_window(EXAMPLES / "cartpole_ppo.json")
    window.session.select(["6"])
    trigger(window, "actionNodeReference")
    assert window.node_help.isVisible()
    assert "PPO Trainer" in window.node_help.windowTitle()
    window.node_help.close()


def test_escape_takes_the_rejecting_choice(window, qtbot):
    seen = []
    box = ask(window, "questionDialog", "Really?", "It matters.", [
        ("&Yes", ACCEPT, lambda: seen.append("yes")), ("No", REJECT, lambda: seen.append("no")),
    ])  # fmt: skip
    assert box.defaultButton().objectName() == "questionDialogYes"
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert seen == ["no"]


def test_messages_show_text_as_it_is(window):
    box = show_error(window, "<b>x</b> was not saved.", "/tmp/<i>: no space", "trace")
    assert box.textFormat() == Qt.TextFormat.PlainText
    assert (box.icon(), box.detailedText()) == (QMessageBox.Icon.Warning, "trace")
    box.close()
