"""The export dialog: what it carries, progress, what can go wrong, and the commands."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from app.dialogs import export_dialog
from app.document.edits import set_parameter

EXAMPLE = Path(__file__).parents[3] / "examples" / "cartpole_ppo.json"


@pytest.fixture
def opened(make_window, dialog, qtbot, tmp_path):
    def make(path=EXAMPLE):
        window = make_window(path)
        window.findChild(QAction, "actionExport").trigger()
        found = dialog(window, "exportDialog")
        qtbot.waitUntil(lambda: not found.is_busy, timeout=10000)
        return window, found

    return make


def export(found, qtbot, folder):
    found.folder.setText(str(folder))
    qtbot.mouseClick(found.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not found.is_busy, timeout=10000)


def test_it_shows_what_it_carries(opened):
    _, found = opened()
    parts = [found.files.topLevelItem(row).text(0) for row in range(found.files.topLevelItemCount())]
    assert [part.split()[0] for part in parts] == ["Runner,", "Nodes", "Framework:"]
    assert found.files.topLevelItem(1).childCount() == 7  # one module per node, and the package
    assert "files" in found.summary.text()
    assert found.folder.text().endswith("cartpole_ppo_export")
    found.close()


def test_an_export_runs_and_its_commands_can_be_copied(opened, qtbot, tmp_path):
    _window, found = opened()
    export(found, qtbot, tmp_path / "out put")
    assert (tmp_path / "out put" / "runner.py").is_file()
    commands = [line.text() for line in found.findChildren(QLineEdit) if line.objectName().startswith("exportCommand")]
    assert commands[0] == f"cd '{tmp_path}/out put'"
    assert any("python runner.py" in command for command in commands)
    assert any(command.startswith("torchrun") for command in commands)
    assert any(command.startswith("sbatch") for command in commands)
    found.findChild(QPushButton, "exportCopy2").click()
    assert QApplication.clipboard().text() == commands[2]
    assert found.open_folder.isVisible()
    found.close()
    run = subprocess.run([sys.executable, "runner.py", "--iterations", "1"], cwd=tmp_path / "out put",
                         capture_output=True, text=True, timeout=120)  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_what_is_exported_is_what_the_canvas_shows(make_window, dialog, qtbot, tmp_path):
    window = make_window(EXAMPLE)
    window.session.edit("Set", set_parameter(["6"], "learning_rate", 0.0625))
    window.findChild(QAction, "actionExport").trigger()
    found = dialog(window, "exportDialog")
    qtbot.waitUntil(lambda: not found.is_busy, timeout=10000)
    export(found, qtbot, tmp_path / "out")
    assert "0.0625" in (tmp_path / "out" / "workflow.json").read_text()
    found.close()


def test_a_folder_of_something_else_needs_the_tick(opened, qtbot, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "runner.py").write_text("precious")
    _, found = opened()
    export(found, qtbot, tmp_path / "mine")
    assert "holds something that is no export" in found.state.text()
    assert "--force" not in found.state.text()
    assert (tmp_path / "mine" / "runner.py").read_text() == "precious"
    found.force.setChecked(True)
    export(found, qtbot, tmp_path / "mine")
    assert (tmp_path / "mine" / "runner.py.before-export").read_text() == "precious"
    assert "runner.py.before-export" in found.state.text()
    found.close()


def test_an_invalid_workflow_lists_its_problems_and_leads_to_them(opened, qtbot, tmp_path):
    path = tmp_path / "broken.json"
    path.write_text(EXAMPLE.read_text().replace('"learning_rate": 0.001', '"learning_rate": -1'))
    window, found = opened(path)
    assert found.problems.count() == 1
    assert "learning_rate" in found.problems.item(0).text()
    assert not found.button.isEnabled()
    found.problems.itemActivated.emit(found.problems.item(0))
    assert not found.isVisible()
    assert window.session.selection == ["6"]


def test_no_folder_no_export(opened):
    _, found = opened()
    found.folder.setText("  ")
    assert not found.button.isEnabled()
    found.close()


def test_closing_meanwhile_leaves_no_thread(opened, qtbot, monkeypatch, tmp_path):
    window, found = opened()
    go = threading.Event()
    monkeypatch.setattr(export_dialog, "plan_export", lambda *_: go.wait(5))
    found._look()
    assert found.is_busy
    found.close()
    go.set()
    assert window.close()


def test_it_waits_for_the_node_types(make_window, dialog, qtbot, registry, monkeypatch):
    from app import main_window

    ready = threading.Event()
    monkeypatch.setattr(main_window, "load_node_types", lambda folders: ready.wait(10) and registry)
    window = make_window(EXAMPLE, wait=False)
    window.findChild(QAction, "actionExport").trigger()
    found = dialog(window, "exportDialog")
    assert "Waiting for the node types" in found.state.text()
    assert not found.button.isEnabled()
    ready.set()
    qtbot.waitUntil(lambda: found.files.topLevelItemCount() > 0, timeout=10000)
    assert found.button.isEnabled()
    found.close()
