"""A training from the first click to the comparison of runs, with a real mouse and keyboard in a real window."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.desk import MISSING, ROOT, Desk

LACKING = [*MISSING, *(name for name in ("PySide6", "pyqtgraph") if importlib.util.find_spec(name) is None)]
IN_CI = os.environ.get("CI") == "true"
pytestmark = pytest.mark.skipif(bool(LACKING) and not IN_CI, reason=f"not installed: {', '.join(LACKING)}")

STATE = "w.controller.state"
STEPS = "w.watching.plots.runs[0].table.axis('steps')[-1].item()"


@pytest.fixture
def path(tmp_path):
    """The example with a learning rate that only the test changes."""
    workflow = json.loads((ROOT / "examples" / "cartpole_ppo.json").read_text())
    workflow["nodes"]["6"]["inputs"]["learning_rate_schedule"] = "fixed"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(workflow))
    return path


@pytest.fixture
def desk(tmp_path, path):
    desk = Desk(tmp_path, str(path))
    yield desk
    desk.close()


def press(desk, action):
    desk.wait(f"w.actions_by_name[{action!r}].isEnabled()")
    desk.click(desk.ask(f"w.action_at({action!r})"))


def set_option(desk, mode, name, value):
    """Type a run setting; the page is scrolled until it is in view."""
    area = desk.ask("(lambda p: [*p.mapToGlobal(QPoint(0, 0)).toTuple(), p.height()])(w.run_view.settings.tabs)")
    for _ in range(40):
        place = desk.ask(f"w.option_at({mode!r}, {name!r})")
        if place:
            break
        desk.scroll((area[0] + 12, area[1] + area[2] // 2))
    assert place, f"{name} cannot be scrolled to"
    desk.click(place, 1)
    desk.press("ctrl+a")
    desk.type(value)
    desk.press("Tab")
    desk.wait(f"w.controller.options.values[{mode!r}].get({name!r}) == {value!r}")


def train_until(desk, condition, seconds=60.0):
    press(desk, "actionTrain")
    desk.wait(f"{STATE} == 'running'", 30)
    return desk.wait(condition, seconds)


def stop(desk):
    press(desk, "actionStop")
    desk.wait(f"{STATE} == 'finished'", 30)
    return Path(desk.ask("str(w.controller.run_folder)"))


def check_pause_step_and_learning_rate(desk):
    press(desk, "actionPause")
    desk.wait(f"{STATE} == 'paused'")
    before = desk.ask(STEPS), desk.ask("w.run_view.status._step")
    press(desk, "actionStep")
    desk.wait(f"w.run_view.status._step > {before[1]} or {STEPS} > {before[0]}")
    assert desk.ask(STATE) == "paused"
    desk.click(desk.ask("w.widget_at('statusZoom')"))
    rect = desk.ask("w.canvas.node_rect('6').getRect()")
    desk.click((rect[0] + rect[2] // 2, rect[1] + 12))
    desk.click(desk.ask("w.tab_at('Inspector')"))
    desk.wait("not w.inspector.visibleRegion().isEmpty()")
    desk.click(desk.wait("w.widget_at('param_learning_rate')"))
    desk.press("ctrl+a")
    desk.type("0.0007")
    desk.press("Return")
    desk.wait("any('learning_rate' in text and '0.0007' in text for text in w.said_in_log())")
    press(desk, "actionPause")
    desk.wait(f"{STATE} == 'running'")
    desk.wait("w.watching.plots.runs[0].table.curves['train/learning_rate'].values.values[-1].item() == 0.0007")


def check_plots(desk, folder):
    with (folder / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["episode/mean_reward"]]
    desk.wait(f"len(w.rewards()) == {len(rows)}")
    assert desk.ask("w.rewards()") == [float(row["episode/mean_reward"]) for row in rows]
    desk.wait("w.watching.plots.plots['episode/mean_reward'].isVisible()")
    shown = desk.wait("[part[-1].item() for part in w.watching.plots.plots['episode/mean_reward'].shown[0]]")
    assert shown == [float(rows[-1]["step"]), float(rows[-1]["episode/mean_reward"])]


def check_inference(desk, checkpoints):
    desk.click(desk.ask("w.tab_at('Infer')"))
    set_option(desk, "infer", "load_checkpoint_dir", str(checkpoints))
    press(desk, "actionInfer")
    desk.click(desk.ask("w.tab_at('Viewer')"))
    desk.wait("w.watching.viewer.pages.currentWidget() is w.watching.viewer.scene")
    desk.wait("w.watching.viewer.scene.painter is not None")
    stop(desk)


def check_comparison(desk, names):
    """The second of the runs is the last one, which is drawn already."""
    desk.press("ctrl+5")
    desk.wait("w.watching.runs.panel.isVisible()")
    desk.wait(f"w.watching.runs.panel.proxy.rowCount() >= {len(names)}")
    desk.click(desk.ask(f"w.run_at({names[0]!r})"))
    desk.do("keydown", "ctrl")
    desk.click(desk.ask(f"w.run_at({names[1]!r})"))
    desk.do("keyup", "ctrl")
    desk.click(desk.wait("w.widget_at('runCompare')"))
    desk.wait(f"[run.name for run in w.watching.plots.runs] == ['This run', {names[0]!r}]")
    assert desk.wait("w.watching.plots.legend.isVisible()")


def check_killed_process(desk):
    desk.click(desk.ask("middle(w.run_view.settings.host)"))
    desk.press("Down", "Return")
    desk.wait("w.controller.options.host == 'process'")
    train_until(desk, "len(w.rewards()) > 2", 60)
    os.kill(desk.ask("w.controller._host.pid"), signal.SIGKILL)
    desk.wait(f"{STATE} == 'failed'")
    assert "killed by SIGKILL" in desk.wait("w.notice.isVisible() and w.notice.text")


def check_attached(desk, path, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    export = [sys.executable, "-m", "app.cli", "export", str(path), "-o", str(folder / "exported")]
    subprocess.run(export, env=environment, cwd=folder, check=True, capture_output=True)
    words = ["runner.py", "--iterations", "100000", "--run-name", "far"]
    runner = subprocess.Popen([sys.executable, *words], cwd=folder / "exported", stderr=subprocess.DEVNULL)
    try:
        far = folder / "exported" / "runs" / "far"
        desk.wait(f"__import__('os').path.exists({str(far / 'events.jsonl')!r})")
        desk.press("ctrl+r")
        desk.wait("w.findChild(QDialog, 'attachDialog') is not None")
        desk.focus()
        desk.wait("isinstance(QApplication.focusWidget(), QLineEdit)")
        desk.press("ctrl+a")
        desk.type(str(far))
        desk.press("Return")
        desk.wait("w.findChild(QDialog, 'attachDialog') is None")
        desk.focus()
        desk.wait(f"{STATE} == 'running' and w.controller.run_folder.name == 'far' and len(w.rewards()) > 2")
        runner.send_signal(signal.SIGINT)
        desk.wait(f"{STATE} == 'finished'")
    finally:
        runner.kill()
        runner.wait()


@pytest.mark.timeout(420)
def test_a_training_from_the_first_click_to_the_comparison(desk, path, tmp_path):
    checkpoints = tmp_path / "checkpoints"
    desk.wait("w.session.registry is not None", 120)
    desk.focus()
    desk.press("F4")
    desk.wait("w.run_view.settings.isVisible() and w.run_view.settings.tabs.count() > 0")
    set_option(desk, "train", "save_checkpoint_dir", str(checkpoints))
    train_until(desk, "len(w.rewards()) > 20 and max(w.rewards()[-5:]) > 2 * w.rewards()[0]")
    check_pause_step_and_learning_rate(desk)
    first = stop(desk)
    check_plots(desk, first)
    train_until(desk, "len(w.rewards()) > 3")
    second = stop(desk)
    check_comparison(desk, [first.name, second.name])
    desk.press("F4")
    check_killed_process(desk)
    check_attached(desk, path, tmp_path)
    desk.press("F4")
    desk.click(desk.ask("middle(w.run_view.settings.host)"))
    desk.press("Up", "Return")
    check_inference(desk, checkpoints)
    desk.press("ctrl+s", "ctrl+q")
    assert desk.editor.wait(60) == 0
    assert desk.said() == []
