"""The runs as a table, and how it is sorted and filtered."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor

from app.plots.labels import duration_text, short_number
from app.theme import colours, current_theme
from runtime.modes import INFER

from .differences import describe, differences_within_workflows, unusual_names
from .entries import DAMAGED, FAILED, INTERRUPTED, RUNNING, RunEntry

STATE, STARTED, WORKFLOW, REWARD, BEST, STEPS, TIME, SEED, DIFFERS, NAME = range(10)
HEADINGS = ("State", "Started", "Workflow", "Reward", "Best", "Steps", "Time", "Seed", "Differs", "Folder")
SORT_KEY = int(Qt.ItemDataRole.UserRole)
_COLOURS = {RUNNING: "accent", FAILED: "error", DAMAGED: "error", INTERRUPTED: "warning"}
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

Index = Union[QModelIndex, QPersistentModelIndex]


class RunsModel(QAbstractTableModel):
    """One row per run, in the order in which they were read."""

    def __init__(self, parent: Optional[QObject] = None):
        super().__init__(parent)
        self.entries: List[RunEntry] = []
        self.titles: Dict[str, Mapping[str, str]] = {}
        self._differs: List[str] = []

    def show_entries(self, entries: Sequence[RunEntry], titles: Mapping[str, Mapping[str, str]]) -> None:
        """Show these; rows are kept where only values have changed, so that a selection stays.

        Args:
            entries: The runs.
            titles: Titles of nodes by id, by workflow.
        """
        names = differences_within_workflows(entries)
        self.titles = dict(titles)
        groups: Dict[str, List[Mapping[str, Any]]] = {}
        for entry in entries:
            groups.setdefault(entry.workflow, []).append(entry.values)
        unusual = [unusual_names(entry.values, groups[entry.workflow], names[entry.workflow]) for entry in entries]
        differs = [
            describe(entry.values, own, titles.get(entry.workflow, {})) for entry, own in zip(entries, unusual)
        ]  # fmt: skip
        if [entry.path for entry in entries] == [entry.path for entry in self.entries]:
            self._update(list(entries), differs)
            return
        self.beginResetModel()
        self.entries, self._differs = list(entries), differs
        self.endResetModel()

    def _update(self, entries: List[RunEntry], differs: List[str]) -> None:
        before = list(zip(self.entries, self._differs))
        self.entries, self._differs = entries, differs
        for row, (old, new) in enumerate(zip(before, zip(entries, differs))):
            if old != new:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(HEADINGS) - 1), [])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802
        """Runs."""
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802
        """See `HEADINGS`."""
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """Headings."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return HEADINGS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, sort key, colour, alignment and tooltip of a cell."""
        if not index.isValid():
            return None
        entry, column = self.entries[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(index.row(), column)
        if role == SORT_KEY:
            return _sort_key(entry, column, self._differs[index.row()])
        if role == Qt.ItemDataRole.ForegroundRole and column == STATE and entry.state in _COLOURS:
            return QColor(colours(current_theme())[_COLOURS[entry.state]])
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (REWARD, BEST, STEPS, TIME, SEED):
            return _RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(index.row())
        return None

    def _text(self, row: int, column: int) -> str:
        entry = self.entries[row]
        if column == STATE:
            return entry.state
        if column == STARTED:
            return when(entry.started, datetime.now())
        if column in (REWARD, BEST):
            value = entry.reward if column == REWARD else entry.best
            return "–" if math.isnan(value) else short_number(value)
        if column == STEPS:
            return f"{entry.steps:,}"
        if column == TIME:
            return "–" if math.isnan(entry.seconds) else duration_text(entry.seconds)
        if column == SEED:
            return "" if entry.seed is None else str(entry.seed)
        workflow = f"{entry.workflow} (infer)" if entry.mode == INFER else entry.workflow
        return {WORKFLOW: workflow, DIFFERS: self._differs[row], NAME: entry.name}[column]

    def _tooltip(self, row: int) -> str:
        entry = self.entries[row]
        checkpoint = f"Weights: {entry.weights}" if entry.weights else "No weights to infer from"
        lines = [str(entry.path), entry.error, self._differs[row].replace(" · ", "\n"), checkpoint]
        return "\n".join(line for line in lines if line)


class RunsProxy(QSortFilterProxyModel):
    """Sorted by what is meant, not by how it is written; filtered by words in any column."""

    def __init__(self, model: RunsModel, parent: Optional[QObject] = None):
        super().__init__(parent)
        self.words: Sequence[str] = ()
        self.setSourceModel(model)
        self.setSortRole(SORT_KEY)
        self._runs = model

    def set_filter(self, text: str) -> None:
        """Show runs in which every word occurs."""
        self.words = text.casefold().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:  # noqa: N802
        """All words must occur."""
        if not self.words:
            return True
        text = " ".join(self._runs._text(row, column) for column in range(len(HEADINGS))).casefold()
        return all(word in text for word in self.words)


def when(moment: Optional[datetime], now: datetime) -> str:
    """A time of today as 14:05, of this year as 3 Mar 14:05."""
    if moment is None:
        return "–"
    clock = f"{moment:%H:%M}"
    if moment.date() == now.date():
        return clock
    day = f"{moment.day} {moment:%b}"
    return f"{day} {clock}" if moment.year == now.year else f"{day} {moment.year}"


def _sort_key(entry: RunEntry, column: int, differs: str) -> Any:
    if column in (REWARD, BEST):
        value = entry.reward if column == REWARD else entry.best
        return -math.inf if math.isnan(value) else value
    if column == STARTED:
        return entry.started.timestamp() if entry.started is not None else 0.0
    if column == TIME:
        return -1.0 if math.isnan(entry.seconds) else entry.seconds
    texts = {STATE: entry.state, WORKFLOW: entry.workflow, DIFFERS: differs, NAME: entry.name}
    return {STEPS: entry.steps, SEED: -1 if entry.seed is None else entry.seed, **texts}[column]
