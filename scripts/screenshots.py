#!/usr/bin/env python
"""Takes the pictures of the editor in docs/images: python scripts/screenshots.py [FOLDER]

Needs no screen. Run it in the environment in which DNNE is installed with its editor.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PySide6.QtWidgets import QApplication, QDialog, QWidget  # noqa: E402

from app.document.edits import set_parameter  # noqa: E402
from app.files.folders import UserFolders  # noqa: E402
from app.main_window import MainWindow  # noqa: E402

SIZE = (1366, 768)
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"
PATIENCE = 60.0


def wait(until: Callable[[], bool] = lambda: False, seconds: float = 0.5) -> bool:
    """Let the window work until something is true, at most for some seconds; tells whether it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        QApplication.processEvents()
        time.sleep(0.01)
    return until()


def take(widget: QWidget, path: Path) -> None:
    """Save a picture of a widget."""
    wait()
    image = widget.grab().toImage()
    if not image.save(str(path), "PNG", 0):
        raise OSError(f"cannot write {path}")
    sys.stdout.write(f"{path}  {image.width()}×{image.height()}  {path.stat().st_size // 1000} kB\n")


def dialog_of(window: MainWindow, action: str, name: str) -> QDialog:
    """Open a dialog by its action."""
    window.actions_by_name[action].trigger()
    wait(lambda: window.findChild(QDialog, name) is not None, PATIENCE)
    return window.findChild(QDialog, name)


def take_all(window: MainWindow, folder: Path) -> None:
    """All pictures, in the order of the README."""
    window.session.select(["6"])
    for theme in ("light", "dark"):
        window.view.set_theme(theme)
        take(window, folder / f"editor-{theme}.png")
    export = dialog_of(window, "actionExport", "exportDialog")
    wait(lambda: not export.is_busy, PATIENCE)
    export.folder.setText("~/cartpole_ppo_export")
    take(export, folder / "export.png")
    export.close()
    templates = dialog_of(window, "actionTemplates", "templatesDialog")
    take(templates, folder / "templates.png")
    templates.close()
    take_run(window, folder)


def take_run(window: MainWindow, folder: Path) -> None:
    """Two short trainings: the plots while one goes on, the viewer, and both runs compared."""
    watching, options = window.watching, window.controller.options
    window.session.select([])
    window.view.set_theme("dark")
    window.canvas.zoom_to_fit()
    for seed, rate in ((1, "0.001"), (2, "0.0003")):
        window.session.edit("Set", set_parameter(["6"], "learning_rate", float(rate)))
        options.put("train", "seed", str(seed))
        options.put("train", "iterations", "120")
        window.actions_by_name["actionTrain"].trigger()
        wait(lambda: len(watching.plots.runs[0].table) > 70, PATIENCE)
        if seed == 1:
            window.view.show_panel("plots")
            take(window, folder / "training.png")
            take_canvas(window, folder / "probes.png")
            window.view.show_panel("viewer")
            wait(lambda: watching.viewer.scene.state is not None, PATIENCE)
            take(watching.viewer, folder / "viewer.png")
        wait(lambda: window.controller.state == "finished", PATIENCE)
    window.view.show_panel("runs")
    wait(lambda: len(watching.runs.panel.model.entries) >= 2, PATIENCE)
    watching.runs.compare(watching.runs.panel.model.entries[1:2])
    wait(lambda: len(watching.plots.runs) == 2, PATIENCE)
    take(watching.plots, folder / "compare.png")


def take_canvas(window: MainWindow, path: Path) -> None:
    """The canvas of a training that goes on, with probes on two wires and the heat of every node."""
    display, heat = window.run_view.display, window.actions_by_name["actionHeat"]
    outputs = (("2", "output"), ("5", "rewards"))
    for output in outputs:
        display.toggle(*output)
    heat.trigger()
    wait(lambda: all(len(display.probe(output).samples) > 20 for output in outputs), PATIENCE)
    take(window.canvas, path)
    heat.trigger()
    display.unpin_all()


def main() -> int:
    """Take the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as scratch:
        window = MainWindow(EXAMPLE, UserFolders.below(Path(scratch)))
        window.controller.folder = lambda: Path(scratch)
        window.resize(*SIZE)
        window.show()
        if not wait(lambda: window.session.registry is not None, PATIENCE):
            sys.stderr.write("error: the node types were not loaded\n")
            return 1
        window.canvas.zoom_to_fit()
        take_all(window, folder)
        window.close_unasked()
    application.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
