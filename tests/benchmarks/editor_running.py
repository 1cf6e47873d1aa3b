"""The editor while a real Cartpole training with 64 environments goes on: latency, speed of the hosts, memory.

    OMP_NUM_THREADS=1 xvfb-run -a python -m tests.benchmarks.editor_running [--rounds N] [--seconds S] [--minutes M]

- Latency: from a `Metrics` event in the engine's thread to the end of the paint of a plot.
  Targets: p95 < 50 ms, p99 < 100 ms.
- Speed: steps/s of ``dnne train``, of the thread host and of the process host, in turns, of which another one is the
  first in every round; medians of the ratios within a round. Targets: thread ≥ 0.85 with one plot in view, process
  ≥ 0.97 of the command. A host in a process needs a core of its own. The first plots of the panel, four of which are in
  view, are measured besides.
- Work: milliseconds of processor time that the window's thread takes per second of training. A run in a thread has to
  wait for most of it, and other programs disturb it less than they disturb speeds.
- Memory: resident megabytes per minute of training in the thread host, after a warm-up.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QGraphicsView

from app.files.folders import UserFolders
from app.main_window import MainWindow
from app.running.controller import ACTIVE, FINISHED, RUNNING
from app.running.mailbox import Mailbox
from runtime.events import Event, Metrics

from .machine import machine_line

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"
WARM_UP, START_UP = 20.0, 90.0
COMMAND = "command"
ONE_PLOT, FIRST_PLOTS, PROCESS = "thread, one plot", "thread, first plots", "process"
TARGETS = {ONE_PLOT: 0.85, FIRST_PLOTS: None, PROCESS: 0.97}
POLL_MS = 250


class Latency(QObject):
    """Notes when metrics are sent, and when a plot has been painted with them."""

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self.milliseconds: List[float] = []
        self._sent: Dict[int, float] = {}
        self._arrived: List[float] = []
        mailbox: Mailbox = window.controller._mailbox
        put = mailbox.put

        def note(event: Event) -> None:
            if isinstance(event, Metrics):
                self._sent[event.iteration] = time.perf_counter()
            put(event)

        mailbox.put = note  # type: ignore[method-assign]
        self._plots = window.watching.plots
        self._plots_seen = 0
        window.controller.events.connect(self._on_events)

    def _look_for_plots(self) -> None:
        """Plots are shown when their first metrics come. A filter that is there already stays the only one."""
        self._plots_seen = len(self._plots.plots)
        for view in self._plots.findChildren(QGraphicsView):
            view.viewport().installEventFilter(self)

    def _on_events(self, events: Any) -> None:
        if len(self._plots.plots) != self._plots_seen:
            self._look_for_plots()
        found = (self._sent.pop(event.iteration, None) for event in events if isinstance(event, Metrics))
        self._arrived += [sent for sent in found if sent is not None]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """The paint itself comes after the filters; a timer of no time comes after the paint."""
        if event.type() == QEvent.Type.Paint and self._arrived:
            arrived, self._arrived = self._arrived, []
            QTimer.singleShot(0, self, lambda: self._painted(arrived))
        return False

    def _painted(self, sent: List[float]) -> None:
        now = time.perf_counter()
        self.milliseconds += [1e3 * (now - moment) for moment in sent]


class Editor:
    """A window with the example, in a folder of its own."""

    def __init__(self, folder: Path):
        self.app = QApplication.instance() or QApplication(sys.argv[:1])
        path = folder / "cartpole.json"
        shutil.copy(EXAMPLE, path)
        self.window = MainWindow(path, UserFolders.below(folder / "user"))
        self.window.resize(1366, 768)
        self.window.show()
        self.until(lambda: self.window.session.registry is not None, START_UP)
        self.window.view.show_panel("plots")
        self.plots = self.window.watching.plots
        self._first_plots = list(self.plots.choices.plots)
        self.controller = self.window.controller
        self.controller.state_changed.connect(self._on_state)
        self.work: Dict[str, List[float]] = {contender: [] for contender in TARGETS}
        self._began, self._contender = (0.0, 0.0), FIRST_PLOTS

    def until(self, condition: Callable[[], Any], seconds: float) -> None:
        """Let Qt's own loop run until the condition holds, or for so long."""
        end = time.monotonic() + seconds
        poll = QTimer(interval=POLL_MS)
        poll.timeout.connect(lambda: self.app.exit() if condition() or time.monotonic() > end else None)
        poll.start()
        self.app.exec()
        poll.stop()

    def train(self, contender: str, seconds: float) -> float:
        """Steps per second of a training of so many seconds."""
        chosen = self._first_plots[:1] if contender == ONE_PLOT else self._first_plots
        for plot in self._first_plots:
            self.plots.show_plot(plot, plot in chosen)
        self._contender = contender
        self.controller.options.host = "process" if contender == PROCESS else "thread"
        self.controller.options.put("train", "timeout", f"{seconds:g}s")
        self.controller.train()
        self.until(lambda: self.controller.state not in ACTIVE, seconds + START_UP)
        if self.controller.run_folder is None or self.controller.failure is not None:
            raise RuntimeError(f"the training did not run: {self.controller.failure}")
        return speed_of(self.controller.run_folder)

    def _on_state(self, state: str) -> None:
        now = time.perf_counter(), time.thread_time()
        if state == RUNNING:
            self._began = now
        elif state == FINISHED:
            wall, work = (after - before for after, before in zip(now, self._began))
            self.work[self._contender].append(1e3 * work / wall)


