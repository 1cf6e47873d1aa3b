import os
import random
from typing import Optional

import pytest

from runtime.errors import StorageError
from runtime.recording import line_file
from runtime.recording.line_file import LineFile, cut_after, whole_lines


def _number(line: bytes) -> Optional[int]:
    return int(line) if line.isdigit() else None


def test_a_write_reaches_the_file_at_once(tmp_path):
    file = LineFile(tmp_path / "new" / "lines")
    file.write("one\ntwo\n")
    assert (tmp_path / "new" / "lines").read_text() == "one\ntwo\n"
    file.close()


def test_a_new_file_replaces_an_old_one_and_a_continued_one_does_not(tmp_path):
    path = tmp_path / "lines"
    for append, expected in ((False, "new\n"), (True, "new\nnew\n"), (False, "new\n")):
        file = LineFile(path, append)
        file.write("new\n")
        file.close()
        assert path.read_text() == expected


@pytest.mark.parametrize(
    ("torn", "kept"), [(b"whole\nhal", b"whole\n"), (b"hal", b""), (b"", b""), (b"a\n\0\0", b"a\n")]
)
def test_a_torn_last_line_is_cut_off_before_the_file_is_continued(tmp_path, torn, kept):
    path = tmp_path / "lines"
    path.write_bytes(torn)
    file = LineFile(path, append=True)
    file.write("next\n")
    file.close()
    assert path.read_bytes() == kept + b"next\n"


def test_a_full_disk_is_one_error_that_names_the_file(caplog):
    file = LineFile("/dev/full")
    with pytest.raises(StorageError, match=r"/dev/full: No space left on device; free some space"):
        file.write("lost\n")
    file.write("the run has ended, and its last events must reach the other sinks\n")
    file.close()


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file/lines: "):
        LineFile(tmp_path / "file" / "lines")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"1\n2\nx\n3\ny\n", b"1\n2\nx\n"),
        (b"1\n2\ny\n", b"1\n2\ny\n"),
        (b"1\n2\n4", b"1\n2\n"),
        (b"x\n3\n4\n", b"x\n"),
        (b"3\n", b""),
        (b"", b""),
        (b"\n\n1\n\n5\n", b"\n\n1\n\n"),
    ],
)
def test_the_first_line_past_the_iteration_is_cut_with_all_that_follow(tmp_path, text, kept):
    path = tmp_path / "lines"
    path.write_bytes(text)
    cut_after(path, 2, _number)
    assert path.read_bytes() == kept


def test_files_of_many_blocks_are_cut_like_a_list(tmp_path, monkeypatch):
    monkeypatch.setattr(line_file, "_BLOCK", 7)
    rng = random.Random(0)
    path = tmp_path / "lines"
    for _ in range(200):
        number, lines = 0, []
        for _ in range(rng.randrange(12)):
            number += rng.randrange(2)
            lines.append(rng.choice([str(number), "x" * rng.randrange(12)]))
        past = [i for i, line in enumerate(lines) if line.isdigit() and int(line) > 3]
        kept = lines[: past[0]] if past else lines
        path.write_text("".join(line + "\n" for line in lines) + rng.choice(["", "torn", "9"]))
        cut_after(path, 3, _number)
        assert path.read_text() == "".join(line + "\n" for line in kept)


def test_only_the_end_of_a_long_file_is_read(tmp_path):
    path = tmp_path / "lines"
    path.write_text("".join(f"{i}\n" for i in range(100_000)))
    asked = []
    cut_after(path, 99_990, lambda line: asked.append(line) or _number(line))
    assert path.read_text().endswith("\n99990\n")
    assert len(asked) == 10


def test_cutting_a_missing_file_leaves_it_missing(tmp_path):
    cut_after(tmp_path / "lines", 2, _number)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_cut_is_an_error(tmp_path):
    path = tmp_path / "lines"
    path.write_text("9\n")
    path.chmod(0o400)
    with pytest.raises(StorageError, match=r"cannot shorten .*lines: Permission denied"):
        cut_after(path, 2, _number)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path):
    with pytest.raises(StorageError, match="cannot shorten .*: Is a directory"):
        cut_after(tmp_path, 2, _number)


def test_a_torn_last_line_is_not_read(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"1\n2\n3")
    assert list(whole_lines(path)) == ["1", "2"]
