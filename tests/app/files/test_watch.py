"""Changes of the open file by other programs."""

import pytest
from PySide6.QtCore import QObject

from app.files.watch import FileWatch


@pytest.fixture
def told(qapp, tmp_path):
    parent = QObject()
    path = tmp_path / "a.json"
    path.write_text("one")
    watch = FileWatch(parent)
    watch.follow(path)
    seen = []
    watch.changed.connect(lambda: seen.append("changed"))
    watch.removed.connect(lambda: seen.append("removed"))
    yield path, watch, seen, parent
    watch.stop()


def test_a_change_is_told(told, qtbot):
    path, _, seen, _ = told
    path.write_text("two")
    qtbot.waitUntil(lambda: seen == ["changed"])


def test_a_replacement_is_told_each_time(told, qtbot):
    path, _, seen, _ = told
    for number in range(1, 3):
        new = path.with_name("new")
        new.write_text(f"content {number}")
        new.replace(path)
        qtbot.waitUntil(lambda number=number: seen == ["changed"] * number)


def test_a_removal_is_told(told, qtbot):
    path, _, seen, _ = told
    path.unlink()
    qtbot.waitUntil(lambda: seen == ["removed"])
    path.write_text("back")
    qtbot.waitUntil(lambda: seen == ["removed", "changed"])


def test_the_same_content_is_no_change(told, qtbot):
    path, watch, seen, _ = told
    path.write_text("one")
    qtbot.wait(300)
    assert seen == []
    assert not watch.is_different()


def test_own_writing_is_no_change(told, qtbot):
    path, watch, seen, _ = told
    path.write_text("mine")
    assert watch.is_different()
    watch.follow(path)
    qtbot.wait(300)
    assert seen == []


def test_other_files_of_the_folder_do_not_matter(told, qtbot):
    path, _, seen, _ = told
    path.with_name("b.json").write_text("x")
    qtbot.wait(300)
    assert seen == []
