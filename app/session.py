"""What the parts of the editor share: the document, the node types, the selection and the problems.

Views listen to its signals and change the document through `edit` only; no view knows another.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from runtime.graph import Graph, is_link
from runtime.node import Node
from runtime.parameters import Parameter
from runtime.registry import NodeRegistry
from runtime.validation import Problem, check_workflow
from runtime.workflow import Workflow

from .document import Change, Document

VALIDATION_DELAY_MS = 60
LOCKED_MESSAGE = "The workflow is locked while it runs; stop the run to edit it"


class EditorSession(QObject):
    """One open document and what is known of it.

    Signals:
        document_replaced: Another document was opened; views build themselves anew.
        document_changed: Changes were applied (edit, undo or redo).
        history_changed: What can be undone, redone or saved is different now.
        selection_changed: Ids of the selected nodes.
        problems_changed: The results of validation, a short while after the last change.
        registry_changed: Node types are there (they load behind the window).
        reveal_requested: Show this node (id) and port ("" for none), for example after a click on a problem.
        message: A line for the status bar.
        commit_requested: Hand over what was typed and not yet confirmed; the document is about to be used.
        lock_changed: A run has begun (true) or ended: only live parameters may be edited meanwhile.
    """

    document_replaced = Signal()
    document_changed = Signal(list)
    history_changed = Signal()
    selection_changed = Signal(list)
    problems_changed = Signal(list)
    registry_changed = Signal()
    reveal_requested = Signal(str, str)
    message = Signal(str)
    commit_requested = Signal()
    lock_changed = Signal(bool)

    def __init__(self, parent: Optional[QObject] = None):
        super().__init__(parent)
        self.document = Document()
        self.registry: Optional[NodeRegistry] = None
        self.selection: List[str] = []
        self.problems: List[Problem] = []
        self.graph = Graph()
        self.is_locked, self.takes_live_edits = False, True
        self._validation = QTimer(self, singleShot=True, interval=VALIDATION_DELAY_MS)
        self._validation.timeout.connect(self.validate_now)
        self.document.listeners.append(self._on_changes)

    def set_registry(self, registry: NodeRegistry) -> None:
        """Take over the loaded node types."""
        self.registry = registry
        self.registry_changed.emit()
        self._validation.start()

    def set_document(self, document: Document) -> None:
        """Show another document."""
        self.document.listeners.remove(self._on_changes)
        self.document = document
        document.listeners.append(self._on_changes)
        self.selection = []
        self.document_replaced.emit()
        self.selection_changed.emit([])
        self.history_changed.emit()
        self.validate_now()

    @property
    def workflow(self) -> Workflow:
        """The document's workflow; read only."""
        return self.document.workflow

    @property
    def is_empty(self) -> bool:
        """True while there is nothing to check: no node stands on the canvas yet, which is no mistake."""
        return not self.workflow.nodes

    # Editing

    def edit(self, label: str, changes: Sequence[Change], merge_key: str = "") -> None:
        """Apply changes as one undo step; while a run goes on, those of live parameters only."""
        if not self.is_locked or (self.takes_live_edits and all(self._is_live(change) for change in changes)):
            self.document.edit(label, changes, merge_key)
        else:
            self.message.emit(LOCKED_MESSAGE)

    def commit_pending(self) -> None:
        """Let the views hand over what was typed and not yet confirmed, before the document is saved, run or left."""
        self.commit_requested.emit()

    def undo(self) -> None:
        """Take the last step back."""
        if self.is_locked:
            self.message.emit(LOCKED_MESSAGE)
            return
        self.commit_pending()
        self.document.undo()

    def redo(self) -> None:
        """Do it again; something typed meanwhile counts as an edit, after which nothing can be done again."""
        if self.is_locked:
            self.message.emit(LOCKED_MESSAGE)
            return
        self.commit_pending()
        self.document.redo()

    def set_locked(self, on: bool, takes_live_edits: bool = True) -> None:
        """Keep the document as it is run, but for live parameters, or let it be edited again.

        Args:
            on: Whether a run goes on.
            takes_live_edits: False where the run cannot follow changes of live parameters: they are locked too.
        """
        if on != self.is_locked:
            self.is_locked, self.takes_live_edits = on, takes_live_edits
            self.lock_changed.emit(on)

    def live_parameter(self, node_id: str, name: str) -> Optional[Parameter]:
        """The declaration of a parameter that may change during a run; ``None`` of anything else."""
        entry = self.workflow.nodes.get(node_id)
        node_class = self.node_class(entry.class_type) if entry is not None else None
        if node_class is None:
            return None
        declared = [own for own in node_class.parameters.values() if own.live and name in (own.name, *own.replaces)]
        return declared[0] if declared else None

    def _is_live(self, change: Change) -> bool:
        path = change.path
        if len(path) != 4 or path[0] != "nodes" or path[2] != "inputs" or is_link(change.value):
            return False
        is_linked = is_link(self.workflow.nodes[path[1]].inputs.get(path[3]))
        return not is_linked and self.live_parameter(path[1], path[3]) is not None

    def select(self, node_ids: Iterable[str]) -> None:
        """Select nodes; ids that are not there are left out."""
        chosen = [node_id for node_id in node_ids if node_id in self.workflow.nodes]
        if chosen != self.selection:
            self.selection = chosen
            self.selection_changed.emit(list(chosen))

    def reveal(self, node_id: str, port: str = "") -> None:
        """Select a node and ask the canvas to bring it into view."""
        self.select([node_id])
        self.reveal_requested.emit(node_id, port)

    def _on_changes(self, changes: Sequence[Change]) -> None:
        self.document_changed.emit(list(changes))
        self.history_changed.emit()
        self.select(self.selection)
        self._validation.start()

    # Knowing

    def node_class(self, class_type: str) -> Optional[Any]:
        """The class of a node type; ``None`` while types load, or where it is missing."""
        return self.registry.resolve(class_type) if self.registry is not None else None

    def node(self, node_id: str) -> Optional[Node]:
        """The node as last validated, with checked parameter values; ``None`` where its type is missing."""
        return self.graph.nodes.get(node_id)

    def validate_now(self) -> None:
        """Check the whole workflow and tell the views."""
        self._validation.stop()
        if self.registry is None:
            return
        self.graph, problems = check_workflow(self.workflow, self.registry)
        self.problems = [] if self.is_empty else problems
        self.problems_changed.emit(list(self.problems))

    def problems_of(self, node_id: str) -> List[Problem]:
        """Problems of one node."""
        return [problem for problem in self.problems if problem.node_id == node_id]

    def value_specs(self) -> Dict[Any, Any]:
        """Specs of outputs by (node id, port), as far as they are known before a run."""
        return dict(self.graph.specs)
