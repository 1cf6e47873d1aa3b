"""Open, save, import, recent files, other programs: nothing is lost, and every failure names file and reason."""

import json
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QTableWidget

from app.document.edits import add_node
from runtime.workflow import load_workflow

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"
EARLIER = ROOT / "tests" / "fixtures" / "earlier_dnne"


def trigger(window, name):
    window.findChild(QAction, name).trigger()


def add(window, class_type="ORNode"):
    node_id, changes = add_node(window.session.workflow, window.session.node_class(class_type), (0, 0))
    window.session.edit(f"Add {class_type}", changes)
    return node_id


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "mine.json"
    path.write_bytes(EXAMPLE.read_bytes())
    return path


# Opening


def test_open_shows_what_was_chosen(window, choose, path):
    trigger(window, "actionOpen")
    choose(window, "openDialog", path)
    assert window.session.document.path == path
    assert window.settings.recent == [path]


def test_new_is_empty(make_window, path):
    window = make_window(path)
    trigger(window, "actionNew")
    assert window.session.workflow.nodes == {}
    assert window.session.document.path is None


@pytest.mark.parametrize("name", ["actionNew", "actionOpen", "actionTemplates", "actionImport"])
def test_unsaved_changes_are_guarded(window, dialog, press, choose, path, name):
    add(window)
    trigger(window, name)
    if name in ("actionOpen", "actionImport"):
        choose(window, {"actionOpen": "openDialog", "actionImport": "importDialog"}[name], path)
    if name == "actionTemplates":
        press(window, "templatesDialog", "Use This")
    press(window, "unsavedDialog", "Cancel")
    assert len(window.session.workflow.nodes) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "line 1"), ('{"dnne_workflow": 9}', "version"), ("[]", "a list"), ('{"nodes": 3}', "expected a workflow")],
)
def test_a_damaged_file_is_refused_and_nothing_changes(window, dialog, tmp_path, text, reason):
    (tmp_path / "bad.json").write_text(text)
    window.files.open_path(tmp_path / "bad.json")
    box = dialog(window, "errorDialog")
    assert "bad.json" in box.text()
    assert reason in box.informativeText()
    assert window.session.document.path is None
    box.close()


def test_recent_files_are_in_the_menu(make_window, path, dialog):
    make_window(path).close()
    window = make_window()
    menu = window.findChild(QMenu, "recent")
    entry = menu.actions()[0]
    assert (entry.text(), entry.toolTip()) == ("&1 mine.json", str(path))
    entry.trigger()
    assert window.session.document.path == path
    trigger(window, "actionClearRecent")
    assert window.settings.recent == []


def test_a_recent_file_that_is_gone_is_forgotten(make_window, path, dialog):
    make_window(path).close()
    path.unlink()
    window = make_window()
    window.findChild(QAction, "actionRecent1").trigger()
    dialog(window, "errorDialog").close()
    assert window.settings.recent == []


# Saving


def test_the_first_save_asks_where_and_names_the_workflow(window, choose, tmp_path):
    add(window)
    trigger(window, "actionSave")
    choose(window, "saveDialog", tmp_path / "first")
    saved = load_workflow(tmp_path / "first.json")
    assert saved.name == "first"
    assert list(saved.nodes) == ["1"]
    assert window.windowTitle() == "first.json – DNNE"
    assert "Saved" in window.status.currentMessage()


def test_save_writes_in_place(make_window, path):
    window = make_window(path)
    add(window)
    trigger(window, "actionSave")
    assert list(load_workflow(path).nodes) == ["1", "2", "3", "4", "5", "6", "7"]
    assert not window.session.document.is_modified


def test_save_as_goes_on_with_the_new_file(make_window, choose, path, tmp_path):
    window = make_window(path)
    before = path.read_bytes()
    add(window)
    trigger(window, "actionSaveAs")
    choose(window, "saveDialog", tmp_path / "other.json")
    assert window.session.document.path == tmp_path / "other.json"
    assert path.read_bytes() == before


def test_save_as_suggests_the_present_name(make_window, dialog, path):
    window = make_window(path)
    trigger(window, "actionSaveAs")
    found = dialog(window, "saveDialog")
    assert found.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    assert found.selectedFiles() == [str(path)]
    found.close()


