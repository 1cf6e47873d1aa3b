"""`dnne` as users start it: the window, exit codes, signals, a kill, and what is said where something is missing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"

# Runs in the started process: does something once node types are there, and says how far it is.
STARTED = """
import os, sys, time
begun = time.perf_counter()
from PySide6.QtCore import QTimer
from app import cli, main_window

class Watched(main_window.MainWindow):
    def showEvent(self, event):
        super().showEvent(event)
        self.had_torch = "torch" in sys.modules
        QTimer.singleShot(0, self.tell)

    def tell(self):
        print(f"shown {time.perf_counter() - begun:.2f} torch={self.had_torch}", flush=True)

    def _on_types_loaded(self, registry):
        super()._on_types_loaded(registry)
        print(f"usable {time.perf_counter() - begun:.2f}", flush=True)
        QTimer.singleShot(0, self.then)

    def then(self):
        %s

main_window.MainWindow = Watched
import app.editor
app.editor.MainWindow = Watched
sys.exit(cli.main(sys.argv[1:]))
"""
ADD = 'self.canvas.add_node("ORNode")'


@pytest.fixture
def start(tmp_path):
    processes = []
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    environment.update({f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "STATE", "CACHE")})

    def run(then, *arguments):
        command = [sys.executable, "-c", STARTED % then, *map(str, arguments)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(process, word):
    for line in process.stdout:
        if line.startswith(word):
            return line
    raise AssertionError(process.stderr.read())


def finish(process, timeout=60):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, "\n".join(line for line in err.splitlines() if "propagateSizeHints" not in line)


def test_the_window_shows_before_torch_is_imported_and_closes_cleanly(start):
    process = start("self.close()", EXAMPLE)
    shown, usable = wait_for(process, "shown"), wait_for(process, "usable")
    assert shown.endswith("torch=False\n")
    assert float(shown.split()[1]) < float(usable.split()[1])
    assert finish(process)[::2] == (0, "")


def test_quitting_by_the_menu_ends_the_process(start):
    assert finish(start("self.actions_by_name['actionQuit'].trigger()"))[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_keeps_unsaved_work(start, tmp_path, number):
    process = start(f"{ADD}; print('added', flush=True)")
    wait_for(process, "added")
    process.send_signal(number)
    assert finish(process)[0] == 128 + number
    assert len(list((tmp_path / "DATA" / "dnne" / "autosave").glob("*.json"))) == 1


def test_work_is_offered_again_after_a_kill(start, tmp_path):
    first = start(f"{ADD}; self.autosave.save_now(); print('added', flush=True)")
    wait_for(first, "added")
    first.kill()
    first.communicate()
    second = start("print('offers', self.findChild(QDialog, 'recoveryDialog') is not None, flush=True); "
                   "self.close()".replace("QDialog", "__import__('PySide6.QtWidgets').QtWidgets.QDialog"))  # fmt: skip
    assert wait_for(second, "offers") == "offers True\n"
    assert finish(second)[0] == 0


def test_an_exception_in_a_slot_is_logged_and_the_editor_goes_on(start, tmp_path):
    process = start("QTimer.singleShot(50, lambda: (print('alive', flush=True), self.close())); 1 / 0")
    wait_for(process, "alive")
    assert finish(process)[0] == 0
    (log,) = tmp_path.rglob("editor.log")
    assert "ZeroDivisionError" in log.read_text()


def dnne(*arguments, **changes):
    environment = {**os.environ, **changes}
    environment = {key: value for key, value in environment.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("argument", "said"),
    [("trian", "did you mean 'train'"), ("gone.json", "there is no file gone.json"), ("a/b", "there is no file a/b")],
)
def test_a_file_that_is_not_there_is_named(argument, said):
    run = dnne(argument)
    assert run.returncode == 2
    assert said in run.stderr


def test_a_folder_of_nodes_that_is_not_there_is_named():
    run = dnne("--nodes-dir", "gone", EXAMPLE)
    assert run.returncode == 2
    assert "--nodes-dir: there is no folder gone" in run.stderr


def test_a_folder_of_nodes_is_no_file_of_another_command():
    run = dnne("--nodes-dir", ".", "train", EXAMPLE)
    assert run.returncode == 2
    assert "error" in run.stderr


def test_without_a_display_it_says_so():
    run = dnne(EXAMPLE, DISPLAY=None, WAYLAND_DISPLAY=None, QT_QPA_PLATFORM=None)
    assert run.returncode == 2
    assert "needs a display" in run.stderr


def test_without_pyside6_it_names_the_command():
    program = """
import sys
class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "PySide6":
            raise ModuleNotFoundError("No module named 'PySide6'", name="PySide6")
sys.meta_path.insert(0, NoQt())
from app.cli import main
sys.exit(main([]))
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert 'pip install "dnne[editor]"' in run.stderr


def test_help_tells_of_the_editor():
    run = dnne("--help")
    assert run.returncode == 0
    assert "dnne [--nodes-dir DIR] [FILE]" in " ".join(run.stdout.split())
