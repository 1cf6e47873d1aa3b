"""A real window on a virtual screen: Xvfb, a real mouse and keyboard by xdotool, and a way to ask where things are."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MISSING = [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]
SCREEN = (1600, 1000)
PAUSE = 0.03

# The editor as users start it, with a probe that answers questions on its standard input; it never acts itself.
PROGRAM = """
import json, os, sys
from PySide6.QtCore import QObject, QPoint, QRect, QSocketNotifier
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QTabBar, QWidget
import app.editor
from app import cli, main_window
from runtime.workflow import workflow_to_dict

def middle(widget, rect=None):
    return widget.mapToGlobal((rect or widget.rect()).center()).toTuple()

class Probed(main_window.MainWindow):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.setGeometry(QApplication.primaryScreen().geometry())
        self.notifier = QSocketNotifier(0, QSocketNotifier.Type.Read, self)
        self.notifier.activated.connect(self.answer)

    def answer(self):
        for line in os.read(0, 65536).decode().splitlines():
            print(json.dumps(eval(line, {**globals(), "w": self})), flush=True)

    def type_at(self, class_type):
        tree = self.palette_panel.tree
        item = next(leaf for leaf in tree.leaves() if leaf.data(0, tree_role) == class_type)
        return middle(tree.viewport(), tree.visualItemRect(item))

    def widget_at(self, name):
        found = [w for w in QApplication.allWidgets() if w.objectName() == name and w.isVisible()]
        return middle(found[0]) if found else None

    def action_at(self, name):
        return middle(self.toolbar.widgetForAction(self.actions_by_name[name]))

    def tab_at(self, title):
        bars = [bar for bar in self.findChildren(QTabBar) if bar.isVisible()]
        bar, place = next((b, n) for b in bars for n in range(b.count()) if b.tabText(n) == title)
        return middle(bar, bar.tabRect(place))

    def option_at(self, mode, name):
        option = self.run_view.settings.fields[mode][name].input
        rect = option.visibleRegion().boundingRect()
        return middle(option) if rect.height() >= option.height() - 2 else None

    def run_at(self, name):
        view = self.watching.runs.panel.view
        rows = range(view.model().rowCount())
        columns = range(view.model().columnCount())
        row = next(r for r in rows if name in [view.model().index(r, c).data() for c in columns])
        return middle(view.viewport(), view.visualRect(view.model().index(row, 0)))

    def rewards(self):
        curve = self.watching.plots.runs[0].table.curves.get("episode/mean_reward")
        return curve.values.values.tolist() if curve is not None else []

    def said_in_log(self):
        return [record.text for record in self.watching.log.model.lines.records]

    def window_id(self):
        return int((QApplication.activeModalWidget() or self).winId())

from app.panels.palette import CLASS_NAME as tree_role
app.editor.MainWindow = Probed
sys.exit(cli.main(sys.argv[1:]))
"""


class Desk:
    """A screen with the editor on it."""

    def __init__(self, home: Path, *words: str):
        self.home = home
        read, write = os.pipe()
        size = f"{SCREEN[0]}x{SCREEN[1]}x24"
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"],
            pass_fds=[write], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as answer:
            display = answer.readline().strip()
        self.environment = {**os.environ, "DISPLAY": f":{display}", "HOME": str(home)}
        for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
            self.environment[f"XDG_{kind}_HOME"] = str(home / kind)
        self.environment.update(QT_QPA_PLATFORM="xcb", OMP_NUM_THREADS="1")
        self.errors = (home / "stderr.txt").open("w+")
        self.editor = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words], cwd=ROOT, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
        )  # fmt: skip

    def close(self) -> None:
        """End both; a killed server would leave its lock behind."""
        if self.editor.poll() is None:
            self.editor.kill()
        self.editor.wait()
        self.server.terminate()
        self.server.wait()
        for stream in (self.editor.stdin, self.editor.stdout, self.errors):
            stream.close()

    def said(self) -> list:
        """What the editor wrote to its standard error."""
        self.errors.flush()
        return (self.home / "stderr.txt").read_text().splitlines()

    # Asking

    def ask(self, question: str):
        """The value of an expression in the editor; ``w`` is its window."""
        self.editor.stdin.write(question + "\n")
        self.editor.stdin.flush()
        answer = self.editor.stdout.readline()
        assert answer, self.said()
        return json.loads(answer)

    def wait(self, question: str, seconds: float = 60.0):
        """Ask until the answer is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self.ask(question)
            if answer:
                return answer
            time.sleep(0.05)
        raise AssertionError(f"{question} is {answer!r} after {seconds} s; {self.said()}")

    # Acting

    def do(self, *arguments) -> None:
        """Run xdotool."""
        subprocess.run(["xdotool", *map(str, arguments)], env=self.environment, check=True, timeout=60)
        time.sleep(PAUSE)

    def focus(self) -> None:
        """Give the keyboard to the window in front; there is no window manager that would."""
        self.do("windowfocus", "--sync", self.ask("w.window_id()"))
        self.wait("QApplication.activeWindow() is not None")

    def click(self, place, times: int = 1) -> None:
        """Click the left button."""
        self.do("mousemove", *place, "click", "--repeat", times, "--delay", 40, 1)

    def scroll(self, place, down: bool = True) -> None:
        """Turn the wheel by one notch."""
        self.do("mousemove", *place, "click", 5 if down else 4)

    def drag(self, start, end) -> None:
        """Drag with the left button."""
        self.do("mousemove", *start)
        self.do("mousedown", 1)
        for step in range(1, 6):
            self.do("mousemove", *(round(a + (b - a) * step / 5) for a, b in zip(start, end)))
        self.do("mouseup", 1)

    def press(self, *keys: str) -> None:
        """Press keys, such as ``ctrl+s``."""
        self.do("key", "--delay", 30, *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self.do("type", "--delay", 8, text)
