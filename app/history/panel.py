"""The panel of runs: what has been run, with what result, and what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from PySide6.QtCore import QEvent, QFileSystemWatcher, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.background import Tasks
from app.panels.widgets import flat_button, refresh_icons, text_label

from .entries import DAMAGED, RUNNING, RunEntry, RunReader, node_titles
from .model import DIFFERS, NAME, STARTED, RunsModel, RunsProxy

POLL_MS, SETTLE_MS = 4000, 300
_LEAST_WIDTH, _ROOM_FOR_BUTTONS = 260, 460
_BUTTONS = ("compare", "attach", "load")
_WIDTHS = (78, 78, 96, 64, 58, 70, 58, 48, 220, 220)
_EMPTY = "No runs yet. Press Train; each run is listed here.\nLooked for in: {folders}"

Titles = Dict[str, Mapping[str, str]]
ACTIONS: Tuple[Tuple[str, str, str], ...] = (
    ("compare", "Compare", "Draw the selected runs in the plots"),
    ("load", "Load", "Open the workflow as it was in this run, as a copy"),
    ("infer", "Infer", "Run the policy that this run has trained"),
    ("resume", "Resume", "Go on with this training where it stopped"),
    ("attach", "Watch", "Show plots and log of this run, and follow it while it goes on"),
    ("open", "Open folder", "Show the folder in the file manager"),
    ("delete", "Delete…", "Move the folder to the trash"),
)


class RunHistory(QWidget):
    """Lists the runs in some folders, newest first; reads them in the background.

    Signals:
        requested: Name of an action (see `ACTIONS`) and the runs that it is for, a list of `RunEntry`.
        add_folder_requested: Look into another folder too.
    """

    requested = Signal(str, list)
    add_folder_requested = Signal()

    def __init__(self, tasks: Tasks, folders: Callable[[], List[Path]], parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.setObjectName("runHistory")
        self.setAccessibleName("Runs")
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._tasks, self.folders = tasks, folders
        self._reader, self._is_reading, self._is_stopped = RunReader(), False, False
        self.model = RunsModel(self)
        self.proxy = RunsProxy(self.model, self)
        self.view = QTableView(objectName="runList")
        self.search = QLineEdit(objectName="runFilter", placeholderText="Filter", clearButtonEnabled=True)
        self.search.setAccessibleName("Filter runs")
        self.search.textChanged.connect(self.proxy.set_filter)
        self.buttons = {name: self._button(name, text, tip) for name, text, tip in ACTIONS if name in _BUTTONS}
        self.more = flat_button("more", "What else can be done with the selected runs")
        self.more.clicked.connect(lambda: self._open_menu(self.more.mapToGlobal(QPoint(0, self.more.height()))))
        self.add_folder = flat_button("folder", "Look for runs in another folder too")
        self.add_folder.clicked.connect(lambda: self.add_folder_requested.emit())
        self.nothing = text_label("", "empty")
        self.pages = QStackedWidget()
        self.pages.addWidget(self.view)
        self.pages.addWidget(self.nothing)
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self.refresh)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.refresh)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(lambda _: self._settle.start())
        self._set_up_view()
        self._lay_out()
        self._show_state()

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, objectName=f"run{name.capitalize()}", toolTip=tip)
        button.clicked.connect(lambda: self._request(name))
        return button

    def _set_up_view(self) -> None:
        view = self.view
        view.setAccessibleName("Runs")
        view.setModel(self.proxy)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setSortingEnabled(True)
        view.sortByColumn(STARTED, Qt.SortOrder.DescendingOrder)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        view.setTabKeyNavigation(False)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(view.fontMetrics().height() + 8)
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in enumerate(_WIDTHS):
            view.setColumnWidth(column, width)
        header.moveSection(header.visualIndex(DIFFERS), 3)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(lambda place: self._open_menu(view.viewport().mapToGlobal(place)))
        view.doubleClicked.connect(lambda _: self._request("attach"))
        view.selectionModel().selectionChanged.connect(lambda *_: self._enable())

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 6, 8, 6)
        bar.setSpacing(6)
        for button in self.buttons.values():
            bar.addWidget(button)
        bar.addWidget(self.more)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.add_folder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.pages, 1)
        self.setMinimumWidth(_LEAST_WIDTH)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leave buttons to the menu where there is little room; names of folders have what room is left."""
        super().resizeEvent(event)
        for name in _BUTTONS[1:]:
            self.buttons[name].setVisible(self.width() >= _ROOM_FOR_BUTTONS)
        room = self.view.viewport().width() - sum(_WIDTHS[:NAME])
        self.view.setColumnWidth(NAME, max(_WIDTHS[NAME], room))

    # Reading

    def refresh(self) -> None:
        """Look into the folders, in the background."""
        if self._is_reading or self._is_stopped:
            return
        self._is_reading = True
        folders, reader, known = self.folders(), self._reader, dict(self.model.titles)
        self._watch(folders)
        self._tasks.start(lambda tell: _read(reader, folders, known), self._on_read, self._on_read_failed)

    def refresh_soon(self) -> None:
        """Look into the folders in a moment, if the panel can be seen."""
        if self._poll.isActive():
            self._settle.start()

    def _watch(self, folders: Sequence[Path]) -> None:
        wanted = {str(folder) for folder in folders if folder.is_dir()}
        watched = set(self._watcher.directories())
        if watched - wanted:
            self._watcher.removePaths(list(watched - wanted))
        if wanted - watched:
            self._watcher.addPaths(list(wanted - watched))

    def _on_read(self, found: Tuple[List[RunEntry], Titles]) -> None:
        self._is_reading = False
        chosen = {entry.path for entry in self.selected()}
        self.model.show_entries(*found)
        if {entry.path for entry in self.selected()} != chosen:
            self._select(chosen)
        self._show_state()

    def _on_read_failed(self, error: Exception) -> None:
        self._is_reading = False
        self.nothing.setText(f"The runs could not be read: {error}")
        self.pages.setCurrentIndex(1)

    def _show_state(self) -> None:
        places = ", ".join(str(folder) for folder in self.folders())
        self.nothing.setText(_EMPTY.format(folders=places))
        self.pages.setCurrentIndex(0 if self.model.entries else 1)
        self._enable()

    def set_in_front(self, on: bool) -> None:
        """Whether its tab is the front one; behind another the folders are not looked at."""
        if on and not self._is_stopped:
            self._poll.start()
            self.refresh()
        else:
            self._poll.stop()

    # Choosing

    def selected(self) -> List[RunEntry]:
        """The selected runs, from top to bottom."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [self.model.entries[self.proxy.mapToSource(self.proxy.index(row, 0)).row()] for row in rows]

    def _select(self, paths: set) -> None:
        selection = self.view.selectionModel()
        flags = selection.SelectionFlag.Select | selection.SelectionFlag.Rows
        selection.clearSelection()
        for row in range(self.proxy.rowCount()):
            index = self.proxy.index(row, 0)
            if self.model.entries[self.proxy.mapToSource(index).row()].path in paths:
                selection.select(index, flags)

    def allowed(self, name: str, entries: Sequence[RunEntry]) -> bool:
        """Whether something can be done with these runs."""
        if name in ("compare", "delete"):
            return bool(entries) and not (name == "delete" and any(entry.state == RUNNING for entry in entries))
        if len(entries) != 1:
            return False
        (entry,) = entries
        if name == "infer":
            return entry.weights is not None
        if name == "resume":
            return entry.can_resume and entry.mode == "train" and entry.state != RUNNING
        return name == "open" or entry.state != DAMAGED

    def _enable(self) -> None:
        chosen = self.selected()
        for name, button in self.buttons.items():
            button.setEnabled(self.allowed(name, chosen))

    def _request(self, name: str) -> None:
        chosen = self.selected()
        if self.allowed(name, chosen):
            self.requested.emit(name, chosen)

    def _open_menu(self, place: QPoint) -> None:
        chosen = self.selected()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, text, tip in ACTIONS:
            action = QAction(text, menu, toolTip=tip, enabled=self.allowed(name, chosen))
            action.triggered.connect(lambda _=False, name=name: self._request(name))
            menu.addAction(action)
        menu.popup(place)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Take over the icons of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "pages"):
            refresh_icons(self)

    def stop(self) -> None:
        """The window closes."""
        self._is_stopped = True
        self._poll.stop()
        self._settle.stop()


def _read(reader: RunReader, folders: Sequence[Path], titles: Titles) -> Tuple[List[RunEntry], Titles]:
    entries = reader.read(folders)
    for entry in entries:
        if entry.workflow not in titles:
            titles[entry.workflow] = node_titles(entry.path)
    return entries, titles
