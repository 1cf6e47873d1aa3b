"""What the inspector shows: selected nodes, a node of a missing type, or the workflow as a whole."""

from __future__ import annotations

import json
from typing import Dict, List, Sequence, Type

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.document import Change, edits
from app.session import EditorSession
from app.theme import category_colour
from runtime.graph import is_link
from runtime.node import Node
from runtime.validation import ERROR, Problem

from .parameter_row import ParameterRow, problem_text
from .shared_parameters import SharedParameter, in_sections, shared_parameters
from .widgets import Section, first_sentence, flat_button, line, paragraphs, set_style, text_label

MARGIN = 12


class Page(QWidget):
    """One state of the inspector."""

    def __init__(self, session: EditorSession):
        super().__init__()
        self.session = session
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(MARGIN, 12, 6, 12)
        self.box.setSpacing(8)

    def refresh(self) -> None:
        """Bring all fields up to date with the document."""

    def show_problems(self) -> None:
        """Bring all problems up to date."""

    def bind(self, classes: Dict[str, Type[Node]]) -> None:
        """Show these nodes, given with their classes."""
        self.refresh()
        self.show_problems()

    def commit(self) -> None:
        """Hand over what was typed and not yet handed over."""

    def revert(self) -> None:
        """Forget it instead."""


class NodesPage(Page):
    """The parameters of one node, or those that several nodes share.

    Signals:
        help_requested: A class name: show its reference page.
        section_toggled: A section (its title) was opened or closed.
    """

    help_requested = Signal(str)
    section_toggled = Signal(str, bool)

    def __init__(self, session: EditorSession, classes: Dict[str, Type[Node]], open_sections: Dict[str, bool]):
        super().__init__(session)
        self.node_ids = list(classes)
        self.rows: Dict[str, ParameterRow] = {}
        self.sections: Dict[str, Section] = {}
        self._open_sections = open_sections
        self.header = NodeHeader(session) if len(classes) == 1 else SeveralHeader(session)
        self.header.help_requested.connect(self.help_requested)
        self.box.setContentsMargins(0, 12, 6, 12)
        self.box.addWidget(self.header)
        for title, parameters in in_sections(shared_parameters(classes)).items():
            if parameters:
                self._add_section(title, parameters, open_sections.get(title, False))
        if not self.rows:
            several = len(classes) > 1
            nothing = text_label("These nodes share no parameters." if several else "No parameters.", "dim")
            nothing.setContentsMargins(MARGIN, 0, 0, 0)
            self.box.addWidget(nothing)
        self.box.addStretch(1)

    def _add_section(self, title: str, parameters: Sequence[SharedParameter], is_open: bool) -> None:
        body = QWidget()
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        for parameter in parameters:
            self.rows[parameter.name] = ParameterRow(self.session, parameter)
            box.addWidget(self.rows[parameter.name])
        if not title:
            self.box.addWidget(body)
            return
        section = Section(title, body, is_open)
        section.setObjectName(f"section{title}")
        section.toggled.connect(lambda opened: self.section_toggled.emit(title, opened))
        self.sections[title] = section
        self.box.addWidget(section)

    def bind(self, classes: Dict[str, Type[Node]]) -> None:
        """Show other nodes of the same types."""
        self.node_ids = list(classes)
        for parameter in shared_parameters(classes):
            self.rows[parameter.name].bind(parameter)
        self.header.show_nodes(classes)
        for title, section in self.sections.items():
            section.set_open(self._open_sections.get(title, False))
        self._note_changes()
        self.show_problems()

    def refresh(self) -> None:
        """Bring title and parameters up to date."""
        for row in self.rows.values():
            row.refresh()
        self.header.refresh()
        self._note_changes()

    def show_problems(self) -> None:
        """Under the fields, and what concerns no field in the header."""
        shown = set(self.node_ids)
        problems = [problem for problem in self.session.problems if problem.node_id in shown]
        for name, row in self.rows.items():
            row.show_problems([problem for problem in problems if problem.port == name])
            if row.link is not None:
                row.refresh()
        self.header.show_problems([problem for problem in problems if problem.port not in self.rows])
        for section in self.sections.values():
            if any(row.has_problem for row in section.findChildren(ParameterRow)):
                section.set_open(True)
        self._suggest_names()

    def _note_changes(self) -> None:
        for section in self.sections.values():
            changed = sum(row.is_changed for row in section.findChildren(ParameterRow))
            section.set_note(f"{changed} changed" if changed else "")

    def _suggest_names(self) -> None:
        task = _task_of(self.session, self.node_ids)
        for row in self.rows.values():
            is_reward = "reward" in row.parameter.declared.doc.casefold()
            if task is not None:
                row.editor.suggest_names(task.reward_components if is_reward else task.task_parameters)

    def commit(self) -> None:
        """Hand over what was typed in any field, unless its node was deleted meanwhile."""
        for row in self.rows.values():
            if all(node_id in self.session.workflow.nodes for node_id in self.node_ids):
                row.editor.commit()

    def revert(self) -> None:
        """Forget what was typed in any field."""
        for row in self.rows.values():
            row.editor.revert()


