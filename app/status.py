"""The status bar: messages, the selection, problems, and the zoom."""

from __future__ import annotations

from typing import List, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QStatusBar, QToolButton, QWidget

from runtime.validation import ERROR, Problem

from .session import EditorSession

MESSAGE_MS = 6000


class EditorStatus(QStatusBar):
    """What is going on, at a glance.

    Signals:
        problems_clicked: The user wants to see the problems.
        zoom_clicked: The user wants to see the whole graph.
    """

    problems_clicked = Signal()
    zoom_clicked = Signal()

    def __init__(self, session: EditorSession, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("statusBar")
        self._session = session
        self.loading = QLabel("Loading node types…", objectName="statusLoading")
        self.selection = QLabel(objectName="statusSelection")
        self.problems = _button("statusProblems", "Show the list of problems")
        self.zoom = _button("statusZoom", "Zoom; click to see the whole graph")
        self.problems.clicked.connect(self.problems_clicked)
        self.zoom.clicked.connect(self.zoom_clicked)
        for widget in (self.loading, self.selection, self.problems, self.zoom):
            self.addPermanentWidget(widget)
        session.message.connect(lambda text: self.showMessage(text, MESSAGE_MS))
        session.selection_changed.connect(self._show_selection)
        session.document_changed.connect(self._show_selection)
        session.document_replaced.connect(self._show_selection)
        session.problems_changed.connect(self._show_problems)
        session.registry_changed.connect(self.loading.hide)
        self._show_selection()
        self._show_problems(session.problems)
        self.show_zoom(1.0)

    def show_zoom(self, zoom: float) -> None:
        """Show the canvas's zoom; 1 is the natural size."""
        self.zoom.setText(f"{100 * zoom:.0f} %")

    def _show_selection(self, _: Sequence[object] = ()) -> None:
        chosen, nodes = len(self._session.selection), len(self._session.workflow.nodes)
        total = "1 node" if nodes == 1 else f"{nodes} nodes"
        self.selection.setText(f"{chosen} of {total} selected" if chosen else total)

    def _show_problems(self, problems: List[Problem]) -> None:
        if self._session.registry is None:
            self.problems.setText("Not checked yet")
            return
        if self._session.is_empty:
            self.problems.setText("Nothing to check yet")
            return
        errors = sum(problem.severity == ERROR for problem in problems)
        warnings = len(problems) - errors
        parts = [_count(errors, "error"), _count(warnings, "warning")]
        self.problems.setText(", ".join(part for part in parts if part) or "No problems")


def _button(name: str, tip: str) -> QToolButton:
    button = QToolButton(objectName=name, toolTip=tip)
    button.setProperty("flat", True)
    button.setAccessibleName(tip)
    return button


def _count(number: int, noun: str) -> str:
    return "" if number == 0 else f"{number} {noun}" + ("" if number == 1 else "s")
