"""The dock of live plots."""

from __future__ import annotations

import time
from typing import Dict, List, Optional, Sequence, Tuple, Union

from PySide6.QtCore import QEvent, QPoint, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.files.settings import EditorSettings
from app.panels.widgets import refresh_icons, text_label
from app.session import EditorSession
from runtime.events import Event, Failed, Finished, Metrics, RunStarted
from runtime.modes import TRAIN

from .choices import PlotChoices, choices_key
from .drawing import Ends, RunCurves, View, drawn_curves
from .following import Following, whole_range
from .grid import PlotGrid
from .labels import curve_names, plots_for
from .legend import RunLegend
from .metric_picker import MetricPicker
from .metric_plot import MetricPlot
from .metric_table import MetricTable
from .metrics_file import PastMetrics
from .toolbar import PlotToolbar

THIS_RUN = "This run"
FRAME_MS = 40
_EMPTY = (
    "The curves of a run appear here.\n"
    "Press Train, or choose earlier runs in the panel Runs and compare them."
)  # fmt: skip
_WORK_SHARE = 4
"""Live redrawing takes at most about one part in so many of the window's time; time spent on waiting for a core or for
the thread of the run is no work."""


class Plots(QWidget):
    """Draws the metrics of the run that goes on, and of earlier ones besides it.

    It is fed with events by `take`. It redraws only plots that can be seen, only after something has changed, and at
    most 25 times a second.
    """

    def __init__(self, session: EditorSession, settings: EditorSettings, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.setObjectName("plots")
        self.setAccessibleName("Plots")
        self.setProperty("panel", True)
        self.session, self._settings = session, settings
        self.choices = PlotChoices()
        self.runs: List[RunCurves] = [RunCurves(THIS_RUN)]
        self.frames = 0
        self._plots: Dict[str, MetricPlot] = {}
        self._prepared: Dict[str, MetricPlot] = {}
        self._known: Tuple[str, ...] = ()
        self._range: Optional[Ends] = None
        self._following = Following()
        self._cursor: Optional[float] = None
        self._is_training = self._is_in_front = True
        self._is_growing = False
        self._stale: set = set()
        self._frame_seconds = 0.0
        self._timer = QTimer(self, singleShot=True)
        self._drawn_at = 0.0
        self._timer.timeout.connect(self.redraw)
        self.toolbar = PlotToolbar(self)
        self.grid, self.legend = PlotGrid(), RunLegend()
        self.picker = MetricPicker(self)
        self._lay_out()
        self._connect()
        self._recall()

    def _lay_out(self) -> None:
        plots = QWidget()
        row = QHBoxLayout(plots)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.grid, 1)
        row.addWidget(self.legend)
        self.legend.hide()
        self.nothing = text_label(_EMPTY, "empty")
        self.pages = QStackedWidget()
        self.pages.addWidget(plots)
        self.pages.addWidget(self.nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.toolbar)
        layout.addWidget(self.pages, 1)
        self.pages.setCurrentIndex(1)

    def _connect(self) -> None:
        self.toolbar.add_requested.connect(self._open_picker)
        self.toolbar.axis_changed.connect(self.set_axis)
        self.toolbar.smoothing_changed.connect(self.set_smoothing)
        self.toolbar.follow_changed.connect(self._on_follow)
        self.picker.chosen.connect(self.show_plot)
        self.legend.remove_requested.connect(self.remove_run)
        self.grid.view_changed.connect(self._schedule)
        for signal in (self.session.document_replaced, self.session.history_changed):
            signal.connect(self._recall)

    # Data

    def take(self, events: Sequence[Event]) -> None:
        """Add what happened in the run."""
        is_changed = False
        for event in events:
            if isinstance(event, RunStarted):
                self._is_training = event.mode == TRAIN
                self._is_growing = True
                if self._is_training and not event.resumed:
                    self._begin()
            elif isinstance(event, (Finished, Failed)):
                self._is_growing = False
                self._move(self._range)
            elif isinstance(event, (Metrics, PastMetrics)) and self._is_training:
                self._add(event)
                is_changed = True
        if is_changed:
            self._on_data()

    def _add(self, event: Union[Metrics, PastMetrics]) -> None:
        if isinstance(event, Metrics):
            self.runs[0].table.append(event.step, event.iteration, event.time, event.values)
            return
        if event.is_first:
            self.runs[0] = RunCurves(THIS_RUN)
        self.runs[0].table.extend(event.columns)

    def _begin(self) -> None:
        self.runs[0] = RunCurves(THIS_RUN)
        self.follow()

    def show_table(self, table: MetricTable, name: str = THIS_RUN) -> None:
        """Show the metrics of a run that was read from its folder in place of those of the present one."""
        self.runs[0] = RunCurves(name, table)
        self._on_data()

    def add_run(self, run: RunCurves) -> None:
        """Draw an earlier run besides."""
        self.runs = [other for other in self.runs if other.name != run.name]
        taken = {other.colour for other in self.runs}
        run.colour = next(colour for colour in range(1, 100) if colour not in taken)
        self.runs.append(run)
        self._show_legend()

    def remove_run(self, place: int) -> None:
        """Draw it no longer."""
        del self.runs[place]
        self._show_legend()

    def clear_comparison(self) -> None:
        """Draw the present run alone."""
        self.runs = self.runs[:1]
        self._show_legend()

    def set_differences(self, texts: Dict[str, str]) -> None:
        """Say what differs, by name of the run."""
        for run in self.runs:
            run.differences = texts.get(run.name, "")
        self._show_legend()

    def _show_legend(self) -> None:
        self.legend.setVisible(len(self.runs) > 1)
        self.legend.show_runs(self.runs)
        self._on_data()

    @property
    def metrics(self) -> List[str]:
        """Every metric that one of the runs has reported."""
        return list({name: None for run in self.runs for name, curve in run.table.curves.items() if len(curve)})

    def _on_data(self) -> None:
        metrics = tuple(self.metrics)
        are_known = metrics == self._known
        if not are_known:
            self._known = metrics
            self._show_plots()
        self._stale.update(self._plots)
        self._schedule(live=True, at_once=are_known)  # new plots have no size yet

    # Choices

    def _recall(self) -> None:
        key = choices_key(str(self.session.document.path or self.session.document.title))
        if key != getattr(self, "_key", None):
            self._key = key
            self.choices = PlotChoices.parse(self._settings.text(key, ""))
            self._apply()

    def _choose(self, **changes: object) -> None:
        self.choices = PlotChoices(**{**self.choices.__dict__, **changes})  # type: ignore[arg-type]
        self._settings.keep(self._key, self.choices.text())
        self._apply()

    def _apply(self) -> None:
        self.toolbar.show_choices(self.choices)
        self._show_plots()
        self._stale.update(self._plots)
        self._schedule()

    def set_axis(self, axis: str) -> None:
        """Put steps, iterations or time on the x axes."""
        if axis != self.choices.axis:
            self._range = None
            self.toolbar.show_follow(True)
            self._choose(axis=axis)

    def set_smoothing(self, weight: float) -> None:
        """Weight of the past in the smoothed curves; 0 for none."""
        self._choose(smoothing=weight)

    def show_plot(self, plot: str, on: bool = True) -> None:
        """Add a plot at the end, or remove it."""
        others = [name for name in self.choices.plots if name != plot]
        self._choose(plots=[*others, plot] if on else others)

    def set_logarithmic(self, plot: str, on: bool) -> None:
        """Scale of one plot."""
        others = [name for name in self.choices.logarithmic if name != plot]
        self._choose(logarithmic=[*others, plot] if on else others)

    def _open_picker(self) -> None:
        place = self.toolbar.add.mapToGlobal(QPoint(0, self.toolbar.add.height()))
        self.picker.open_at(place, plots_for(self.metrics), self.choices.plots)

    # Plots

    def _show_plots(self) -> None:
        metrics = self._known
        wanted = [plot for plot in self.choices.plots if set(curve_names(plot, metrics)) & set(metrics)]
        for plot in [name for name in self._plots if name not in self.choices.plots]:
            widget = self._plots.pop(plot)
            self.grid.show_plots([self._plots[name] for name in wanted if name in self._plots])
            widget.deleteLater()
        for plot in wanted:
            if plot not in self._plots:
                self._plots[plot] = self._prepared.pop(plot) if plot in self._prepared else self._new_plot(plot)
            self._plots[plot].set_logarithmic(plot in self.choices.logarithmic)
        self.grid.show_plots([self._plots[plot] for plot in wanted])
        self.toolbar.set_data(bool(metrics))
        self.nothing.setText(_EMPTY if not metrics else "No plot is chosen. Add some with “Add metric”.")
        self.pages.setCurrentIndex(0 if wanted else 1)

    def prepare(self) -> None:
        """Make the chosen plots before a run begins: with the first metrics it would take long, as the run goes on."""
        for plot in self.choices.plots:
            if plot not in self._plots and plot not in self._prepared:
                self._prepared[plot] = self._new_plot(plot)
                self._prepared[plot].hide()

    def _new_plot(self, plot: str) -> MetricPlot:
        widget = MetricPlot(plot, self.grid.inner)
        widget.view.range_moved.connect(self.set_range)
        widget.view.cursor_moved.connect(lambda position: self.set_cursor(position))
        widget.view.reset_requested.connect(self.follow)
        widget.remove_requested.connect(lambda: self.show_plot(plot, False))
        widget.logarithmic_changed.connect(lambda on: self.set_logarithmic(plot, on))
        return widget

    @property
    def plots(self) -> Dict[str, MetricPlot]:
        """The plots by name."""
        return dict(self._plots)

    # View

    @property
    def is_following(self) -> bool:
        """True while all of the run is shown as it grows."""
        return self._range is None

    def follow(self) -> None:
        """Show all, and what comes."""
        self._move(None)

    def _on_follow(self, on: bool) -> None:
        self._move(None if on else whole_range(self.runs, self.choices.axis))

    def set_range(self, low: float, high: float) -> None:
        """Show these positions in every plot; the curves go on growing unseen."""
        if high > low:
            self._move((low, high))

    def _move(self, found: Optional[Ends]) -> None:
        self._range = found
        self.toolbar.show_follow(found is None)
        self._stale.update(self._plots)
        self._schedule()

    def set_cursor(self, position: Optional[float]) -> None:
        """Show the values at a position in every plot; ``None`` for the newest ones."""
        if position != self._cursor:
            self._cursor = position
            self._stale.update(self._plots)
            self._schedule()

    # Drawing

    def _schedule(self, live: bool = False, at_once: bool = False) -> None:
        """Redraw once when it is time: after a longer pause where live data take long to draw."""
        pause = max(FRAME_MS, round(1000 * self._frame_seconds * (_WORK_SHARE - 1))) if live else FRAME_MS
        pause = max(0, pause - round(1000 * (time.perf_counter() - self._drawn_at)))
        if not (self._stale and self._is_in_front and self.isVisible()):
            return
        if at_once and pause == 0:
            self.redraw()
        elif not (self._timer.isActive() and self._timer.remainingTime() <= pause):
            self._timer.start(pause)

    def redraw(self) -> None:
        """Draw the plots that have changed and can be seen, now."""
        self._timer.stop()
        start, self._drawn_at = time.thread_time(), time.perf_counter()
        low, high = self._range or self._following.ends(self.runs, self.choices.axis, self._is_growing)
        painted = 0.0
        for widget in self.grid.in_view():
            if isinstance(widget, MetricPlot) and widget.plot in self._stale:
                self._stale.discard(widget.plot)
                self._draw(widget, low, high)
                painted += widget.view.paint_seconds
        self.frames += 1
        self._frame_seconds = time.thread_time() - start + painted

    def _draw(self, widget: MetricPlot, low: float, high: float) -> None:
        is_logarithmic = widget.plot in self.choices.logarithmic
        smoothing = self.choices.smoothing
        view = View(self.choices.axis, low, high, smoothing, widget.pixels, is_logarithmic, self._cursor)
        widget.draw(drawn_curves(widget.plot, self.runs, view), view.axis, low, high, self._cursor)

    def set_in_front(self, on: bool) -> None:
        """Whether its tab is the front one; behind another nothing is drawn."""
        self._is_in_front = on
        if on:
            self._stale.update(self._plots)
            self._schedule()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Catch up with what happened unseen."""
        super().showEvent(event)
        self._stale.update(self._plots)
        self._schedule()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Take over the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "grid"):
            refresh_icons(self)
            for plot in (*self._plots.values(), *self._prepared.values()):
                plot.set_theme()
            self._stale.update(self._plots)
            self._schedule()

    def stop(self) -> None:
        """The window closes."""
        self._timer.stop()
        self.picker.hide()