def _task_of(session: EditorSession, node_ids: Sequence[str]):  # type: ignore[no-untyped-def]
    """The task whose data the nodes see or give; else any of the workflow's."""
    nodes = [session.node(node_id) for node_id in node_ids]
    near = [spec for node in nodes if node is not None for spec in node.input_specs.values()]
    given = [spec for (node_id, _), spec in session.graph.specs.items() if node_id in node_ids]
    tasks = [spec.task for spec in [*near, *given, *session.graph.specs.values()] if spec.task is not None]
    return tasks[0] if tasks else None


class SeveralHeader(QWidget):
    """Says how many nodes are selected."""

    help_requested = Signal(str)

    def __init__(self, session: EditorSession):
        super().__init__()
        self.session = session
        self.title = text_label("", "title")
        self.names = text_label("", "dim")
        self.problems = text_label("", "error")
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(MARGIN, 0, 0, 0)
        self.box.setSpacing(4)
        for widget in (self.title, self.names, self.problems, line()):
            self.box.addWidget(widget)
        self.problems.hide()

    def show_nodes(self, classes: Dict[str, Type[Node]]) -> None:
        """Name the nodes."""
        self.title.setText(f"{len(classes)} nodes")
        entries = [self.session.workflow.nodes[node_id] for node_id in classes]
        names = ", ".join(entry.title or entry.class_type for entry in entries[:6])
        self.names.setText(names + (" …" if len(entries) > 6 else "") + "\nAn edit changes all of them.")

    def refresh(self) -> None:
        """Nothing here is edited."""

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """What is wrong with ports, or with nodes as a whole."""
        nodes = "{0.label}, " if self.title.isVisibleTo(self) else ""
        texts = [(nodes + ("{0.port}: " if p.port else "")).format(p) + problem_text(p) for p in problems]
        self.problems.setText("\n".join(dict.fromkeys(texts)))
        self.problems.setVisible(bool(texts))
        has_error = any(problem.severity == ERROR for problem in problems)
        set_style(self.problems, "role", "error" if has_error else "warning")


class NodeHeader(SeveralHeader):
    """Title, type, id and documentation of one node."""

    def __init__(self, session: EditorSession):
        super().__init__(session)
        self.node_id = ""
        self.node_class: Type[Node] = Node
        self.field = QLineEdit(objectName="nodeTitle")
        self.field.setAccessibleName("Title")
        self.field.setToolTip("Title of the node on the canvas")
        self.field.textEdited.connect(self._rename)
        self.field.editingFinished.connect(lambda: self.session.document.end_merging())
        self.help = flat_button("help", "Reference page of this node type (F1)")
        self.help.clicked.connect(lambda: self.help_requested.emit(self.node_class.__name__))
        self.doc = text_label("")
        self.more = QPushButton()
        self.more.setProperty("link", True)
        self.more.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.more.clicked.connect(lambda: self._show_doc(self.more.text() == "More"))
        top = QHBoxLayout()
        top.addWidget(self.field, 1)
        top.addWidget(self.help)
        self.title.hide()
        self.box.insertLayout(0, top)
        self.box.insertWidget(self.box.count() - 1, self.doc)
        self.box.insertWidget(self.box.count() - 1, self.more)

    def show_nodes(self, classes: Dict[str, Type[Node]]) -> None:
        """Show one node."""
        ((self.node_id, self.node_class),) = classes.items()
        colour = category_colour(self.node_class.category).name()
        self.names.setTextFormat(Qt.TextFormat.RichText)
        mark = f'<span style="color:{colour}">■</span>'
        self.names.setText(f"{mark} {self.node_class.title} · {self.node_class.__name__} · id {self.node_id}")
        self.names.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.field.setPlaceholderText(self.node_class.title)
        self._show_doc(False)
        self.refresh()

    def _show_doc(self, whole: bool) -> None:
        text, brief = paragraphs(self.node_class), first_sentence(self.node_class)
        self.doc.setText(text if whole else brief)
        self.more.setText("Less" if whole else "More")
        self.more.setAccessibleName("Less documentation" if whole else "More documentation")
        self.more.setVisible(text != brief)

    def refresh(self) -> None:
        """Show the document's title."""
        title = self.session.workflow.nodes[self.node_id].title
        if self.field.text() != title:
            self.field.setText(title)

    def _rename(self, title: str) -> None:
        changes = edits.set_title(self.node_id, title)
        self.session.edit(f"Rename node {self.node_id}", changes, f"title:{self.node_id}")


