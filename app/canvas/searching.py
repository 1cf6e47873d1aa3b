"""Adding nodes through the search at the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu

from runtime.ports import PortType

from ..document import edits
from .canvas_base import LOCKED_MESSAGE
from .edit_commands import EditCommands
from .fitting import PortEnd, fitting_port, resolved_type
from .looks import IN, OUT, PortLook
from .search_popup import SearchEntry, SearchPopup, entries_of, first_line
from .wire_item import LiveWireItem
from .wire_tool import end_at


@dataclass
class Pending:
    """A wire that waits for the node at its other end."""

    origin: PortEnd
    type: PortType


class Searching(EditCommands):
    """Opens the search, and does what is chosen."""

    def make_popup(self) -> None:
        """Build what the search needs."""
        self.popup = SearchPopup(self)
        self.popup.chosen.connect(self._add_chosen)
        self.popup.closed.connect(self._search_closed)
        self._pending: Optional[Pending] = None
        self._search_place = QPointF()
        self._waiting_wire: Optional[LiveWireItem] = None

    def open_search(self, scene_pos: Optional[QPointF] = None) -> None:
        """Search all node types and add the chosen one, at the cursor where no place is given."""
        self._open(self.place_for_new() if scene_pos is None else scene_pos, None)

    def search_for_wire(self, origin: PortEnd, type: PortType, position: QPointF) -> None:
        """Search the node types with a port for a wire, and connect the chosen one."""
        self._open(position, Pending(origin, type))
        if self._pending is not None:
            self._show_waiting_wire()

    def search_for_port(self, node_id: str, port: PortLook, position: QPointF) -> None:
        """Search the node types that fit a port."""
        origin = end_at(self, node_id, port)
        away = QPointF(120, 0) if port.side == OUT else QPointF(-120, 0)
        self.search_for_wire(origin, resolved_type(self.session.graph, origin), position + away)

    def _open(self, position: QPointF, pending: Optional[Pending]) -> None:
        if self.locked:
            self.session.message.emit(LOCKED_MESSAGE)
            return
        self.popup.hide()
        self._search_place, self._pending = position, pending
        prompt = "Add a node" if pending is None else f"Add a node for {pending.type.name}"
        at = self.viewer.viewport().mapTo(self, self.viewer.mapFromScene(position))
        self.popup.open(self._entries(), at, prompt)

    def open_list(self, entries: Sequence[SearchEntry], position: QPointF, prompt: str) -> None:
        """Let the user choose from other entries, at a place."""
        self.popup.hide()
        self._search_place, self._pending = position, None
        self.popup.open(entries, self.viewer.viewport().mapTo(self, self.viewer.mapFromScene(position)), prompt)

    def offer_entries(self) -> None:
        """Node types were loaded while the search is open."""
        if self.popup.isVisible():
            self.popup.set_entries(self._entries())

    def _entries(self) -> Optional[List[SearchEntry]]:
        registry = self.session.registry
        if registry is None:
            return None
        if self._pending is None:
            return entries_of(registry)
        found = []
        side = IN if self._pending.origin.port.side == OUT else OUT
        for name, node_class in registry.types.items():
            port = fitting_port(node_class, side, self._pending.type)
            if port is not None:
                doc = first_line(node_class.description())
                found.append(SearchEntry(name, node_class.title, node_class.category, doc, port[0], port[1]))
        return found

    def _add_chosen(self, entry: SearchEntry) -> None:
        pending, self._pending = self._pending, None
        if pending is None:
            self.add_node(entry.class_type, self._search_place - QPointF(20, 20))
        elif pending.origin.node_id in self.items.nodes:
            near = (pending.origin.node_id, pending.origin.port.name)
            self.add_connected(entry.class_type, self._search_place, near, entry.port, pending.origin.port.side == OUT)

    def _search_closed(self) -> None:
        if self._waiting_wire is not None:
            self.items.scene.removeItem(self._waiting_wire)
            self._waiting_wire = None
        self.viewer.setFocus()

    def _show_waiting_wire(self) -> None:
        assert self._pending is not None
        origin = self._pending.origin
        fixed = self.items.nodes[origin.node_id].port_place(origin.port.side, origin.port.name)
        ends = (fixed, self._search_place) if origin.port.side == OUT else (self._search_place, fixed)
        self._waiting_wire = LiveWireItem(self.theme)
        self._waiting_wire.draw(ends[0], ends[1], self.items.wire_style, self._pending.type, True)
        self.items.scene.addItem(self._waiting_wire)

    # Constants

    def offer_parameters(self, source: str, output: str, target: str, position: QPointF) -> None:
        """Ask which parameter of a node a constant is to set."""
        node_class = self.items.node_class(target)
        if node_class is None or not node_class.parameters:
            self.session.message.emit(f"{self.items.nodes[target].look.title} has no parameters to set")
            return
        menu = QMenu(self)
        menu.setObjectName("canvasParameterMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addSection("Set parameter")
        for name, parameter in node_class.parameters.items():
            action = menu.addAction(name)
            action.setToolTip(parameter.doc)
            wire = ((source, output), (target, self.items.document_key(target, name)))
            action.triggered.connect(lambda checked=False, wire=wire: self.edit("Connect", edits.connect(*wire)))
        menu.popup(self.viewer.viewport().mapToGlobal(self.viewer.mapFromScene(position)))
