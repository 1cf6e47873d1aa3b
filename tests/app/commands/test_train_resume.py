"""What `--resume` says of runs and names that cannot be used."""

import json
from pathlib import Path

import pytest


def test_a_damaged_description_is_told_before_the_run_starts(dnne, folder, small):
    assert dnne("train", small, "--iterations", "1", "--run-name", "a").code == 0
    path = folder / "runs" / "a" / "run.json"
    text = json.dumps({**json.loads(path.read_text(encoding="utf-8")), "earlier": 5})
    path.write_text(text, encoding="utf-8")
    result = dnne("train", small, "--iterations", "2", "--resume", "runs/a")
    assert (result.code, f"{Path('runs/a/run.json')} is damaged: its 'earlier' is 5" in result.err) == (2, True)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("more", [(), ("--resume", "auto")])
def test_a_name_that_is_too_long_for_the_disk_is_told(dnne, folder, small, more):
    (folder / "runs").mkdir()
    result = dnne("train", small, "--iterations", "1", "--run-name", "x" * 300, *more)
    assert (result.code, "File name too long" in result.err, "Traceback" in result.err) == (2, True, False)
    assert not list((folder / "runs").iterdir())
