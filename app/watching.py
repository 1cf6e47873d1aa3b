"""The panels that show a run: what they are fed with, and where they lie in the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDockWidget, QWidget

from runtime.errors import StorageError
from runtime.modes import TRAIN

from .dialogs.choose import choose_target
from .dialogs.messages import show_error
from .history.actions import RunActions
from .history.panel import RunHistory
from .panels.log import LogPanel
from .plots.drawing import RunCurves
from .plots.exporting import PICTURES, write_numbers, write_picture
from .plots.labels import curve_names
from .plots.panel import Plots
from .running.controller import FAILED, FINISHED, STARTING, RunController
from .tabbed_docks import TabbedDocks
from .viewer.panel import Viewer

if TYPE_CHECKING:
    from .main_window import MainWindow


class PanelSpec(NamedTuple):
    """Name of a panel in the window, its title, and its widget."""

    name: str
    title: str
    widget: QWidget


class Watching(QObject):
    """Plots, viewer, log and history of one window.

    Attributes:
        plots, viewer, log: Panels.
        runs: The history, and what is done with it.
    """

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._window, self._session, self._tasks = window, window.session, window.tasks
        self.plots = Plots(window.session, window.settings)
        self.log = LogPanel(window.session)
        self.viewer = Viewer()
        self.runs = RunActions(window, self.plots)
        self.plots.toolbar.export_requested.connect(self._export_plots)

    @property
    def panels(self) -> Sequence[PanelSpec]:
        """In the order of their tabs."""
        return (
            PanelSpec("plots", "Plots", self.plots), PanelSpec("viewer", "Viewer", self.viewer),
            PanelSpec("log", "Log", self.log), PanelSpec("runs", "Runs", self.runs.panel),
        )  # fmt: skip

    def lay_out(self, docks: Dict[str, QDockWidget], first: str) -> None:
        """Put the docks of the panels behind the one called ``first``, as tabs."""
        below = [docks[first], *(docks[spec.name] for spec in self.panels)]
        self._tabs = TabbedDocks(self._window, below)
        for spec in self.panels:
            if isinstance(spec.widget, (Plots, Viewer, RunHistory)):
                docks[spec.name].visibilityChanged.connect(spec.widget.set_in_front)

    def follow(self, controller: RunController) -> None:
        """Show the runs of this controller."""
        self.viewer.watch_requested.connect(lambda ids, hz: controller.watch_viewer(ids, hz))
        self.log.run_folder = lambda: controller.run_folder
        controller.events.connect(self._take)
        controller.state_changed.connect(lambda state: self._on_state(state, controller.mode))

    def _on_state(self, state: str, mode: str) -> None:
        """Bring plots or viewer to the front where only the list of problems lies there, and list what has ended."""
        if state == STARTING and mode == TRAIN:
            self.plots.prepare()
        if state == STARTING and not self._window.docks["problems"].visibleRegion().isEmpty():
            self._window.view.show_panel("plots" if mode == TRAIN else "viewer")
        elif state in (FINISHED, FAILED):
            self.runs.panel.refresh_soon()

    def _take(self, events: Any) -> None:
        for take in (self.plots.take, self.viewer.take, self.log.take, self.runs.take):
            take(events)

    def stop(self) -> None:
        """The window closes."""
        self._tabs.stop()
        for panel in (self.plots, self.viewer, self.log, self.runs.panel):
            panel.stop()

    # Exporting

    def _export_plots(self, ending: str) -> None:
        folder = self._session.document.path.parent if self._session.document.path else Path.home()
        suggestion = folder / f"{Path(self._session.document.title).stem}-plots.{ending}"
        dialog = choose_target(self._window, "exportPlotsDialog", "Export Plots", suggestion, self._write_plots)
        dialog.setNameFilter(f"*.{ending}")
        dialog.setDefaultSuffix(ending)

    def _write_plots(self, path: Path) -> None:
        plots = self.plots
        if path.suffix.lower() in PICTURES:
            try:
                write_picture(plots.pages, path)
            except StorageError as error:
                self._tell(error)
            else:
                self._session.message.emit(f"Exported the plots to {path}")
            return
        names = list(dict.fromkeys(name for plot in plots.plots for name in curve_names(plot, plots.metrics)))
        runs = [RunCurves(run.name, run.table.copy(names)) for run in plots.runs]
        text = f"Exported the numbers to {path}"
        if any(run.table.groups for run in runs):
            text += "; of older iterations the extremes, all are in the run folders' metrics.csv"
        self._tasks.start(
            lambda tell: write_numbers(runs, names, path), lambda _: self._session.message.emit(text), self._tell
        )

    def _tell(self, error: Exception) -> None:
        show_error(self._window, "The plots could not be exported.", str(error))
