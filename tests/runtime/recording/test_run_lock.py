"""The lock of a run's folder, and folders that are taken back."""

import os
from pathlib import Path

import pytest

from runtime.errors import RunError, StorageError
from runtime.recording.run_folder import RunFolder
from runtime.recording.run_lock import LOCK_FILE, RunLock

fcntl = pytest.importorskip("fcntl")


def test_a_lock_whose_file_is_removed_meanwhile_is_taken_again(tmp_path, monkeypatch):
    """A second run opens the file, and the first one removes it before the second one locks it."""
    first, lock = RunLock(tmp_path), fcntl.flock

    def late(descriptor, operation):
        first.remove()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    second = RunLock(tmp_path)
    monkeypatch.undo()
    with pytest.raises(RunError, match="is still going on"):
        RunLock(tmp_path)
    second.release()


@pytest.mark.parametrize("is_discarded", [True, False])
def test_the_file_of_a_lock_goes_while_the_lock_is_held(tmp_path, monkeypatch, is_discarded):
    run = RunFolder.create(tmp_path, "a", run_name="a")
    remove = run.discard if is_discarded else run._lock.remove
    unlink, taken = os.unlink, []

    def watched(path, *arguments, **more):
        if Path(path).name == LOCK_FILE:
            with pytest.raises(RunError, match="is still going on"):
                RunLock(run.path)
            taken.append(path)
        return unlink(path, *arguments, **more)

    monkeypatch.setattr(os, "unlink", watched)
    monkeypatch.setattr(type(tmp_path), "unlink", lambda path: watched(str(path)))
    remove()
    assert len(taken) == 1
    assert not (run.path / LOCK_FILE).exists()


def test_a_lock_that_was_released_leaves_the_file_of_the_next_one(tmp_path):
    first = RunLock(tmp_path)
    first.release()
    second = RunLock(tmp_path)
    first.remove()
    with pytest.raises(RunError, match="is still going on"):
        RunLock(tmp_path)
    second.release()


@pytest.mark.parametrize("call", ["open", "write"])
@pytest.mark.parametrize("run_name", [None, "a"])
def test_a_full_disk_leaves_no_folder(tmp_path, monkeypatch, call, run_name):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(StorageError, match="No space left"):
        RunFolder.create(tmp_path / "runs", "a", run_name=run_name)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_for_the_disk_is_an_error(tmp_path):
    with pytest.raises(StorageError, match="File name too long"):
        RunFolder.create(tmp_path, "a", run_name="x" * 300)
    assert list(tmp_path.iterdir()) == []
