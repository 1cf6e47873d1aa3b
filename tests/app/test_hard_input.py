"""Titles, names and folders that nobody expects."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLineEdit

from app.document import Change

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("title", ["x" * 10_000, "A & B", "Ünïcødé 机器人 🤖"])
def test_any_title_leaves_the_window_as_it_was(make_window, copied, title, qtbot):
    window = make_window(copied)
    size = window.size()
    window.session.edit(f"Set gamma of {title}", [Change(("nodes", "3", "title"), title)])
    window.session.edit("Rename the workflow", [Change(("name",), title)])
    window.session.select(["3"])
    qtbot.wait(30)
    window.session.select(["3", "6"])
    qtbot.wait(30)
    assert window.size() == size
    window.session.undo()
    assert len(window.actions_by_name["actionUndo"].text()) < 90
    shown = window.actions_by_name["actionUndo"].text().replace("&&", "\0").replace("&", "").replace("\0", "&")
    assert shown.startswith(f"Undo Set gamma of {title[:20]}")


@pytest.mark.parametrize("name", ["x" * 10_000, "../../etc/passwd", "机器人", "...", "a/b\\c:d"])
def test_any_name_of_a_workflow_makes_a_file_name(window, dialog, name, qtbot):
    window.session.edit("Rename the workflow", [Change(("name",), name)])
    window.actions_by_name["actionSaveAs"].trigger()
    save = dialog(window, "saveDialog")
    qtbot.wait(150)
    suggested = save.findChild(QLineEdit, "fileNameEdit").text()
    assert 0 < len(suggested) < 100
    assert "/" not in suggested
    save.reject()


def test_a_folder_of_the_program_is_not_offered_for_exports(tmp_path, monkeypatch):
    from app.files.folders import folder_for_exports

    assert folder_for_exports(tmp_path) == tmp_path
    assert folder_for_exports(ROOT / "examples") == Path.home()
    assert folder_for_exports(ROOT) == Path.home()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert folder_for_exports(tmp_path) == Path.home()
