"""The `dnne` command as a whole: what it imports, how it ends."""

import json
import os
import subprocess
import sys

import pytest

from tests.commands import ROOT

SUBCOMMANDS = (
    "train", "infer", "validate", "nodes", "export", "export-policy", "import", "inspect-checkpoint", "demo",
)  # fmt: skip
QT = ("PySide6", "PySide2", "PyQt5", "PyQt6", "shiboken6", "Qt", "NodeGraphQt", "pyqtgraph")


def _python(code, folder, *arguments):
    """Run Python code in a process of its own, without a screen; returns what it printed on standard output."""
    no_screen = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in no_screen}
    environment.update(PYTHONPATH=str(ROOT), XDG_DATA_HOME=str(folder / "data"), OMP_NUM_THREADS="1")
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=str(folder), env=environment, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


CALLS = """
import contextlib, io, json, sys
from app.cli import main
loaded = []
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            code = main(arguments)
        except SystemExit as exit:
            code = exit.code
    if code != (0 if arguments else 2):
        sys.exit(f"{arguments}: {code}\\n{errors.getvalue()}")
    loaded.append({name.split(".")[0] for name in sys.modules})
print(json.dumps([sorted(names) for names in loaded]))
"""


def _modules_after(calls, folder):
    return [set(names) for names in json.loads(_python(CALLS, folder, json.dumps(calls)))]


def test_help_is_quick_because_it_imports_nothing_heavy(folder):
    calls = [["--help"], ["--version"], []]
    for names in _modules_after(calls, folder):
        assert not names & {"torch", "numpy", "rich", "tensorboard", "matplotlib", "platformdirs", *QT}


def test_no_headless_command_imports_qt_and_training_no_matplotlib(folder, small):
    calls = [
        ["train", "small.json", "--iterations", "2", "--save-checkpoint-dir", "ck", "--run-name", "a"],
        ["train", "--resume", "runs/a", "--iterations", "3"],
        ["infer", "small.json", "--load-checkpoint-dir", "ck", "--episodes", "1"],
        ["validate", "small.json"],
        ["nodes"],
        ["inspect-checkpoint", "ck"],
        ["export", "small.json", "-o", "out"],
        ["export-policy", "small.json", "--load-checkpoint-dir", "ck", "-o", "policy.pt"],
        ["import", "earlier.json"],
        ["demo", "--total-timesteps", "64"],
    ]
    earlier = {"1": {"class_type": "IsaacGymEnvNode", "inputs": {"num_envs": 4}}}
    (folder / "earlier.json").write_text(json.dumps(earlier))
    modules = _modules_after(calls, folder)
    assert len(modules) == len(calls)
    assert not modules[-1] & set(QT)
    assert "matplotlib" not in modules[-2]


def test_every_command_is_listed_and_has_help(dnne):
    overview = dnne("--help")
    assert overview.code == 0
    for name in SUBCOMMANDS:
        assert f"\n    {name}" in overview.out
        own = dnne(name, "--help")
        assert own.code == 0
        assert f"usage: dnne {name}" in own.out
        assert own.out.count("\n") > 5


def test_the_editor_says_what_it_lacks(dnne, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    outcome = dnne()
    assert outcome.code == 2
    assert "the editor needs a display" in outcome.err
    outcome = dnne("no-such-file.json")
    assert outcome.code == 2
    assert "there is no file no-such-file.json" in outcome.err


def test_the_version(dnne):
    from runtime import __version__

    assert dnne("--version").out == f"dnne {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "error", "help_command"),
    [
        (["trian", "x.json"], "'trian'", "dnne --help"),
        (["train", "x.json", "--iteration", "3"], "--iteration 3; did you mean '--iterations'?", "dnne train --help"),
        (["train", "x.json", "--timeout", "5"], "argument --timeout: ", "dnne train --help"),
        (["--verbos"], "--verbos", "dnne --help"),
    ],
)
def test_what_is_misspelt_is_refused_in_a_line_and_never_guessed(dnne, arguments, error, help_command):
    outcome = dnne(*arguments)
    assert outcome.code == 2
    said, where = outcome.err.splitlines()
    assert said.startswith("error: ") and error in said
    assert where == f"All options: {help_command}"


def test_a_training_without_a_workflow_says_what_to_give(dnne):
    outcome = dnne("train")
    assert outcome.code == 2
    assert outcome.err == "error: which workflow? Give its file: dnne train FILE\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read w.json: No such file or directory"),
        ('{"dnne_workflow": 1, "nodes": {', "w.json"),
        ("[1, 2]", "w.json"),
        ('{"dnne_workflow": 99, "nodes": {}}', "99"),
    ],
)
@pytest.mark.parametrize("command", [["train"], ["infer", "--untrained"], ["validate"], ["export", "-o", "out"]])
def test_a_file_that_is_no_workflow_ends_every_command_with_code_2(dnne, folder, command, content, message):
    if content is not None:
        (folder / "w.json").write_text(content)
    outcome = dnne(*command, "w.json")
    assert outcome.code == 2
    assert "error: " in outcome.err
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert sorted(path.name for path in folder.iterdir()) == (["w.json"] if content is not None else [])


@pytest.mark.parametrize("arguments", [["nodes"], ["nodes", "--markdown"], ["--help"]])
def test_a_reader_that_goes_away_is_no_error_of_ours(folder, arguments):
    code = """
import subprocess, sys
command = [sys.executable, "-m", "app.cli", *sys.argv[1:]]
with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
    process.stdout.close()
    errors = process.stderr.read().decode()
print(process.returncode, repr(errors))
"""
    quiet = ["141 ''\n"]
    if arguments == ["--help"]:
        quiet.append("0 ''\n")  # argparse ignores the broken pipe itself where standard output is not buffered
    assert _python(code, folder, *arguments) in quiet
