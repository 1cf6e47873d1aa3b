"""The log as a table model: only what is in view is ever asked for."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Set, Union

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from app.theme import colours, current_theme, icon

from .log_lines import DEBUG, ERROR, WARNING, LogLines, LogRecord, Row, clock

TIME, LEVEL, NODE, MESSAGE = range(4)
HEADINGS = ("Time", "Level", "Node", "Message")
_COLOURS = {ERROR: "error", WARNING: "warning", DEBUG: "faint_text"}
_LONGEST = 2000

Index = Union[QModelIndex, QPersistentModelIndex]


class LogModel(QAbstractTableModel):
    """Rows of `LogLines`."""

    def __init__(self, lines: LogLines, parent: Optional[QObject] = None):
        super().__init__(parent)
        self.lines = lines
        self.refresh_colours()

    def refresh_colours(self) -> None:
        """Take those of the present theme."""
        tokens = colours(current_theme())
        self._level_colours = {level: QColor(tokens[role]) for level, role in _COLOURS.items()}
        self._dim = QColor(tokens["dim_text"])
        self._marks = {True: icon("chevron-down"), False: icon("chevron-right")}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802
        """Shown rows."""
        return 0 if parent.isValid() else len(self.lines.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802
        """Time, level, node, message."""
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """Headings."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return HEADINGS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, colour, fold mark and tooltip of a cell."""
        if not index.isValid():
            return None
        record, line = self.lines.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(record, line, index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(record, line, index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == MESSAGE and line < 0 and record.details:
            return self._marks[self.lines.is_unfolded(record)]
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == MESSAGE and line < 0:
            return record.whole[:_LONGEST]
        return None

    def _colour(self, record: LogRecord, line: int, column: int) -> Optional[QColor]:
        if line >= 0 or column in (TIME, NODE):
            return self._dim
        return self._level_colours.get(record.level)

    # Changes

    def add(self, records: Sequence[LogRecord]) -> None:
        """Add records at the end, and forget the oldest where there are too many."""
        self._append(self.lines.add(records))
        gone = self.lines.overflow()
        if gone:
            self.beginRemoveRows(QModelIndex(), 0, gone - 1)
            del self.lines.rows[:gone]
            self.endRemoveRows()

    def _append(self, rows: Sequence[Row]) -> None:
        if rows:
            first = len(self.lines.rows)
            self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
            self.lines.rows += rows
            self.endInsertRows()

    def toggle(self, row: int) -> None:
        """Show or hide the details of the record in a row."""
        record, line = self.lines.rows[row]
        if not record.details:
            return
        head, count = row - line - 1, len(record.details)
        unfold = not self.lines.is_unfolded(record)
        self.lines.set_unfolded(record, unfold)
        if unfold:
            self.beginInsertRows(QModelIndex(), head + 1, head + count)
            self.lines.rows[head + 1 : head + 1] = [(record, number) for number in range(count)]
            self.endInsertRows()
        else:
            self.beginRemoveRows(QModelIndex(), head + 1, head + count)
            del self.lines.rows[head + 1 : head + 1 + count]
            self.endRemoveRows()
        self.dataChanged.emit(self.index(head, MESSAGE), self.index(head, MESSAGE), [])

    def set_filter(self, levels: Set[str], text: str) -> None:
        """Show other records."""
        self.beginResetModel()
        self.lines.set_filter(levels, text)
        self.endResetModel()

    def clear(self) -> None:
        """Forget everything."""
        self.beginResetModel()
        self.lines.clear()
        self.endResetModel()


def _text(record: LogRecord, line: int, column: int) -> str:
    if line >= 0:
        return record.details[line] if column == MESSAGE else ""
    if column == TIME:
        return clock(record.time)
    if column == LEVEL:
        return record.level.capitalize()
    return record.node if column == NODE else record.text
