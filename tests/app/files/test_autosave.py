"""Copies of unsaved work: when they are written, when they go, and what a crash leaves."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

from app.document import Change, Document
from app.files.autosave import Autosave, find_lost_work
from app.session import EditorSession
from runtime.workflow import NodeEntry

ROOT = Path(__file__).parents[3]


@pytest.fixture
def session(qapp):
    return EditorSession()


def add(session, node_id="1"):
    session.edit("Add", [Change(("nodes", node_id), NodeEntry(node_id, "ORNode"))])


def test_changes_are_copied_after_the_interval(session, qtbot, tmp_path):
    parent = QObject()
    autosave = Autosave(session, tmp_path, parent, interval_ms=20)
    add(session)
    assert not autosave.file.exists()
    qtbot.waitUntil(autosave.file.exists)
    assert json.loads(autosave.file.read_text())["workflow"]["nodes"]["1"]["class_type"] == "ORNode"
    add(session, "2")
    qtbot.waitUntil(lambda: '"2"' in autosave.file.read_text())
    autosave.discard()


def test_the_interval_counts_from_the_first_change(session, qtbot, tmp_path):
    parent = QObject()
    autosave = Autosave(session, tmp_path, parent, interval_ms=60)
    for number in range(12):
        add(session, str(number + 1))
        qtbot.wait(10)
    assert autosave.file.exists()
    autosave.discard()


def test_saving_and_undoing_remove_the_copy(session, tmp_path):
    parent = QObject()
    autosave = Autosave(session, tmp_path / "copies", parent)
    add(session)
    assert autosave.save_now()
    session.undo()
    assert list((tmp_path / "copies").iterdir()) == []
    session.redo()
    assert autosave.save_now()
    session.document.save(tmp_path / "a.json")
    session.history_changed.emit()
    assert list((tmp_path / "copies").iterdir()) == []


def test_nothing_is_copied_without_changes(session, tmp_path):
    parent = QObject()
    assert not Autosave(session, tmp_path, parent).save_now()
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_cannot_be_written_is_told_once(session, tmp_path):
    parent, told = QObject(), []
    session.message.connect(told.append)
    (tmp_path / "file").write_text("")
    autosave = Autosave(session, tmp_path / "file" / "folder", parent)
    add(session)
    assert not autosave.save_now()
    assert not autosave.save_now()
    assert len(told) == 1
    assert told[0].startswith("Autosave failed")


def test_work_of_a_living_editor_is_not_offered(session, tmp_path):
    parent = QObject()
    autosave = Autosave(session, tmp_path, parent)
    add(session)
    autosave.save_now()
    assert find_lost_work(tmp_path) == []
    autosave.stop()
    assert [work.file for work in find_lost_work(tmp_path)] == [autosave.file]


def test_work_of_a_killed_editor_is_offered(tmp_path):
    program = f"""
import os, signal
from pathlib import Path
from PySide6.QtCore import QCoreApplication
app = QCoreApplication([])
from app.document import Change, Document
from app.files.autosave import Autosave
from app.session import EditorSession
from runtime.workflow import NodeEntry
session = EditorSession()
session.document.path = Path("/somewhere/mine.json")
autosave = Autosave(session, Path({str(tmp_path)!r}), app)
session.edit("Add", [Change(("nodes", "1"), NodeEntry("1", "ORNode", {{"x": [1, 2]}}, "Or", (3.0, 4.0)))])
assert autosave.save_now()
os.kill(os.getpid(), signal.SIGKILL)
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, env={**os.environ})
    assert run.returncode == -signal.SIGKILL
    (work,) = find_lost_work(tmp_path)
    assert work.title == "mine.json"
    document = work.document()
    assert document.is_modified
    assert document.path == Path("/somewhere/mine.json")
    assert document.workflow.nodes["1"] == NodeEntry("1", "ORNode", {"x": [1, 2]}, "Or", (3.0, 4.0))
    work.remove()
    assert find_lost_work(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["", "[]", '{"dnne_autosave": 1}', '{"dnne_autosave": 2, "workflow": {}}', "{" * 10000]
)
def test_damaged_copies_are_left_alone(qapp, tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    assert find_lost_work(tmp_path) == []
    assert (tmp_path / "x.json").read_text() == text


def test_the_newest_work_comes_first(session, tmp_path):
    parent = QObject()
    files = []
    for number in range(2):
        session.set_document(Document())
        autosave = Autosave(session, tmp_path, parent)
        add(session)
        autosave.save_now()
        autosave.stop()
        content = json.loads(autosave.file.read_text())
        autosave.file.write_text(json.dumps({**content, "saved_at": 1000.0 + number}))
        files.append(autosave.file)
        session.history_changed.disconnect(autosave._on_history_changed)
    assert [work.file for work in find_lost_work(tmp_path)] == files[::-1]
