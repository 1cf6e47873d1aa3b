"""The problems panel: everything that validation found, live; a click goes there."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QTreeView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from app.session import EditorSession
from app.theme import icon
from runtime.validation import ERROR, WARNING, Problem

from .widgets import flat_button, refresh_icons, rich, text_label

NODE, PORT, MESSAGE, REMEDY = range(4)
HEADINGS = ("Node", "Port or parameter", "What is wrong", "What would be right")
PROBLEM = Qt.ItemDataRole.UserRole
EMPTY = "Nothing to check yet: drag a node onto the canvas, or start from a template (Ctrl+Shift+N)."


class Problems(QWidget):
    """A list of all problems with filters and a button that copies them."""

    def __init__(self, session: EditorSession, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.session = session
        self.setObjectName("problems")
        self.setAccessibleName("Problems")
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.filters = {severity: self._make_filter(severity) for severity in (ERROR, WARNING)}
        self.copy = flat_button("copy", "Copy all problems as text")
        self.copy.clicked.connect(self.copy_text)
        self.list = ProblemList()
        self.list.itemClicked.connect(self._reveal)
        self.list.itemActivated.connect(self._reveal)
        self.nothing = text_label("", "dim")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.list)
        self.pages.addWidget(self.nothing)
        self._lay_out()
        session.problems_changed.connect(self.refresh)
        session.registry_changed.connect(self.refresh)
        self.refresh()

    def _make_filter(self, severity: str) -> QToolButton:
        button = QToolButton(objectName=f"filter{severity.capitalize()}s", checkable=True, checked=True)
        button.setProperty("chip", True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(14, 14))
        button.setToolTip(f"Show {severity}s")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.toggled.connect(self.refresh)
        return button

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 4, 8, 4)
        bar.setSpacing(6)
        for button in self.filters.values():
            bar.addWidget(button)
        bar.addStretch(1)
        bar.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.pages, 1)

    def shown(self) -> List[Problem]:
        """The problems in the list, from top to bottom."""
        return self.list.problems()

    def refresh(self) -> None:
        """Bring list and counts up to date."""
        problems = self.session.problems
        for severity, button in self.filters.items():
            number = sum(problem.severity == severity for problem in problems)
            button.setText(f"{number} {severity}" if number == 1 else f"{number} {severity}s")
            button.setIcon(icon(severity, severity if number else "faint_text"))
        chosen = [problem for problem in problems if self.filters[problem.severity].isChecked()]
        if chosen != self.shown():
            self.list.show_problems(chosen)
        self.copy.setEnabled(bool(problems))
        self.nothing.setText(self._empty_text())
        self.pages.setCurrentIndex(0 if chosen else 1)

    def _empty_text(self) -> str:
        if self.session.registry is None:
            return "Node types are loading…"
        if self.session.problems:
            return "All problems are hidden by the filters."
        if self.session.is_empty:
            return EMPTY
        return "No problems. The workflow can run."

    def copy_text(self) -> None:
        """Put the selected problems on the clipboard, or all that are shown."""
        chosen = [item.data(NODE, PROBLEM) for item in self.list.selectedItems()] if self.list.hasFocus() else []
        lines = [f"{problem.severity}: {problem.text}" for problem in chosen or self.session.problems]
        QGuiApplication.clipboard().setText("\n".join(lines))
        self.session.message.emit(f"Copied {len(lines)} {'problem' if len(lines) == 1 else 'problems'}")

    def _reveal(self, item: QTreeWidgetItem) -> None:
        problem = item.data(NODE, PROBLEM)
        if problem.node_id:
            self.session.reveal(problem.node_id, problem.port)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Ctrl+C copies."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_text()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Fetch icons again in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            refresh_icons(self)
            self.list.show_problems(self.shown())
            self.refresh()


class WrappedText(QStyledItemDelegate):
    """Gives a row the height that its wrapped texts need, which a tree view itself does not ask for."""

    def __init__(self, view: QTreeView):
        super().__init__(view)
        self.view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Any) -> QSize:  # noqa: N802
        """Size of the text in the column's present width."""
        size = super().sizeHint(option, index)
        room = QRect(0, 0, self.view.columnWidth(index.column()) - 14, 10_000)
        text = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, str(index.data() or ""))
        return QSize(size.width(), max(size.height(), text.height() + 10))


class ProblemList(QTreeWidget):
    """The table itself."""

    def __init__(self) -> None:
        super().__init__(objectName="problemList")
        self.setAccessibleName("Problems")
        self.setColumnCount(len(HEADINGS))
        self.setHeaderLabels(HEADINGS)
        self.setRootIsDecorated(False)
        self.setIconSize(QSize(14, 14))
        self.setWordWrap(True)
        self.setItemDelegate(WrappedText(self))
        self.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.header()
        header.setMinimumSectionSize(60)
        for column, width in ((NODE, 150), (PORT, 150)):
            header.resizeSection(column, width)
        header.sectionResized.connect(lambda *_: self.scheduleDelayedItemsLayout())  # rows wrap anew

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Give the message somewhat more room than the remedy, which takes the rest."""
        super().resizeEvent(event)
        rest = self.viewport().width() - self.columnWidth(NODE) - self.columnWidth(PORT)
        self.setColumnWidth(MESSAGE, max(rest * 3 // 5, 200))

    def problems(self) -> List[Problem]:
        """From top to bottom."""
        root = self.invisibleRootItem()
        return [root.child(index).data(NODE, PROBLEM) for index in range(root.childCount())]

    def show_problems(self, problems: List[Problem]) -> None:
        """List problems anew; the current one stays current where it is still there."""
        item = self.currentItem()
        current = item.data(NODE, PROBLEM) if item is not None else None
        place = self.verticalScrollBar().value()
        marks = {severity: icon(severity, severity) for severity in (ERROR, WARNING)}
        self.clear()
        self.addTopLevelItems([_row(problem, marks) for problem in problems])
        if current in problems:
            self.setCurrentIndex(self.model().index(problems.index(current), NODE))
        self.verticalScrollBar().setValue(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Enter goes to the current problem, on every platform; copying is the panel's."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.itemActivated.emit(item, 0)
        elif event.matches(QKeySequence.StandardKey.Copy):
            event.ignore()
        else:
            super().keyPressEvent(event)


def _row(problem: Problem, marks: Dict[str, QIcon]) -> QTreeWidgetItem:
    name = problem.label or (f"Node {problem.node_id}" if problem.node_id else "Workflow")
    item = QTreeWidgetItem([name, problem.port, problem.message, problem.remedy])
    item.setData(NODE, PROBLEM, problem)
    item.setData(NODE, Qt.ItemDataRole.AccessibleTextRole, f"{problem.severity}: {problem.text}")
    item.setIcon(NODE, marks[problem.severity])
    tooltip = f"<b>{rich(name)}</b> {rich(problem.port)}<br>{rich(problem.message)}<br><i>{rich(problem.remedy)}</i>"
    for column in range(len(HEADINGS)):
        item.setToolTip(column, tooltip)
    return item
