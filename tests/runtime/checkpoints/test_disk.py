import shutil
from collections import namedtuple

import pytest

from runtime.checkpoints import enough_space
from runtime.checkpoints.disk import format_bytes
from runtime.errors import CheckpointError

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("free", "is_enough"), [(2000, True), (1999, False), (0, False)])
def test_twice_the_next_checkpoint_must_be_free(tmp_path, monkeypatch, free, is_enough):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10_000, 0, free))
    assert (enough_space(tmp_path, 1000) is None) == is_enough


def test_the_warning_says_where_and_how_much(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 1_500_000))
    warning = enough_space(tmp_path / "node_3", 1_000_000)
    assert f"{tmp_path}/node_3: 1.5 MB are free" in warning
    assert "next checkpoint of 1.0 MB should have 2.0 MB" in warning


def test_folders_that_do_not_exist_yet(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or Usage(1, 0, 1))
    enough_space(tmp_path / "a" / "b", 1)
    assert asked == [tmp_path]
    monkeypatch.undo()
    assert enough_space(tmp_path / "a" / "b", 1) is None
    assert "little disk space" in enough_space(tmp_path / "a" / "b", 10**18)


def test_relative_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert enough_space("not/yet", 1) is None


def test_a_disk_that_does_not_answer(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", fail)
    with pytest.raises(CheckpointError, match="Input/output error"):
        enough_space(tmp_path, 1)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (3 * 10**12, "3.0 TB")],
)
def test_format_bytes(count, text):
    assert format_bytes(count) == text
