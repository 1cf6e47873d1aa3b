"""What an export may write over, and that it never leaves half of itself."""

import json
import os
from pathlib import Path

import pytest

from runtime.errors import DnneError
from runtime.export.errors import ExportError
from runtime.export.folder import MANIFEST_FILE, ExportFolder, checksum

FIRST = {
    "runner.py": b"run 1",
    "generated_nodes/a_1.py": b"a = 1",
    "generated_nodes/b_2.py": b"b",
    "README.md": b"read",
}
SECOND = {
    "runner.py": b"run 2",
    "generated_nodes/a_1.py": b"a = 2",
    "generated_nodes/c_3.py": b"c",
    "README.md": b"read",
}


def export(path, files, force=False):
    folder = ExportFolder(path)
    folder.check(files, force)
    return folder.write(files, {"name": "Test"})


def contents(path):
    found = {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    found.pop(MANIFEST_FILE, None)
    return found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "some export"


def test_a_new_folder_holds_the_files_and_a_list_of_them(folder):
    assert export(folder, FIRST) == []
    assert contents(folder) == FIRST
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    assert manifest["files"] == {name: checksum(content) for name, content in FIRST.items()}
    assert os.listdir(folder.parent) == [folder.name]


def test_an_empty_folder_is_filled(folder):
    folder.mkdir()
    export(folder, FIRST)
    assert contents(folder) == FIRST


def test_an_unchanged_export_is_replaced_and_what_is_not_ours_stays(folder):
    export(folder, FIRST)
    (folder / "runs" / "one").mkdir(parents=True)
    (folder / "runs" / "one" / "events.jsonl").write_bytes(b"{}")
    (folder / "generated_nodes" / "my_notes.txt").write_bytes(b"mine")
    assert export(folder, SECOND) == []
    mine = {"runs/one/events.jsonl": b"{}", "generated_nodes/my_notes.txt": b"mine"}
    assert contents(folder) == {**SECOND, **mine}


def test_a_folder_that_is_left_with_bytecode_goes_too(folder):
    export(folder, {**FIRST, "framework/old/x.py": b"x"})
    (folder / "framework" / "old" / "__pycache__").mkdir()
    (folder / "framework" / "old" / "__pycache__" / "x.pyc").write_bytes(b"")
    export(folder, SECOND)
    assert not (folder / "framework").exists()


def test_an_edited_export_needs_force(folder):
    export(folder, FIRST)
    (folder / "generated_nodes" / "a_1.py").write_bytes(b"a = 7")
    with pytest.raises(ExportError, match=r"generated_nodes/a_1.py changed since; .*--force"):
        export(folder, SECOND)
    assert (folder / "generated_nodes" / "a_1.py").read_bytes() == b"a = 7"
    export(folder, SECOND, force=True)
    assert contents(folder) == SECOND


def test_a_folder_of_something_else_needs_force_and_loses_nothing(folder):
    folder.mkdir()
    (folder / "README.md").write_bytes(b"of somebody else")
    (folder / "README.md.before-export").write_bytes(b"older still")
    (folder / "data.csv").write_bytes(b"1,2")
    with pytest.raises(ExportError, match=r"holds something that is no export; .*--force"):
        export(folder, FIRST)
    assert export(folder, FIRST, force=True) == ["README.md.before-export-2"]
    kept = {
        "README.md.before-export-2": b"of somebody else",
        "README.md.before-export": b"older still",
        "data.csv": b"1,2",
    }
    assert contents(folder) == {**FIRST, **kept}
    assert export(folder, SECOND) == []
    assert contents(folder) == {**SECOND, **kept}


def test_a_missing_file_of_an_export_is_no_obstacle(folder):
    export(folder, FIRST)
    (folder / "README.md").unlink()
    export(folder, SECOND)
    assert contents(folder) == SECOND


@pytest.mark.parametrize("force", [False, True])
def test_a_file_cannot_be_a_folder(folder, force):
    folder.write_bytes(b"")
    with pytest.raises(ExportError, match="it is a file"):
        export(folder, FIRST, force)
    folder.unlink()
    folder.mkdir()
    (folder / "generated_nodes").write_bytes(b"")
    with pytest.raises(ExportError, match=r"generated_nodes/a_1.py cannot be a file there"):
        export(folder, FIRST, force)


@pytest.mark.parametrize("text", ["{", "[]", '{"dnne_export": 99, "files": {}}', '{"dnne_export": 1, "files": 3}'])
def test_a_list_that_cannot_be_read_is_not_guessed_at(folder, text):
    folder.mkdir()
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ExportError, match=r"export.json"):
        export(folder, FIRST, force=True)


def test_a_hostile_list_does_not_reach_outside_the_folder(folder):
    folder.mkdir()
    outside = folder.parent / "precious.txt"
    outside.write_bytes(b"precious")
    files = {"../precious.txt": checksum(b"precious"), str(outside): checksum(b"precious")}
    manifest = {"dnne_export": 1, "files": files}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    export(folder, FIRST, force=True)
    assert outside.read_bytes() == b"precious"


@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk_changes_nothing(folder, existing, monkeypatch):
    if existing:
        export(folder, FIRST)
    before = contents(folder) if existing else None
    write_bytes = Path.write_bytes

    def full(path, content):
        if path.name == "c_3.py":
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DnneError, match="No space left on device"):
        export(folder, SECOND)
    monkeypatch.undo()
    assert folder.exists() == existing
    assert os.listdir(folder.parent) == ([folder.name] if existing else [])
    if existing:
        assert contents(folder) == before


@pytest.mark.parametrize("moved", range(5))
def test_an_export_that_is_cut_off_leaves_no_runner_and_the_next_one_finishes_it(folder, moved, monkeypatch):
    export(folder, FIRST)
    replace, calls = Path.replace, []

    def cut_off(path, target):
        if len(calls) == moved:
            raise KeyboardInterrupt
        calls.append(target)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", cut_off)
    with pytest.raises(KeyboardInterrupt):
        export(folder, SECOND)
    monkeypatch.undo()
    assert not (folder / "runner.py").exists()
    assert export(folder, SECOND) == []
    assert contents(folder) == SECOND


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(folder):
    folder.parent.chmod(0o500)
    try:
        with pytest.raises(DnneError, match="cannot write"):
            export(folder, FIRST)
    finally:
        folder.parent.chmod(0o700)
