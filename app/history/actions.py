"""What can be done with earlier runs: compare, open, infer, resume, watch, delete."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple

from PySide6.QtCore import QFile, QObject, QUrl
from PySide6.QtGui import QDesktopServices

from app.dialogs.choose import choose_folder
from app.dialogs.messages import DESTRUCTIVE, REJECT, ask, show_error
from app.plots.drawing import RunCurves
from app.plots.metrics_file import read_table
from app.plots.panel import Plots
from runtime.events import ParameterChanged, RunStarted
from runtime.modes import INFER, TRAIN

from .differences import differences_by_run
from .entries import (
    METRICS_FILE,
    RUNNING,
    WORKFLOW_FILE,
    RunEntry,
    RunReader,
    edited_values,
    node_titles,
    processes_of_state,
    read_entry,
)
from .panel import RunHistory

if TYPE_CHECKING:
    from app.main_window import MainWindow

FOLDERS_SETTING, DEFAULT_FOLDER = "runFolders", "runs"
Loaded = List[Tuple[RunEntry, RunCurves]]


class RunActions(QObject):
    """Serves the requests of the panel of runs in one window."""

    def __init__(self, window: MainWindow, plots: Plots):
        super().__init__(window)
        self._window, self._plots = window, plots
        self.compared: List[RunEntry] = []
        self._plotted: Optional[Path] = None
        self._edits: Dict[str, Any] = {}
        self._follows = self._is_outdated = False
        self.panel = RunHistory(window.tasks, self.folders)
        self.panel.requested.connect(self._on_requested)
        self.panel.add_folder_requested.connect(self._choose_folder)
        plots.legend.remove_requested.connect(lambda _: self._describe())

    # Folders

    def folders(self) -> List[Path]:
        """Where runs are looked for: besides the workflow, in the current folder, and where the user said."""
        document, run = self._window.session.document.path, self._window.controller.run_folder
        places = [document.parent / DEFAULT_FOLDER] if document is not None else []
        places += [self._window.controller.folder() / DEFAULT_FOLDER]
        places += [Path.cwd() / DEFAULT_FOLDER, *([run.parent] if run is not None else [])]
        places += [Path(text) for text in self._window.settings.text(FOLDERS_SETTING, "").split("\n") if text]
        return list(dict.fromkeys(place.absolute() for place in places))

    def _choose_folder(self) -> None:
        choose_folder(self._window, "runFolderDialog", "Look for Runs in", None, self.add_folder)

    def add_folder(self, folder: Path) -> None:
        """Look into this folder too; kept for the next start."""
        kept = [text for text in self._window.settings.text(FOLDERS_SETTING, "").split("\n") if text]
        self._window.settings.keep(FOLDERS_SETTING, "\n".join(dict.fromkeys([*kept, str(folder)])))
        self.panel.refresh()

    # Actions

    def _on_requested(self, name: str, entries: Sequence[RunEntry]) -> None:
        first = entries[0]
        actions: Dict[str, Callable[[], object]] = {
            "compare": lambda: self.compare(entries),
            "load": lambda: self._window.files.open_template(first.path / WORKFLOW_FILE),
            "infer": lambda: self._window.files.open_template(first.path / WORKFLOW_FILE, lambda: self._infer(first)),
            "resume": lambda: self._window.files.open_template(first.path / WORKFLOW_FILE, lambda: self._resume(first)),
            "attach": lambda: self._window.run_view.attach(first.path),
            "open": lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(first.path))),
            "delete": lambda: self._ask_to_delete(list(entries)),
        }
        actions[name]()

    def compare(self, entries: Sequence[RunEntry]) -> None:
        """Draw these runs in the plots, with what differs between them."""
        chosen = [entry for entry in entries if entry.path != self._present()]
        if not chosen:
            self._window.session.message.emit("This run is drawn already; choose others to compare it with")
        self._window.tasks.start(lambda tell: [_load(entry) for entry in chosen], self._show_runs, self._tell)
        self._window.view.show_panel("plots")

    def take(self, events: Any) -> None:
        """Note what the plots draw and, once they have its curves, in what a new or edited run differs.

        The plots follow a training; an inference leaves its curves alone.
        """
        for event in events:
            if isinstance(event, RunStarted):
                self._follows = event.mode == TRAIN
                if self._follows:
                    self._plotted, self._edits, self._is_outdated = self._window.controller.run_folder, {}, True
            elif isinstance(event, ParameterChanged) and self._follows:
                self._edits[f"{event.node_id}.{event.name}"] = event.new
                self._is_outdated = True
        if self._is_outdated and self._present() is not None:
            self._is_outdated = False
            self._describe()

    def _present(self) -> Optional[Path]:
        """Folder of the run that the plots draw as the window's own."""
        has_curves = self._plotted is not None and len(self._plots.runs[0].table)
        return self._plotted.resolve() if self._plotted is not None and has_curves else None

    def _show_runs(self, runs: Loaded) -> None:
        for entry, run in runs:
            self.compared = [*(other for other in self.compared if other.path != entry.path), entry]
            self._plots.add_run(run)
        self._describe()

    def _describe(self) -> None:
        names = {run.name for run in self._plots.runs}
        self.compared = [entry for entry in self.compared if entry.name in names]
        if not self.compared:
            return
        titles = node_titles(self.compared[0].path)
        present = self._present()
        entries = list(self.compared)
        if present is not None:
            entry = read_entry(present)
            entries.insert(0, replace(entry, values={**entry.values, **self._edits}))
        texts = differences_by_run(entries, titles)
        if len(entries) > len(self.compared):
            texts[self._plots.runs[0].name] = texts[entries[0].name]
        self._plots.set_differences(texts)

    def _tell(self, error: Exception) -> None:
        show_error(self._window, "The run could not be read.", str(error))

    def find_newest_weights(self, found: Callable[[RunEntry], None]) -> None:
        """Look in the background for the newest training of the window's workflow that has weights."""
        name, folders = self._window.session.workflow.name, self.folders()

        def look(tell: object) -> Optional[RunEntry]:
            runs = (entry for entry in RunReader().read(folders) if entry.workflow == name and entry.mode == TRAIN)
            return next((entry for entry in runs if entry.weights is not None), None)

        def tell_found(entry: Optional[RunEntry]) -> None:
            if entry is not None:
                found(entry)

        self._window.tasks.start(look, tell_found, self._tell)

    def infer_here(self, entry: RunEntry) -> None:
        """Run the window's workflow once on the weights of this run; its settings stay as they are."""
        options = self._window.controller.options
        kept, options.values[INFER] = options.values[INFER], {**options.values[INFER]}
        options.put(INFER, "load_checkpoint_dir", str(entry.weights))
        self._window.view.show_panel("viewer")
        self._window.run_view.infer()
        options.values[INFER] = kept

    def _infer(self, entry: RunEntry) -> None:
        options = self._window.controller.options
        options.values[INFER] = {"load_checkpoint_dir": str(entry.weights)}
        self._window.run_view.settings.show_options()
        self._window.view.show_panel("viewer")
        self._window.run_view.infer()

    def _resume(self, entry: RunEntry) -> None:
        options = self._window.controller.options
        words = {"resume": str(entry.path)}
        processes = processes_of_state(entry.path)
        if processes > 1:
            words["nproc"] = str(processes)  # only as many go on to the last bit
        kept, options.values[TRAIN] = options.values[TRAIN], words
        self._window.view.show_panel("plots")
        self._window.run_view.train()
        options.values[TRAIN] = kept  # the next training is a new one

    # Deleting

    def _ask_to_delete(self, entries: List[RunEntry]) -> None:
        names = "\n".join(entry.name for entry in entries[:10]) + ("\n…" if len(entries) > 10 else "")
        what = "this run" if len(entries) == 1 else f"these {len(entries)} runs"
        ask(
            self._window, "deleteRuns", f"Delete {what}?",
            f"{names}\n\nWorkflow, log, metrics and states to resume from go to the trash. Checkpoints in "
            "other folders stay.",
            [("&Delete", DESTRUCTIVE, lambda: self._delete(entries)), ("Cancel", REJECT, None)],
        )  # fmt: skip

    def _delete(self, entries: Sequence[RunEntry]) -> None:
        going_on = [entry.name for entry in entries if read_entry(entry.path).state == RUNNING]
        if going_on:
            show_error(self._window, "A run that goes on cannot be deleted.", f"{going_on[0]}: stop it first.")
            return
        left = [entry for entry in entries if not _moved_to_trash(entry.path)]
        if left:
            self._ask_to_remove(left)
        self.panel.refresh()

    def _ask_to_remove(self, entries: List[RunEntry]) -> None:
        ask(
            self._window, "removeRuns", "There is no trash on this system. Delete for good?",
            "\n".join(str(entry.path) for entry in entries),
            [("&Delete for good", DESTRUCTIVE, lambda: self._remove(entries)), ("Cancel", REJECT, None)],
        )  # fmt: skip

    def _remove(self, entries: Sequence[RunEntry]) -> None:
        for entry in entries:
            try:
                shutil.rmtree(entry.path)
            except OSError as error:
                show_error(self._window, f"{entry.name} could not be deleted.", str(error))
                break
        self.panel.refresh()


def _moved_to_trash(path: Path) -> bool:
    moved = QFile.moveToTrash(str(path))
    return bool(moved[0] if isinstance(moved, tuple) else moved)


def _load(entry: RunEntry) -> Tuple[RunEntry, RunCurves]:
    """A run as it was in the end, and its curves."""
    curves = RunCurves(entry.name, read_table(entry.path / METRICS_FILE))
    return replace(entry, values={**entry.values, **edited_values(entry.path)}), curves