def speed_of(run_folder: Path) -> float:
    """Steps per second, as the run's own summary has it."""
    return float(json.loads((run_folder / "run.json").read_text())["summary"]["steps_per_second"])


def command_speed(folder: Path, seconds: float, number: int) -> float:
    """Steps per second of ``dnne train``."""
    words = ["train", str(EXAMPLE), f"--timeout={seconds:g}s", f"--log-dir={folder}", f"--run-name=command-{number}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "app.cli", *words], env=environment, check=True, capture_output=True)
    return speed_of(folder / f"command-{number}")


def resident_megabytes() -> float:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(editor: Editor, minutes: float) -> float:
    """Megabytes per minute while training in the thread host."""
    editor.controller.options.host = "thread"
    editor.controller.options.put("train", "timeout", "")
    editor.controller.train()
    editor.until(lambda: False, WARM_UP)
    before = resident_megabytes()
    editor.until(lambda: False, 60.0 * minutes)
    after = resident_megabytes()
    editor.controller.stop()
    editor.until(lambda: editor.controller.state not in ACTIVE, START_UP)
    return (after - before) / minutes


def percentile(values: List[float], share: float) -> float:
    """The value that this share does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def main(rounds: int, seconds: float, minutes: float) -> None:
    """Measure and print."""
    print(machine_line(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        editor = Editor(folder)
        latency = Latency(editor.window)
        speeds: Dict[str, List[float]] = {contender: [] for contender in (COMMAND, *TARGETS)}
        for number in range(rounds):
            for position in range(len(speeds)):
                contender = list(speeds)[(number + position) % len(speeds)]
                is_command = contender == COMMAND
                speed = command_speed(folder, seconds, number) if is_command else editor.train(contender, seconds)
                speeds[contender].append(speed)
            print(f"round {number + 1}: " + "; ".join(f"{k} {v[-1]:,.0f}" for k, v in speeds.items()), flush=True)
        found = latency.milliseconds
        print(f"event to paint, {len(found)} metrics: p50 {percentile(found, 0.5):.0f} ms, "
              f"p95 {percentile(found, 0.95):.0f} ms (< 50), p99 {percentile(found, 0.99):.0f} ms (< 100)")  # fmt: skip
        for contender, target in TARGETS.items():
            ratios = [ours / commands for ours, commands in zip(speeds[contender], speeds[COMMAND])]
            print(f"{contender}: {statistics.median(ratios):.2f} of the command ({min(ratios):.2f} to {max(ratios):.2f}"
                  f"{f'; target ≥ {target}' if target else ''}), "
                  f"the window works {statistics.median(editor.work[contender]):.0f} ms/s")  # fmt: skip
        if minutes:
            print(f"memory: {growth(editor, minutes):+.1f} MB per minute over {minutes:g} minutes (target < 0.8)")
        editor.window.close_unasked()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--minutes", type=float, default=3.0)
    given = parser.parse_args()
    main(given.rounds, given.seconds, given.minutes)
