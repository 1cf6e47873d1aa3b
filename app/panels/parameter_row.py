"""One parameter in the inspector: its name, its editor, what is wrong with it, and the way back to its default."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from app.session import EditorSession
from app.theme import icon
from runtime.validation import Problem

from .editors import make_editor
from .number_text import format_number
from .shared_parameters import ParameterState, SharedParameter
from .widgets import ElidedButton, flat_button, rich, set_style, text_label

DOT, LABEL, EDITOR, RESET = range(4)
LOCKED_TEXT = "Locked while the workflow runs: this is no live parameter."
TOGETHER_TEXT = "Locked while several processes train together."


class ParameterRow(QWidget):
    """Shows one parameter of the selected nodes and writes edits to the document.

    Attributes:
        is_changed: The value is not the default.
        has_problem: Something is written under the field.
    """

    def __init__(self, session: EditorSession, parameter: SharedParameter, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.session = session
        self.parameter = parameter
        self.is_changed = False
        self._rejection = ""
        self._problems: List[Problem] = []
        declared = parameter.declared
        self.editor = make_editor(declared)
        self.editor.name_input(parameter.name, declared.doc)
        self.label = text_label(parameter.label)
        self.label.setBuddy(self.editor.input)
        self.dot = text_label("", "dot", wrap=False)
        self.dot.setFixedWidth(8)
        self.live = text_label("live", "badge", wrap=False)
        self.live.setToolTip("May be changed during a run; acts at the next iteration.")
        self.reset = flat_button("reset", f"Reset {parameter.label} to its default")
        self.reset.clicked.connect(self._reset)
        self.link: Optional[LinkShown] = None
        self.hint = text_label("", "error")
        self._lay_out()
        self.setToolTip(parameter_tooltip(parameter))
        self.editor.edited.connect(self._edit)
        self.editor.rejected.connect(self._reject)
        self.editor.finished.connect(lambda: self.session.document.end_merging())
        session.lock_changed.connect(self._follow_lock)
        self._follow_lock(session.is_locked)
        self.refresh()

    def _lay_out(self) -> None:
        name = QWidget()
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        box = QHBoxLayout(name)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(self.label, 1)
        box.addWidget(self.live, 0, Qt.AlignmentFlag.AlignVCenter)
        self.live.setVisible(self.parameter.declared.live)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(4)
        self.grid.setVerticalSpacing(2)
        self.grid.setColumnStretch(LABEL, 6)
        self.grid.setColumnStretch(EDITOR, 5)
        self.grid.setColumnMinimumWidth(RESET, 24)
        self.grid.addWidget(self.dot, 0, DOT)
        self.grid.addWidget(name, 0, LABEL)
        if self.editor.is_wide:
            self.grid.addWidget(self.editor, 1, LABEL, 1, RESET - LABEL + 1)
        else:
            self.editor.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            self.grid.addWidget(self.editor, 0, EDITOR)
        self.grid.addWidget(self.reset, 0, RESET)
        hint_row = 2 if self.editor.is_wide else 1
        self.grid.addWidget(self.hint, hint_row, LABEL, 1, EDITOR - LABEL + 1)
        self.hint.hide()
        keep = self.reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(keep)

    def _follow_lock(self, is_locked: bool) -> None:
        """While the workflow runs only live parameters can be edited, and with several processes none."""
        is_live, takes_edits = self.parameter.declared.live, self.session.takes_live_edits
        is_free = not is_locked or (is_live and takes_edits)
        for widget in (self.editor, self.reset):
            widget.setEnabled(is_free)
        why = "" if is_free else f"<br><b>{TOGETHER_TEXT if is_live else LOCKED_TEXT}</b>"
        self.setToolTip(parameter_tooltip(self.parameter) + why)

    @property
    def has_problem(self) -> bool:
        """Validation found something, or what was typed is no value."""
        return bool(self._problems or self._rejection)

    def bind(self, parameter: SharedParameter) -> None:
        """Show the same declaration of other nodes."""
        self.parameter = parameter
        self._problems = []
        self.editor.revert()
        self.refresh()

    def refresh(self) -> None:
        """Bring the row up to date with the document."""
        state = self.parameter.state(self.session.workflow)
        self.is_changed = state.is_changed
        self._show_link(state)
        if state.is_mixed:
            self.editor.show_mixed()
        else:
            self.editor.show_value(state.value)
        set_style(self.label, "role", "changed" if state.is_changed else "")
        self.dot.setText("•" if state.is_changed else "")
        self.reset.setVisible(state.is_changed and not state.links)

    def _show_link(self, state: ParameterState) -> None:
        if state.links and self.link is None:
            self.link = LinkShown(self)
            top = 1 if self.editor.is_wide else 0
            left = LABEL if self.editor.is_wide else EDITOR
            self.grid.addWidget(self.link, top, left, 1, RESET - left + 1)
        if self.link is not None:
            self.link.setVisible(bool(state.links))
            self.link.show_links(state)
        self.editor.setVisible(not state.links)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Write what validation says of this parameter under the field."""
        self._problems = list(problems)
        self._show_hint()

    def _reject(self, reason: str) -> None:
        self._rejection = reason
        self._show_hint()

    def _show_hint(self) -> None:
        if self._rejection:
            text, role = self._rejection, "error"
        else:
            text = "\n".join(problem_text(problem) for problem in self._problems)
            role = self._problems[0].severity if self._problems else "error"
        self.hint.setText(text)
        self.hint.setVisible(bool(text))
        set_style(self.hint, "role", role)

    # Editing

    def _edit(self, value: Any) -> None:
        key = f"parameter:{self.parameter.name}:{','.join(self.parameter.owners)}"
        changes = self.parameter.put(self.session.workflow, value)
        self.session.edit(f"Set {self.parameter.label} of {self._nodes_text()}", changes, key)

    def _reset(self) -> None:
        changes = self.parameter.reset(self.session.workflow)
        self.session.edit(f"Reset {self.parameter.label} of {self._nodes_text()}", changes)
        self.editor.revert()
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def unlink(self) -> None:
        """Put the linked constant's value in the place of the link."""
        nodes = [self.session.node(node_id) for node_id in self.parameter.owners]
        values = [getattr(node, self.parameter.name) for node in nodes if node is not None]
        value = values[0] if values else self.parameter.declared.default
        changes = self.parameter.put(self.session.workflow, value)
        self.session.edit(f"Unlink {self.parameter.label} of {self._nodes_text()}", changes)

    def _nodes_text(self) -> str:
        if len(self.parameter.owners) > 1:
            return f"{len(self.parameter.owners)} nodes"
        entry = self.session.workflow.nodes[next(iter(self.parameter.owners))]
        return entry.title or entry.class_type


