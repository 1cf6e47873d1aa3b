"""The window: title, actions, panels, status, theme and layout kept between starts, closing."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QLineEdit, QPushButton, QWidget

from app import main_window
from app.document import Change
from app.document.edits import add_node
from runtime.registry import LoadFailure, NodeRegistry

ROOT = Path(__file__).parents[2]
USER_NODES = ROOT / "tests" / "fixtures" / "user_nodes"
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"


def action(window, name):
    found = window.findChild(QAction, name)
    assert found is not None, name
    return found


def add(window, class_type="ORNode", position=(0, 0)):
    node_id, changes = add_node(window.session.workflow, window.session.node_class(class_type), position)
    window.session.edit(f"Add {class_type}", changes)
    return node_id


@pytest.mark.parametrize(
    "name", ["canvas", "palette", "paletteSearch", "inspector", "problems", "mainToolBar", "statusBar", "dockPalette"]
)
def test_parts_have_stable_names(window, name):
    assert window.findChild(QWidget, name) is not None


def test_the_title_has_the_name_and_a_star_while_there_are_unsaved_changes(window):
    assert window.windowTitle() == "Untitled – DNNE"
    add(window)
    assert window.windowTitle() == "*Untitled – DNNE"
    window.session.undo()
    assert window.windowTitle() == "Untitled – DNNE"


def test_a_path_is_opened(make_window):
    window = make_window(EXAMPLE)
    assert window.windowTitle() == "cartpole_ppo.json – DNNE"
    assert list(window.session.workflow.nodes) == ["1", "2", "3", "4", "5", "6"]
    assert window.session.problems == []


def test_a_path_as_text_is_opened(make_window):
    assert make_window(str(EXAMPLE)).session.document.path == EXAMPLE


def test_a_path_that_cannot_be_opened_names_file_and_reason(make_window, dialog, tmp_path):
    window = make_window(tmp_path / "gone.json")
    box = dialog(window, "errorDialog")
    assert "gone.json" in box.text()
    assert "No such file" in box.informativeText()
    assert window.session.document.path is None
    box.close()


def test_undo_and_redo_say_what(window):
    undo, redo = action(window, "actionUndo"), action(window, "actionRedo")
    assert (undo.isEnabled(), redo.isEnabled()) == (False, False)
    add(window)
    assert undo.text() == "&Undo Add ORNode"
    undo.trigger()
    assert window.session.workflow.nodes == {}
    assert (undo.isEnabled(), redo.text()) == (False, "&Redo Add ORNode")
    redo.trigger()
    assert len(window.session.workflow.nodes) == 1


def test_the_palette_adds_a_node_and_the_canvas_gets_the_keyboard(window):
    window.palette_panel.node_requested.emit("ORNode")
    assert [entry.class_type for entry in window.session.workflow.nodes.values()] == ["ORNode"]
    assert window.focusWidget() is not None
    assert window.canvas.isAncestorOf(window.focusWidget())


def test_actions_on_the_selection_are_enabled_by_its_size(window):
    names = ("actionCopy", "actionMute", "actionAlignLeft", "actionDistributeVertically")
    ids = [add(window, position=(0, 300 * index)) for index in range(3)]
    states = []
    for count in range(4):
        window.session.select(ids[:count])
        states.append([action(window, name).isEnabled() for name in names])
    assert states == [[False] * 4, [True, True, False, False], [True, True, True, False], [True] * 4]


def test_the_status_bar_counts_nodes_selection_and_problems(window):
    label, problems = window.status.selection, window.status.problems
    assert (label.text(), problems.text()) == ("0 nodes", "Nothing to check yet")
    first = add(window)
    window.session.select([first])
    window.session.validate_now()
    assert label.text() == "1 of 1 node selected"
    assert problems.text() == f"{len(window.session.problems)} error" + "s" * (len(window.session.problems) != 1)


def test_the_zoom_is_shown(window, qtbot):
    action(window, "actionZoomReset").trigger()
    assert window.status.zoom.text() == "100 %"
    action(window, "actionZoomIn").trigger()
    assert window.status.zoom.text() == f"{100 * window.canvas.viewer.zoom:.0f} %" != "100 %"


def test_messages_reach_the_status_bar(window):
    window.session.message.emit("two nodes were moved")
    assert window.status.currentMessage() == "two nodes were moved"


def test_options_of_the_document_are_shown_and_undone(window):
    add(window)
    action(window, "actionSnap").setChecked(False)
    action(window, "actionWireAngled").trigger()
    assert window.session.workflow.view["wire_style"] == "angled"
    window.session.undo()
    assert action(window, "actionWireCurved").isChecked()
    window.session.edit("Style", [Change(("view",), {"wire_style": "straight"})])
    assert action(window, "actionWireStraight").isChecked()


def test_next_problem_goes_round(window):
    ids = [add(window, "CartpoleActionNode", (0, 200 * index)) for index in range(2)]
    window.session.validate_now()
    revealed = []
    window.session.reveal_requested.connect(lambda node_id, port: revealed.append(node_id))
    count = sum(bool(problem.node_id) for problem in window.session.problems)
    for _ in range(count + 1):
        action(window, "actionNextProblem").trigger()
    assert set(revealed) == set(ids)
    assert revealed[0] == revealed[-1]


# Loading behind the window


def test_the_window_is_there_before_the_node_types(make_window, qtbot, registry, monkeypatch):
    ready = threading.Event()
    monkeypatch.setattr(main_window, "load_node_types", lambda folders: ready.wait(10) and registry)
    window = make_window(EXAMPLE, wait=False)
    assert window.isVisible()
    assert window.palette_panel.is_waiting
    assert window.findChild(QLabel, "statusLoading").isVisible()
    assert len(window.session.workflow.nodes) == 6
    ready.set()
    qtbot.waitUntil(lambda: window.session.registry is not None)
    assert not window.palette_panel.is_waiting
    assert not window.findChild(QLabel, "statusLoading").isVisible()


def test_closing_while_node_types_load_waits_for_the_thread(make_window, registry, monkeypatch):
    ready = threading.Event()
    monkeypatch.setattr(main_window, "load_node_types", lambda folders: ready.wait(10) and registry)
    window = make_window(wait=False)
    QApplication.processEvents()
    threading.Timer(0.2, ready.set).start()
    assert window.close()
    assert window.session.registry is None


def test_node_types_that_cannot_be_loaded_are_told(make_window, dialog, monkeypatch):
    def fail(folders):
        raise RuntimeError("two node types are named Twin")

    monkeypatch.setattr(main_window, "load_node_types", fail)
    box = dialog(make_window(wait=False), "errorDialog")
    assert "Twin" in box.informativeText()
    box.close()


def test_a_user_file_that_does_not_load_is_noticed(make_window, dialog, monkeypatch, registry):
    partly = NodeRegistry()
    partly.types = dict(registry.types)
    partly.failures.append(LoadFailure("/home/me/nodes/mine.py", "SyntaxError: bad", "Traceback: line 3"))
    monkeypatch.setattr(main_window, "load_node_types", lambda folders: partly)
    window = make_window()
    assert "1 file of node types" in window.notice.text
    window.notice.findChild(QPushButton, "noticeDetails").click()
    box = dialog(window, "errorDialog")
    assert "mine.py" in box.informativeText()
    assert "line 3" in box.detailedText()
    box.close()


def test_the_window_is_built_without_torch():
    program = "import sys, app.editor, app.main_window; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60).returncode == 0


# Panels, theme, layout


def test_the_theme_is_kept(make_window):
    first = make_window()
    action(first, "actionThemeLight").trigger()
    assert first.canvas.theme.is_dark is False
    first.close()
    second = make_window()
    assert action(second, "actionThemeLight").isChecked()
    assert second.canvas.theme.is_dark is False
    action(second, "actionThemeDark").trigger()
    assert second.canvas.theme.is_dark is True


def test_panels_can_be_hidden_and_their_places_are_kept(make_window):
    first = make_window()
    action(first, "actionShowProblems").trigger()
    assert not first.findChild(QDockWidget, "dockProblems").isVisible()
    first.close()
    second = make_window()
    assert not second.findChild(QDockWidget, "dockProblems").isVisible()
    action(second, "actionResetLayout").trigger()
    assert second.findChild(QDockWidget, "dockProblems").isVisible()


def test_the_size_is_kept(make_window, qtbot):
    first = make_window()
    first.resize(700, 600)
    first.close()
    second = main_window.MainWindow(None, first.folders)
    qtbot.addWidget(second)
    assert second.size() == first.size()
    second.close_unasked()


def test_the_minimap_is_kept(make_window):
    first = make_window()
    action(first, "actionMinimap").trigger()
    first.close()
    second = make_window()
    assert not action(second, "actionMinimap").isChecked()
    assert not second.canvas.minimap.isVisible()


def test_the_keyboard_goes_round_the_panels(window, qtbot):
    window.activateWindow()
    window.canvas.setFocus()
    action(window, "actionFocusPalette").trigger()
    assert window.focusWidget() is window.findChild(QLineEdit, "paletteSearch")
    parts = {
        "canvas": window.canvas, "palette": window.palette_panel, "inspector": window.inspector,
        "problems": window.problems,
    }  # fmt: skip
    places = []
    for _ in parts:
        action(window, "actionNextPanel").trigger()
        focused = window.focusWidget()
        places += [name for name, part in parts.items() if part.isAncestorOf(focused)]
    assert sorted(places) == sorted(parts)


def test_delete_in_a_text_field_leaves_the_nodes_alone(window, qtbot):
    window.activateWindow()
    window.session.select([add(window)])
    search = window.findChild(QLineEdit, "paletteSearch")
    search.setText("or")
    search.setFocus()
    qtbot.keyClick(search, Qt.Key.Key_M)
    qtbot.keyClick(search, Qt.Key.Key_Home)
    qtbot.keyClick(search, Qt.Key.Key_Delete)
    assert search.text() == "rm"
    assert len(window.session.workflow.nodes) == 1


@pytest.mark.parametrize(
    ("key", "modifier", "left"),
    [(Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier, 0), (Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier, 2)],
)
def test_shortcuts_reach_the_canvas_once(window, qtbot, key, modifier, left):
    window.activateWindow()
    window.session.select([add(window)])
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas.viewer, key, modifier)
    assert len(window.session.workflow.nodes) == left


# Dropping a file


def drop(widget, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    button, modifier, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(5, 5), copy, data, button, modifier)
    QApplication.sendEvent(widget, enter)
    event = QDropEvent(QPointF(5, 5), copy, data, button, modifier)
    QApplication.sendEvent(widget, event)
    return enter.isAccepted() and event.isAccepted()


@pytest.mark.parametrize("place", ["canvas", "inspector"])
def test_a_workflow_that_is_dropped_is_opened(window, place):
    assert drop(window.canvas.viewer.viewport() if place == "canvas" else window.inspector, EXAMPLE)
    assert window.session.document.path == EXAMPLE


def test_other_files_are_not_taken(window, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    assert not drop(window.canvas.viewer.viewport(), tmp_path / "notes.txt")
    assert window.session.document.path is None


# Closing


def test_an_unchanged_workflow_closes_at_once(window):
    assert window.close()


@pytest.mark.parametrize(("answer", "closed"), [("Discard", True), ("Cancel", False)])
def test_closing_with_unsaved_changes_asks(window, press, answer, closed):
    add(window)
    assert not window.close()
    press(window, "unsavedDialog", answer)
    assert window.isVisible() is not closed


def test_closing_can_save_first(make_window, press, tmp_path):
    path = tmp_path / "mine.json"
    path.write_bytes(EXAMPLE.read_bytes())
    window = make_window(path)
    add(window)
    window.close()
    press(window, "unsavedDialog", "Save")
    assert not window.isVisible()
    assert '"7"' in path.read_text()


def test_closing_leaves_no_copy_behind(window, press, folders):
    add(window)
    assert window.autosave.save_now()
    window.close()
    press(window, "unsavedDialog", "Discard")
    assert list(folders.autosave.iterdir()) == []


def test_a_signal_keeps_a_copy_of_unsaved_work(make_window, folders, dialog, press):
    window = make_window()
    add(window)
    window.stop_at_once()
    assert not window.isVisible()
    assert len(list(folders.autosave.glob("*.json"))) == 1
    second = make_window()
    press(second, "recoveryDialog", "Recover")
    assert [entry.class_type for entry in second.session.workflow.nodes.values()] == ["ORNode"]
    assert second.session.document.is_modified
    assert list(folders.autosave.glob("*.json")) == [second.autosave.file]


@pytest.mark.parametrize(("answer", "left"), [("Discard", 0), ("Later", 1)])
def test_lost_work_can_be_discarded_or_left(make_window, folders, press, answer, left):
    window = make_window()
    add(window)
    window.stop_at_once()
    second = make_window()
    press(second, "recoveryDialog", answer)
    assert second.session.workflow.nodes == {}
    assert len(list(folders.autosave.glob("*.json"))) == left


def test_an_empty_workflow_says_what_to_do_and_no_errors(window):
    assert window.problems.nothing.isVisible()
    assert "start from a template" in window.problems.nothing.text()
    assert window.status.problems.text() == "Nothing to check yet"
    assert window.inspector.page.problems.text() == "Nothing to check yet"
    assert window.inspector.page.advice.text().startswith("Add a node")


def test_node_files_of_a_given_folder_are_offered(qtbot, folders, make_window, monkeypatch):
    from app import node_types

    monkeypatch.setattr(main_window, "load_node_types", node_types.load_node_types)
    window = main_window.MainWindow(None, folders, [USER_NODES])
    qtbot.waitUntil(lambda: window.session.registry is not None, timeout=10_000)
    assert "SlowNode" in window.session.registry.types
    window.close()
    window.deleteLater()
