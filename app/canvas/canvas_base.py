"""What the canvas's commands and tools build on: the session, the items, and the one way to edit."""

from __future__ import annotations

from typing import Iterable, List, Optional, Sequence, Set

from PySide6.QtCore import QPointF
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QWidget

from ..document import Change
from ..session import LOCKED_MESSAGE, EditorSession
from .graph_items import GraphItems
from .hints import HintLabel
from .hits import Hit, hit
from .looks import WireKey
from .nodegraph import NodeGraph
from .theme import Theme
from .viewer import GRID, CanvasViewer


class CanvasBase(QWidget):
    """A viewer on the document's items.

    Attributes:
        session: The document, the node types, the selection.
        viewer: Camera and events.
        items: Nodes, wires and groups.
        active_wires: Places of the selected wires.
        active_group: Index of the selected group.
        locked: True during a run: look, do not touch.
    """

    def __init__(self, session: EditorSession, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.session = session
        self.theme = Theme({})
        unused_history = QUndoStack(self)
        self.viewer = CanvasViewer(unused_history, self)
        self.graph = NodeGraph(self, viewer=self.viewer, undo_stack=unused_history)
        self.graph.set_acyclic(False)
        self.items = GraphItems(session, self.graph, self.theme)
        self.hint = HintLabel(self.viewer.viewport())
        self.active_wires: Set[WireKey] = set()
        self.active_group: Optional[int] = None
        self.locked = False

    def edit(self, label: str, changes: Sequence[Change], merge_key: str = "") -> bool:
        """Apply changes as one undo step; false, with a message, while the canvas is locked."""
        if self.locked:
            self.session.message.emit(LOCKED_MESSAGE)
            return False
        if changes:
            self.session.edit(label, changes, merge_key)
        return True

    @property
    def selection(self) -> List[str]:
        """Ids of the selected nodes."""
        return list(self.session.selection)

    # Selection

    def select_nodes(self, node_ids: Iterable[str]) -> None:
        """Select nodes, and no wire or group."""
        self.select_wires(())
        self.select_group(None)
        self.session.select(node_ids)

    def select_wires(self, places: Iterable[WireKey]) -> None:
        """Select wires."""
        chosen = set(places)
        for place in self.active_wires | chosen:
            if place in self.items.wires:
                self.items.wires[place].set_state(active=place in chosen)
        self.active_wires = chosen

    def select_group(self, index: Optional[int]) -> None:
        """Select a group."""
        self.active_group = index
        for group in self.items.groups:
            group.set_active(group.index == index)

    # Places

    def hit(self, position: QPointF) -> Hit:
        """What lies at a scene position."""
        return hit(self.items, position, self.viewer.zoom)

    @property
    def snaps(self) -> bool:
        """True if nodes are put on the grid."""
        return self.session.workflow.view.get("snap_to_grid", True) is not False

    def snapped(self, position: QPointF) -> QPointF:
        """The nearest place on the grid, where snapping is on."""
        if not self.snaps:
            return QPointF(round(position.x()), round(position.y()))
        return QPointF(round(position.x() / GRID) * GRID, round(position.y() / GRID) * GRID)

    def place_for_new(self) -> QPointF:
        """Where a new node goes: at the cursor if it is over the canvas, else into the middle of the view."""
        inside, cursor = self.viewer.visible_rect(), self.viewer.cursor_position
        return cursor if self.viewer.underMouse() and inside.contains(cursor) else inside.center()
