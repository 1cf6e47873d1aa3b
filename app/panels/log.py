"""The log panel: what the run says, with levels, a filter and tracebacks that unfold."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QFontDatabase, QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.history.entries import node_titles
from app.session import EditorSession
from app.theme import icon
from runtime.events import Event, RunStarted

from .log_lines import DEBUG, ERROR, INFO, LEVELS, MOST_RECORDS, WARNING, LogLines, LogRecord, record_of, separator_of
from .log_model import LEVEL, MESSAGE, NODE, TIME, LogModel
from .widgets import flat_button, refresh_icons, text_label

FILTER_DELAY_MS = 150
EVENTS_FILE = "events.jsonl"
_LEAST_WIDTH = 260
_ICONS = {ERROR: "error", WARNING: "warning", INFO: "info", DEBUG: "more"}
_NOUNS = {ERROR: "errors", WARNING: "warnings", INFO: "messages", DEBUG: "details"}


class LogPanel(QWidget):
    """Fed with events by `take`; errors are unfolded at once, and the newest line stays in view.

    Attributes:
        run_folder: Gives the folder where the whole log of the present run lies, where there is one.
    """

    def __init__(self, session: EditorSession, most: int = MOST_RECORDS, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.setObjectName("log")
        self.setAccessibleName("Log")
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.session = session
        self.run_folder: Callable[[], Optional[Path]] = lambda: None
        self._titles: Dict[str, str] = {}
        self.model = LogModel(LogLines(most), self)
        self.view = LogView(self.model)
        self.filters: Dict[str, QToolButton] = {level: self._level_button(level) for level in reversed(LEVELS)}
        self.search = QLineEdit(objectName="logFilter", placeholderText="Filter", clearButtonEnabled=True)
        self.search.setAccessibleName("Filter the log")
        self._filtering = QTimer(self, singleShot=True, interval=FILTER_DELAY_MS)
        self._filtering.timeout.connect(self.apply_filter)
        self.search.textChanged.connect(lambda _: self._filtering.start())
        self.follow = QToolButton(objectName="logFollow", text="Follow", checkable=True, checked=True)
        self.follow.setProperty("chip", True)
        self.follow.setToolTip("Keep the newest line in view; scrolling up lets go")
        self.follow.clicked.connect(self._on_follow)
        self.copy = flat_button("copy", "Copy the selected lines, or all that are shown")
        self.copy.clicked.connect(self.copy_text)
        self.clear = flat_button("delete", "Clear the log")
        self.clear.clicked.connect(self.clear_log)
        self.older = text_label("", "dim")
        self.older.setObjectName("logOlder")
        self.older.setContentsMargins(10, 0, 10, 4)
        self.nothing = text_label("", "empty")
        self.pages = QStackedWidget()
        self.pages.addWidget(self.view)
        self.pages.addWidget(self.nothing)
        self._lay_out()
        self.view.verticalScrollBar().actionTriggered.connect(lambda _: QTimer.singleShot(0, self, self._on_scrolled))
        self._show_state()

    def _level_button(self, level: str) -> QToolButton:
        button = QToolButton(objectName=f"log{level.capitalize()}", checkable=True, checked=level != DEBUG)
        button.setProperty("chip", True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(14, 14))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.toggled.connect(lambda _: self.apply_filter())
        return button

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 4, 8, 4)
        bar.setSpacing(6)
        for button in self.filters.values():
            bar.addWidget(button)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.follow)
        bar.addWidget(self.copy)
        bar.addWidget(self.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.older)
        layout.addWidget(self.pages, 1)
        self.setMinimumWidth(_LEAST_WIDTH)

    # Data

    def take(self, events: Sequence[Event]) -> None:
        """Add what the events say."""
        records: List[LogRecord] = []
        for event in events:
            if isinstance(event, RunStarted):
                folder = self.run_folder()
                self._titles = node_titles(folder) if folder is not None else {}
                records += [separator_of(event)] if records or self.model.lines.records else []
            record = record_of(event)
            if record is not None:
                records.append(record._replace(title=self._titles.get(record.node_id, "")))
        if records:
            self.model.add(records)
            self._show_state()
            if self.follow.isChecked():
                self.view.scrollToBottom()

    def clear_log(self) -> None:
        """Forget everything."""
        self.model.clear()
        self._show_state()

    def apply_filter(self) -> None:
        """Show what is chosen now."""
        self._filtering.stop()
        levels = {level for level, button in self.filters.items() if button.isChecked()}
        self.model.set_filter(levels, self.search.text())
        self._show_state()
        if self.follow.isChecked():
            self.view.scrollToBottom()

    def copy_text(self) -> None:
        """Put the selected lines on the clipboard, or all that are shown."""
        rows = self.model.lines.rows
        chosen = sorted({index.row() for index in self.view.selectionModel().selectedRows()})
        records = list({id(rows[row][0]): rows[row][0] for row in chosen or range(len(rows))}.values())
        QGuiApplication.clipboard().setText("\n".join(record.whole for record in records))
        self.session.message.emit(f"Copied {len(records)} {'message' if len(records) == 1 else 'messages'}")

    def _show_state(self) -> None:
        lines = self.model.lines
        for level, button in self.filters.items():
            count = lines.counts[level]
            button.setText(f"{count:,}")
            button.setToolTip(f"Show {_NOUNS[level]}: {count:,}")
            button.setAccessibleName(f"{count:,} {_NOUNS[level]}")
            quiet = count == 0 or level in (INFO, DEBUG)
            if button.property("quiet") != quiet:
                button.setProperty("quiet", quiet)
                button.setIcon(icon(_ICONS[level], "faint_text" if quiet else level))
        self._tell_of_dropped(lines.dropped)
        self.copy.setEnabled(bool(lines.rows))
        self.clear.setEnabled(bool(lines.records))
        text = "All messages are hidden by the filters." if lines.records else "What a run has to say appears here."
        self.nothing.setText(text)
        self.pages.setCurrentIndex(0 if lines.rows else 1)

    def _tell_of_dropped(self, count: int) -> None:
        self.older.setVisible(bool(count))
        if count:
            folder, noun = self.run_folder(), "older message is" if count == 1 else "older messages are"
            where = str(folder / EVENTS_FILE) if folder is not None else f"{EVENTS_FILE} of the run's folder"
            self.older.setText(f"{count:,} {noun} not shown any more; the whole log: {where}")

    # Following

    def _on_follow(self) -> None:
        if self.follow.isChecked():
            self.view.scrollToBottom()

    def _on_scrolled(self) -> None:
        bar = self.view.verticalScrollBar()
        self.follow.setChecked(bar.value() >= bar.maximum())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Ctrl+C copies, Ctrl+F filters."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_text()
        elif event.matches(QKeySequence.StandardKey.Find):
            self.search.setFocus()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Take over the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "pages"):
            refresh_icons(self)
            self.model.refresh_colours()
            for button in self.filters.values():
                button.setProperty("quiet", None)
            self._show_state()

    def stop(self) -> None:
        """The window closes."""
        self._filtering.stop()


class LogView(QTableView):
    """The table itself; a click on a fold mark, Enter, or a double click unfolds."""

    def __init__(self, model: LogModel):
        super().__init__(objectName="logView")
        self.setAccessibleName("Log")
        self.lines = model
        self.setModel(model)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setIconSize(QSize(12, 12))
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 4)
        self.horizontalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        width = self.fontMetrics().horizontalAdvance("0")
        for column, letters in ((TIME, 13), (LEVEL, 9), (NODE, 16)):
            self.setColumnWidth(column, letters * width)
        self.doubleClicked.connect(lambda index: model.toggle(index.row()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click on a fold mark unfolds."""
        super().mouseReleaseEvent(event)
        place = event.position().toPoint()
        index = self.indexAt(place)
        if index.column() == MESSAGE and place.x() - self.visualRect(index).left() <= self.iconSize().width() + 6:
            self.lines.toggle(index.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Enter and the arrows unfold and fold; copying is the panel's."""
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.lines.toggle(index.row())
        elif event.matches(QKeySequence.StandardKey.Copy):
            event.ignore()
        else:
            super().keyPressEvent(event)
