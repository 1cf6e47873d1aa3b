"""What is kept between starts."""

from pathlib import Path

import pytest
from PySide6.QtCore import QObject

from app.files.settings import RECENT_FILES, EditorSettings


@pytest.fixture
def reopen(qapp, tmp_path):
    parent = QObject()

    def make():
        return EditorSettings(tmp_path, parent)

    make.parent = parent
    return make


def test_values_are_kept(reopen):
    settings = reopen()
    settings.keep("theme", "light")
    settings.keep("minimap", False)
    settings.sync()
    assert (reopen().text("theme", "dark"), reopen().flag("minimap", True)) == ("light", False)
    assert (reopen().text("other", "x"), reopen().flag("other", True)) == ("x", True)
    assert reopen().state("theme").isEmpty()


def test_recent_files_are_kept_the_last_one_first(reopen):
    settings = reopen()
    for name in ("a", "b", "a"):
        settings.add_recent(Path(f"/x/{name}.json"))
    settings.sync()
    assert reopen().recent == [Path("/x/a.json"), Path("/x/b.json")]


def test_one_recent_file_is_a_list_too(reopen):
    settings = reopen()
    settings.add_recent(Path("/x/a, b.json"))
    settings.sync()
    assert reopen().recent == [Path("/x/a, b.json")]


def test_recent_files_are_few_and_can_be_forgotten(reopen):
    settings, told = reopen(), []
    settings.recent_changed.connect(lambda: told.append(len(settings.recent)))
    for number in range(RECENT_FILES + 3):
        settings.add_recent(Path(f"/x/{number}.json"))
    assert len(settings.recent) == RECENT_FILES
    settings.remove_recent(Path(f"/x/{RECENT_FILES}.json"))
    settings.clear_recent()
    assert told[-2:] == [RECENT_FILES - 1, 0]
