import errno
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from runtime import atomic
from runtime.errors import DnneError, StorageError
from tests.runtime.killing import kill_at_every_file_operation, kill_at_random

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
ignore_fork_warning = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    return child.pid


def leftover(path: Path, pid: int, role: str = "tmp") -> Path:
    host, process = atomic.temporary_path(path).name.split("-")[-3:-1]
    other = "0" * 8 if process != "0" * 8 else "1" * 8
    return path.with_name(f"{path.name}.{role}-{pid}-{host}-{other}-0")


def names(folder: Path):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(tmp_path):
    atomic.write_text(tmp_path / "a" / "b" / "text", "a\r\nä\n")
    assert (tmp_path / "a" / "b" / "text").read_bytes() == "a\r\nä\n".encode()
    atomic.write_bytes(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"
    atomic.write_json(str(tmp_path / "json"), {"ü": [1, None, 0.1]})
    assert (tmp_path / "json").read_text(encoding="utf-8") == '{\n  "ü": [\n    1,\n    null,\n    0.1\n  ]\n}\n'
    atomic.save_tensors(tmp_path / "tensors", {"w": torch.arange(3)})
    assert torch.equal(torch.load(tmp_path / "tensors", weights_only=True)["w"], torch.arange(3))
    assert names(tmp_path) == ["a", "bytes", "json", "tensors"]


def test_an_old_file_is_replaced_and_keeps_its_mode(tmp_path):
    path = tmp_path / "file"
    path.write_text("old and longer")
    path.chmod(0o600)
    atomic.write_text(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_symbolic_link_stays_one(tmp_path):
    (tmp_path / "store").mkdir()
    target, link = tmp_path / "store" / "file", tmp_path / "link"
    link.symlink_to(target)
    atomic.write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


@pytest.mark.parametrize("content", [float("nan"), {"x": {1, 2}}, object(), "\ud800"])
def test_what_is_no_json_leaves_the_old_file(tmp_path, content):
    path = tmp_path / "file.json"
    path.write_text("old")
    with pytest.raises(StorageError, match=r"file.json"):
        atomic.write_json(path, content)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.json"]


def fail_with(code):
    def failing(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    return failing


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("operation", ["fsync", "write", "rename"])
@pytest.mark.parametrize("write", [atomic.write_text, lambda path, text: atomic.save_tensors(path, torch.ones(9))])
def test_a_failing_disk_leaves_the_old_file_and_no_temporary(tmp_path, monkeypatch, code, operation, write):
    path = tmp_path / "file"
    path.write_text("old")
    if operation == "fsync":
        monkeypatch.setattr(os, "fsync", fail_with(code))
    elif operation == "rename":
        monkeypatch.setattr(Path, "replace", fail_with(code))
    else:
        monkeypatch.setattr(Path, "open", lambda self, mode: FullFile(self, mode, code))
    with pytest.raises(StorageError) as caught:
        write(path, "new")
    monkeypatch.undo()
    assert str(path) in str(caught.value)
    assert os.strerror(code) in str(caught.value)
    assert errno.errorcode[code] in str(caught.value)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


class FullFile:
    """A file on a disk with room for two bytes."""

    def __init__(self, path, mode, code):
        self._file = open(path, mode)  # noqa: PTH123, SIM115
        self._code = code
        self._room = 2

    def write(self, content):
        self._room -= len(content)
        if self._room < 0:
            raise OSError(self._code, os.strerror(self._code))
        return self._file.write(content)

    def flush(self):
        self._file.flush()

    def fileno(self):
        return self._file.fileno()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self._file.close()


def test_a_path_under_a_file(tmp_path):
    (tmp_path / "file").write_text("old")
    with pytest.raises(DnneError, match="a part of the path is a file"):
        atomic.write_text(tmp_path / "file" / "x" / "y", "new")
    with pytest.raises(DnneError, match="a part of the path is a file"), atomic.atomic_directory(
        tmp_path / "file" / "x"
    ):
        pass
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that root cannot write")
def test_a_folder_that_even_root_cannot_write():
    with pytest.raises(StorageError, match="cannot write /proc/dnne/file: No such file or directory"):
        atomic.write_text("/proc/dnne/file", "x")


def test_folders_and_devices_are_not_overwritten(tmp_path):
    with pytest.raises(StorageError, match="is a folder, not a file"):
        atomic.write_text(tmp_path, "x")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(StorageError, match="device or pipe"):
        atomic.write_text(fifo, "x")
    assert stat.S_ISFIFO(fifo.stat().st_mode)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount a small file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk):
    path = small_disk / "model.pt"
    atomic.save_tensors(path, {"w": torch.ones(10_000)})
    with pytest.raises(StorageError, match=r"No space left on device \(ENOSPC\); free some space"):
        atomic.save_tensors(path, {"w": torch.zeros(100_000)})
    with pytest.raises(StorageError, match="ENOSPC"):
        atomic.write_bytes(path, b"x" * 300_000)
    with pytest.raises(StorageError, match="ENOSPC"), atomic.atomic_directory(small_disk / "folder") as folder:
        (folder / "x").write_bytes(b"x" * 300_000)
    assert torch.equal(torch.load(path, weights_only=True)["w"], torch.ones(10_000))
    assert names(small_disk) == ["model.pt"]


def test_a_read_only_disk(small_disk):
    path = small_disk / "file"
    atomic.write_text(path, "old")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageError, match=r"EROFS.*read-only: choose another folder"):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "folder"

    def fail_half_way():
        with atomic.atomic_directory(target) as folder:
            (folder / "a").write_text("1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert names(tmp_path) == []
    for text in ("1", "2"):
        with atomic.atomic_directory(target) as folder:
            assert names(folder) == []
            (folder / "sub").mkdir()
            (folder / "sub" / text).write_text(text)
        assert names(target / "sub") == [text]
        assert names(tmp_path) == ["folder"]


def test_a_folder_does_not_replace_a_file(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(StorageError, match="a file of this name exists"), atomic.atomic_directory(tmp_path / "x"):
        pass
    assert (tmp_path / "x").read_text() == "mine"


def test_a_folder_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    target = tmp_path / "folder"
    with atomic.atomic_directory(target) as folder:
        (folder / "a").write_text("old")
    rename = Path.rename

    def fail_onto_target(self, destination):
        if Path(destination) == target and ".tmp-" in self.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, destination)

    monkeypatch.setattr(Path, "rename", fail_onto_target)
    with pytest.raises(StorageError, match="EIO"), atomic.atomic_directory(target) as folder:
        (folder / "a").write_text("new")
    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_leftovers_of_a_killed_process_are_removed_at_the_next_write(tmp_path):
    dead = leftover(tmp_path / "other", dead_pid())
    dead.write_text("half")
    folder = leftover(tmp_path / "folder", dead_pid())
    folder.mkdir()
    (folder / "x").write_text("half")
    reused_pid = leftover(tmp_path / "third", os.getpid())
    reused_pid.write_text("half")
    atomic.write_text(tmp_path / "file", "x")
    assert names(tmp_path) == ["file"]


def test_temporaries_of_living_processes_and_look_alikes_stay(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        alive = leftover(tmp_path / "other", living.pid)
        alive.write_text("half")
        mine = atomic.temporary_path(tmp_path / "mine")
        mine.write_text("half")
        (tmp_path / "notes.tmp-1").write_text("a user's file")
        atomic.write_text(tmp_path / "file", "x")
        assert names(tmp_path) == sorted([alive.name, mine.name, "file", "notes.tmp-1"])


def test_temporaries_of_another_machine_stay_for_a_day(tmp_path):
    paths = [tmp_path / f"{name}.tmp-1-ffffffff-ffffffff-0" for name in ("fresh", "old")]
    for path in paths:
        path.write_text("half")
    os.utime(paths[1], (time.time() - 90_000,) * 2)
    atomic.write_text(tmp_path / "file", "x")
    assert names(tmp_path) == ["file", paths[0].name]


def test_a_folder_left_aside_comes_back(tmp_path):
    aside = leftover(tmp_path / "folder", dead_pid(), role="old")
    aside.mkdir()
    (aside / "x").write_text("complete")
    atomic.write_text(tmp_path / "file", "x")
    assert (tmp_path / "folder" / "x").read_text() == "complete"
    assert atomic.is_aside(aside)
    assert atomic.finished_name(aside.name) == "folder"
    assert not atomic.is_aside(tmp_path / "folder")


@pytest.mark.parametrize("has_links", [True, False])
def test_link_or_copy(tmp_path, monkeypatch, has_links):
    if not has_links:
        monkeypatch.setattr(os, "link", fail_with(errno.EPERM))
    source, target = tmp_path / "source", tmp_path / "a" / "target"
    for content in ("first", "second"):
        atomic.write_text(source, content)
        atomic.link_or_copy(source, target)
        assert target.read_text() == content
        assert target.samefile(source) == has_links
    atomic.link_or_copy(source, target)
    atomic.write_text(source, "third")
    assert target.read_text() == "second"
    assert names(tmp_path / "a") == ["target"]


def test_a_copy_to_a_full_disk(small_disk, tmp_path, monkeypatch):
    (tmp_path / "source").write_bytes(b"x" * 300_000)
    with pytest.raises(StorageError, match="ENOSPC"):
        atomic.link_or_copy(tmp_path / "source", small_disk / "target")
    assert names(small_disk) == []


def test_threads_that_write_one_file(tmp_path):
    texts = [str(number) * 10_000 for number in range(4)]

    def write_often(text):
        for _ in range(20):
            atomic.write_text(tmp_path / "file", text)

    threads = [threading.Thread(target=write_often, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_text() in texts
    assert names(tmp_path) == ["file"]


@needs_fork
@ignore_fork_warning
def test_a_file_written_by_a_process_killed_at_every_operation(tmp_path):
    path = tmp_path / "file.json"
    atomic.write_json(path, ["old"] * 100)
    seen = set()
    for _ in kill_at_every_file_operation(lambda: atomic.write_json(path, ["new"] * 100)):
        content = json.loads(path.read_text())
        assert content in (["old"] * 100, ["new"] * 100)
        seen.add(content[0])
        atomic.write_json(path, ["old"] * 100)
        assert names(tmp_path) == ["file.json"]
    assert seen == {"old", "new"}


@needs_fork
@ignore_fork_warning
def test_a_folder_replaced_by_a_process_killed_at_every_operation(tmp_path):
    target = tmp_path / "folder"

    def replace(text):
        with atomic.atomic_directory(target) as folder:
            (folder / "a").write_text(text)
            (folder / "b").write_text(text)

    replace("old")
    kills = []
    for operation in kill_at_every_file_operation(lambda: replace("new")):
        atomic.remove_leftovers(tmp_path)
        assert names(tmp_path) == ["folder"]
        assert (target / "a").read_text() == (target / "b").read_text()
        replace("old")
        kills.append(operation)
    assert len(kills) >= 8


@needs_fork
@ignore_fork_warning
def test_a_folder_removed_by_a_process_killed_at_every_operation(tmp_path):
    target = tmp_path / "folder"

    def make():
        with atomic.atomic_directory(target) as folder:
            (folder / "a").write_text("x")
            (folder / "b").write_text("x")

    make()
    for _ in kill_at_every_file_operation(lambda: atomic.remove_directory(target)):
        assert not target.exists() or names(target) == ["a", "b"]
        make()
        assert names(tmp_path) == ["folder"]


@needs_fork
@ignore_fork_warning
def test_a_file_written_by_a_process_killed_at_random(tmp_path):
    path = tmp_path / "file"
    rng = random.Random(1)
    atomic.write_bytes(path, b"0" * 1_000_000)
    for _ in range(10):
        finished = kill_at_random(lambda n: atomic.write_bytes(path, b"%d" % (n % 10) * 1_000_000), rng, 0.05)
        content = path.read_bytes()
        assert len(content) == 1_000_000
        assert content in (b"%d" % (finished % 10) * 1_000_000, b"%d" % ((finished + 1) % 10) * 1_000_000)
        atomic.write_bytes(path, b"0" * 1_000_000)
        assert names(tmp_path) == ["file"]
