"""How long a frame of the plots takes with a million points, while they grow, are panned and zoomed.

    QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.plots [POINTS] [PLOTS]

A frame is reduction, smoothing, drawing and painting of all plots, in the window's thread. Target: p95 < 16 ms for a
plot of a million points.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List

import numpy as np
from PySide6.QtWidgets import QApplication

from app.files.settings import EditorSettings
from app.plots.metric_table import MetricTable
from app.plots.panel import Plots
from app.session import EditorSession
from app.theme import apply_theme
from runtime.events import Metrics
from tests.benchmarks.machine import machine_line

FRAMES, NEW_POINTS = 150, 40
SIZE = (1100, 400)


def large_table(points: int, names: List[str]) -> MetricTable:
    """Noisy curves."""
    generator = np.random.default_rng(0)
    columns: Dict[str, List[float]] = {
        "step": list(np.arange(points) * 1024.0),
        "iteration": list(np.arange(points) + 1.0),
        "time/elapsed_seconds": list(np.arange(points) * 0.05),
    }
    for name in names:
        columns[name] = list(np.cumsum(generator.normal(size=points)) / 100 + generator.normal(size=points))
    return MetricTable.from_columns(columns)


def frame_times(panel: Plots, change: Callable[[int], None]) -> List[float]:
    """Seconds of each frame after a change."""
    taken = []
    for frame in range(FRAMES):
        change(frame)
        start = time.perf_counter()
        panel.redraw()
        for plot in panel.plots.values():
            plot.view.viewport().repaint()
        taken.append(time.perf_counter() - start)
        QApplication.processEvents()
    return taken


def report(what: str, taken: List[float]) -> None:
    """Print p50 and p95."""
    ordered = sorted(taken)
    p50, p95 = (1e3 * ordered[int(len(ordered) * share)] for share in (0.5, 0.95))
    print(f"{what:<10} p50 {p50:5.1f} ms  p95 {p95:5.1f} ms")


def main(points: int, plots: int) -> None:
    """Measure and print."""
    app = QApplication.instance() or QApplication([])
    apply_theme(app, "dark")
    names = [f"metric{number}" for number in range(plots)]
    session = EditorSession()
    with tempfile.TemporaryDirectory() as folder:
        panel = Plots(session, EditorSettings(Path(folder), session))
        for name in list(panel.choices.plots):
            panel.show_plot(name, False)
        for name in names:
            panel.show_plot(name)
        panel.resize(*SIZE)
        panel.show_table(large_table(points, names))
        panel.show()
        app.processEvents()
        print(machine_line())
        print(f"{plots} plot(s) of {points:,} points, raw and smoothed, {SIZE[0]}×{SIZE[1]}")
        values = np.random.default_rng(1).normal(size=FRAMES * NEW_POINTS)

        def grow(frame: int) -> None:
            start = points + frame * NEW_POINTS
            panel.take([
                Metrics(0.05 * i, 1024 * i, i + 1, {name: float(values[i - points]) for name in names})
                for i in range(start, start + NEW_POINTS)
            ])  # fmt: skip

        whole = 1024.0 * points
        report("appending", frame_times(panel, grow))
        report("panning", frame_times(panel, lambda f: panel.set_range(whole * f / 400, whole * (0.6 + f / 400))))
        report("zooming", frame_times(panel, lambda f: panel.set_range(whole * 0.4 * f / 150, whole * (1 - f / 300))))
        report("cursor", frame_times(panel, lambda f: panel.set_cursor(whole * f / 150)))
        panel.stop()
        panel.close()
        app.processEvents()


if __name__ == "__main__":
    main(*(int(value) for value in (sys.argv[1:] + ["1000000", "1"][len(sys.argv) - 1 :])))
