"""The panels that show a run: what they are fed with, and where they lie in the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from runtime.errors import StorageError

from .background import Tasks
from .dialogs.choose import choose_target
from .dialogs.messages import show_error
from .files.settings import EditorSettings
from .panels.log import LogPanel
from .plots.exporting import PICTURES, write_numbers, write_picture
from .plots.labels import curve_names
from .plots.panel import Plots
from .running.controller import RunController
from .session import EditorSession
from .tabbed_docks import TabbedDocks


class PanelSpec(NamedTuple):
    """Name of a panel in the window, its title, and its widget."""

    name: str
    title: str
    widget: QWidget


class Watching(QObject):
    """Plots and log of one window.

    Attributes:
        plots, log: The panels.
    """

    def __init__(self, session: EditorSession, settings: EditorSettings, tasks: Tasks, window: QMainWindow):
        super().__init__(window)
        self._window, self._session, self._tasks = window, session, tasks
        self._controller: Optional[RunController] = None
        self.plots = Plots(session, settings)
        self.log = LogPanel(session)
        self.plots.toolbar.export_requested.connect(self._export_plots)

    @property
    def panels(self) -> Sequence[PanelSpec]:
        """In the order of their tabs."""
        return (PanelSpec("plots", "Plots", self.plots), PanelSpec("log", "Log", self.log))

    def lay_out(self, docks: Dict[str, QDockWidget], first: str) -> None:
        """Put the docks of the panels behind the one called ``first``, as tabs."""
        below = [docks[first], *(docks[spec.name] for spec in self.panels)]
        self._tabs = TabbedDocks(self._window, below)

    def follow(self, controller: RunController) -> None:
        """Show the runs of this controller."""
        self._controller = controller
        controller.events.connect(self._take)

    def _take(self, events: Any) -> None:
        for take in (self.plots.take, self.log.take):
            take(events)

    def stop(self) -> None:
        """The window closes."""
        self._tabs.stop()
        self.plots.stop()
        self.log.stop()

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
        runs = list(plots.runs)
        self._tasks.start(
            lambda tell: write_numbers(runs, names, path),
            lambda _: self._session.message.emit(f"Exported the numbers to {path}"),
            self._tell,
        )

    def _tell(self, error: Exception) -> None:
        show_error(self._window, "The plots could not be exported.", str(error))