class LinkShown(QWidget):
    """Stands in the place of an editor while a constant is wired to the parameter."""

    def __init__(self, row: ParameterRow):
        super().__init__(row)
        self.row = row
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.source = ElidedButton(icon("link", "accent"))
        self.source.setToolTip("Show the constant that gives this value")
        self.source.clicked.connect(self._reveal)
        self.unlink = flat_button("unlink", f"Unlink {row.parameter.label} and keep its value")
        self.unlink.clicked.connect(row.unlink)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.source, 1)
        box.addWidget(self.unlink)
        self._source_id = ""

    def show_links(self, state: ParameterState) -> None:
        """Name the constant and its value."""
        if not state.links:
            return
        node_id, (source_id, _) = state.links[0]
        session = self.row.session
        self._source_id = source_id
        entry = session.workflow.nodes.get(source_id)
        title = (entry.title or entry.class_type) if entry is not None else f"node {source_id}"
        node = session.node(node_id)
        value = getattr(node, self.row.parameter.name, None)
        text = title if value is None else f"{format_number(value)}  ·  {title}"
        self.source.set_text("several constants" if len({tuple(link) for _, link in state.links}) > 1 else text)
        self.source.setAccessibleName(f"{self.row.parameter.name} is linked to {title}")

    def _reveal(self) -> None:
        if self._source_id in self.row.session.workflow.nodes:
            self.row.session.reveal(self._source_id)


def problem_text(problem: Problem) -> str:
    """What is wrong and what would be right, as one text."""
    text = f"{problem.message}; {problem.remedy}" if problem.remedy else problem.message
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def parameter_tooltip(parameter: SharedParameter) -> str:
    """Name, documentation, range, unit and default."""
    declared = parameter.declared
    allowed = declared.range_text or declared.type_text
    unit = f" {declared.unit}" if declared.unit else ""
    default = format_number(declared.default) if declared.default != "" else "empty"
    lines = [f"<b>{parameter.name}</b>", rich(declared.doc), f"<small>Allowed: {rich(allowed + unit)}"]
    lines.append(f"Default: {rich('auto' if declared.auto and declared.default == 0 else default + unit)}</small>")
    return "<br>".join(lines)
