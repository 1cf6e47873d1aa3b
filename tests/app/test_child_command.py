"""Processes that DNNE starts of itself."""

import subprocess
import sys

from app.child_command import child_command


def test_a_package_of_the_same_name_in_the_present_folder_is_left_alone(tmp_path):
    for package in ("app", "nodes", "runtime"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('foreign code ran')\n")
    result = subprocess.run(
        child_command(["nodes", "--help"]), cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout.startswith("usage: dnne nodes")) == (0, True), result.stderr


def test_another_interpreter_may_be_named():
    assert child_command(["train"], "/usr/bin/python3.8")[0] == "/usr/bin/python3.8"
    assert child_command(["train"])[0] == sys.executable
    assert child_command(["train", "a b.json"])[-2:] == ["train", "a b.json"]