def test_versions_are_numbered(make_window, path):
    window = make_window(path)
    names = []
    for _ in range(3):
        trigger(window, "actionSaveVersion")
        names.append(window.session.document.path.name)
    assert names == ["mine-v001.json", "mine-v002.json", "mine-v003.json"]
    assert path.exists()


def test_the_first_version_of_a_new_workflow_asks_where(window, dialog):
    trigger(window, "actionSaveVersion")
    dialog(window, "saveDialog").close()


def test_a_file_that_cannot_be_written_is_told_and_the_work_stays(make_window, dialog, tmp_path):
    (tmp_path / "a file").write_text("")
    window = make_window()
    add(window)
    window.files._save(tmp_path / "a file" / "x.json", None)
    box = dialog(window, "errorDialog")
    assert str(tmp_path / "a file") in box.informativeText()
    assert window.session.document.is_modified
    box.close()


def test_a_failed_save_does_not_close_the_window(make_window, press, dialog, path):
    window = make_window(path)
    add(window)
    path.unlink()
    path.mkdir()
    window.close()
    press(window, "unsavedDialog", "Save")
    dialog(window, "errorDialog").close()
    assert window.isVisible()
    assert window.session.document.is_modified


# Importing


def test_an_earlier_workflow_is_imported_with_its_notes(window, choose, dialog, tmp_path):
    trigger(window, "actionImport")
    choose(window, "importDialog", EARLIER / "cartpole_ppo_ui.json")
    notes = dialog(window, "importNotesDialog")
    assert len(window.session.workflow.nodes) >= 6
    assert window.session.document.is_modified
    assert window.session.document.path is None
    notes.close()
    trigger(window, "actionSave")
    assert dialog(window, "saveDialog").selectedFiles() == [str(EARLIER / "cartpole_ppo_ui-dnne.json")]
    dialog(window, "saveDialog").close()


def test_open_reads_earlier_workflows_too(window, dialog):
    window.files.open_path(EARLIER / "mnist_ui.json")
    notes = dialog(window, "importNotesDialog")
    assert notes.findChild(QTableWidget, "importNotes").rowCount() > 0
    assert [entry.class_type for entry in window.session.workflow.nodes.values()] != []
    notes.close()


def test_what_is_no_workflow_is_not_imported(window, dialog, tmp_path):
    (tmp_path / "x.json").write_text("[1, 2]")
    window.files.import_path(tmp_path / "x.json")
    box = dialog(window, "errorDialog")
    assert str(tmp_path / "x.json") in box.informativeText()
    box.close()


# Other programs


def change(path, name):
    content = json.loads(path.read_text())
    content["name"] = name
    new = path.with_name("new.tmp")
    new.write_text(json.dumps(content))
    new.replace(path)


def test_a_change_on_disk_can_be_reloaded(make_window, qtbot, path):
    window = make_window(path)
    change(path, "from elsewhere")
    qtbot.waitUntil(lambda: "changed" in window.notice.text)
    window.notice.findChild(QPushButton, "noticeReload").click()
    assert window.session.workflow.name == "from elsewhere"
    assert not window.notice.isVisible()


def test_keeping_ones_own_marks_it_unsaved(make_window, qtbot, path):
    window = make_window(path)
    change(path, "from elsewhere")
    qtbot.waitUntil(lambda: "changed" in window.notice.text)
    window.notice.findChild(QPushButton, "noticeKeepMine").click()
    assert window.windowTitle().startswith("*")
    trigger(window, "actionSave")
    assert load_workflow(path).name == "Cartpole PPO"


@pytest.mark.parametrize(("answer", "name"), [("Overwrite", "Cartpole PPO"), ("Cancel", "from elsewhere")])
def test_saving_over_a_change_asks(make_window, press, path, answer, name):
    window = make_window(path)
    add(window)
    change(path, "from elsewhere")
    trigger(window, "actionSave")
    press(window, "overwriteDialog", answer)
    assert load_workflow(path).name == name


def test_a_removed_file_is_told_and_can_be_written_again(make_window, qtbot, path):
    window = make_window(path)
    path.unlink()
    qtbot.waitUntil(lambda: "gone" in window.notice.text)
    assert window.session.document.is_modified
    trigger(window, "actionSave")
    assert path.exists()