class RawPage(Page):
    """A node whose type is not there: what the file says of it, read only."""

    def __init__(self, session: EditorSession, node_ids: Sequence[str]):
        super().__init__(session)
        self.node_ids = list(node_ids)
        self.problems = text_label("", "error" if session.registry is not None else "dim")
        self.form = QFormLayout()
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for node_id in self.node_ids:
            self._add_node(node_id)
        self.box.addLayout(self.form)
        self.box.addWidget(self.problems)
        if session.registry is not None:
            self.box.addWidget(text_label("What the file says of it is kept when you save.", "dim"))
        self.box.addStretch(1)

    def _add_node(self, node_id: str) -> None:
        entry = self.session.workflow.nodes[node_id]
        self.form.addRow(text_label(entry.title or entry.class_type, "title"))
        self.form.addRow(text_label(f"{entry.class_type} · id {node_id}", "dim"))
        for name, value in entry.inputs.items():
            text = f"← {value[0]}.{value[1]}" if is_link(value) else json.dumps(value, ensure_ascii=False)
            field = QLineEdit(text, objectName=f"param_{name}", readOnly=True)
            field.setAccessibleName(name)
            self.form.addRow(text_label(name, wrap=False), field)

    def show_problems(self) -> None:
        """Say which type is missing, or that the types are still loading."""
        if self.session.registry is None:
            self.problems.setText("Node types are loading…")
            return
        problems: List[Problem] = [p for node_id in self.node_ids for p in self.session.problems_of(node_id)]
        self.problems.setText("\n".join(problem_text(problem) for problem in problems))


class WorkflowPage(Page):
    """The workflow as a whole, while no node is selected."""

    def __init__(self, session: EditorSession):
        super().__init__(session)
        self.field = QLineEdit(objectName="workflowName")
        self.field.setAccessibleName("Workflow name")
        self.field.setToolTip("Name of the workflow; an exported folder takes it over")
        self.field.textEdited.connect(self._rename)
        self.field.editingFinished.connect(lambda: self.session.document.end_merging())
        self.counts = text_label("", "dim")
        self.problems = text_label("")
        self.box.addWidget(text_label("Workflow", "dim"))
        self.box.addWidget(self.field)
        self.box.addWidget(self.counts)
        self.box.addWidget(self.problems)
        self.box.addWidget(line())
        self.advice = text_label("", "dim")
        self.box.addWidget(self.advice)
        self.box.addStretch(1)

    def refresh(self) -> None:
        """Show name and counts."""
        workflow = self.session.workflow
        if self.field.text() != workflow.name:
            self.field.setText(workflow.name)
        self.counts.setText(f"{_count(len(workflow.nodes), 'node')}, {_count(len(edits.wires(workflow)), 'wire')}")

    def show_problems(self) -> None:
        """How many there are."""
        start = "Add a node: drag one from the palette, or press Tab on the canvas."
        self.advice.setText(start if self.session.is_empty else "Select a node to see and edit its parameters.")
        errors = sum(problem.severity == ERROR for problem in self.session.problems)
        warnings = len(self.session.problems) - errors
        found = [_count(number, name) for number, name in ((errors, "error"), (warnings, "warning")) if number]
        waiting = "Node types are loading…" if self.session.registry is None else ""
        idle = waiting or ("Nothing to check yet" if self.session.is_empty else "")
        self.problems.setText(idle or ", ".join(found) or "No problems")
        set_style(self.problems, "role", "dim" if idle else "ok" if not found else "error" if errors else "warning")

    def _rename(self, name: str) -> None:
        self.session.edit("Rename the workflow", [Change(("name",), name)], "workflow name")


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
