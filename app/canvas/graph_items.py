"""The items of the canvas, kept in step with the document."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple, Type

from PySide6.QtCore import QRectF

from runtime.graph import is_link
from runtime.node import Node
from runtime.ports import ANY, PortType

from ..document import Change
from ..document.edits import feedback_wires
from ..session import EditorSession
from .group_item import GroupItem
from .looks import IN, LOADING, OUT, WireKey, fed_by, input_key, node_look, used_outputs, wire_looks
from .node_geometry import PortKey
from .node_item import NodeItem
from .nodegraph import NodeGraph, NodeObject
from .routing import CURVED, STUB, STYLES, Box, Lane, free_lane
from .theme import Theme
from .wire_item import WireItem

SPREAD = 9.0


class CanvasNode(NodeObject):
    """NodeGraphQt's handle of a node: it carries the item, and the id in the document."""

    __identifier__ = "dnne"
    NODE_NAME = "Node"

    def __init__(self, item: NodeItem):
        super().__init__(lambda: item)
        self.model.id = item.id = item.look.id
        item.setToolTip("")


class GraphItems:
    """Nodes, wires and groups on the canvas by their place in the document.

    Attributes:
        nodes: By id.
        wires: By (target id, the input's name in the document).
        groups: In the document's order.
    """

    def __init__(self, session: EditorSession, graph: NodeGraph, theme: Theme):
        self.session, self.graph, self.theme = session, graph, theme
        self.scene = graph.viewer().scene()
        self.nodes: Dict[str, NodeItem] = {}
        self.wires: Dict[WireKey, WireItem] = {}
        self.groups: List[GroupItem] = []
        self.wires_of: Dict[str, Set[WireKey]] = defaultdict(set)
        self._classes: Dict[str, Optional[Type[Node]]] = {}

    # Following the document

    def rebuild(self) -> None:
        """Build everything anew, for another document or other node types."""
        for place in list(self.wires):
            self._remove_wire(place)
        for node_id in list(self.nodes):
            self._remove_node(node_id)
        self._sync(set(self.session.workflow.nodes))
        self.sync_groups()

    def refresh_types(self) -> None:
        """Node types are there now, or other ones: placeholders become real."""
        self._sync(set(self.session.workflow.nodes))

    def apply(self, changes: Sequence[Change]) -> None:
        """Bring what changed up to date."""
        on_nodes = [change for change in changes if change.path[0] == "nodes" and self._is_seen(change)]
        touched = {change.path[1] for change in on_nodes}
        if on_nodes and all(change.path[2:] == ("position",) for change in on_nodes):
            self._place(touched)
        elif on_nodes:
            self._sync(touched, any(_may_wire(change) for change in on_nodes))
        if any(change.path == ("groups",) for change in changes):
            self.sync_groups()
        if any(change.path == ("view",) for change in changes):
            self.lay_wires()

    def _is_seen(self, change: Change) -> bool:
        """False for a parameter, which the canvas does not show."""
        if change.path[2:3] != ("inputs",):
            return True
        entry = self.session.workflow.nodes.get(change.path[1])
        now = entry.inputs.get(change.path[3]) if entry is not None else None
        return is_link(now) or (change.path[1], change.path[3]) in self.wires

    def _place(self, node_ids: Iterable[str]) -> None:
        for node_id in node_ids:
            self.nodes[node_id].setPos(*self.session.workflow.nodes[node_id].position)
        self.lay_wires()

    def _sync(self, touched: Set[str], wiring: bool = True) -> None:
        workflow = self.session.workflow
        added_or_removed = {node_id for node_id in touched if (node_id in workflow.nodes) != (node_id in self.nodes)}
        affected = touched | (fed_by(workflow, added_or_removed) if added_or_removed else set())
        affected |= {self.wires[place].look.source for node_id in touched for place in self.wires_of[node_id]}
        affected |= {source for node_id in touched for source in self._sources(node_id)}
        outputs = used_outputs(workflow)
        for node_id in affected - set(workflow.nodes):
            self._remove_node(node_id)
        present = [node_id for node_id in workflow.nodes if node_id in affected]
        for node_id in present:
            self._sync_node(node_id, outputs.get(node_id, ()))
        for node_id in present:
            self._sync_wires(node_id)
        if wiring:
            self._mark_feedback()
            self._mark_wired(affected)
        self.lay_wires()
        self.refresh_knowledge()

    def _sources(self, node_id: str) -> List[str]:
        entry = self.session.workflow.nodes.get(node_id)
        return [value[0] for value in entry.inputs.values() if is_link(value)] if entry is not None else []

    def _sync_node(self, node_id: str, outputs: Sequence[str]) -> None:
        entry = self.session.workflow.nodes[node_id]
        node_class = self.session.node_class(entry.class_type)
        self._classes[node_id] = node_class
        look = node_look(entry, node_class, self.session.registry is None, outputs)
        item = self.nodes.get(node_id)
        if item is None:
            item = NodeItem(look, self.theme)
            self.nodes[node_id] = item
            self._add_to_graph(item, entry.position)
            item.set_selected(node_id in self.session.selection)
        elif look != item.look:
            item.set_look(look)
        item.setPos(*entry.position)

    def _add_to_graph(self, item: NodeItem, position: Tuple[float, float]) -> None:
        node = CanvasNode(item)
        node._graph = self.graph
        self.graph.model.nodes[node.id] = node
        self.graph.viewer().add_node(item, position)

    def _remove_node(self, node_id: str) -> None:
        for place in list(self.wires_of.pop(node_id, ())):
            self._remove_wire(place)
        self._classes.pop(node_id, None)
        self.graph.model.nodes.pop(node_id, None)
        item = self.nodes.pop(node_id, None)
        if item is not None:
            self.scene.removeItem(item)

    def _sync_wires(self, node_id: str) -> None:
        looks = {look.place: look for look in wire_looks(self.session.workflow.nodes[node_id], self._classes)}
        present = {place for place in self.wires_of[node_id] if place[0] == node_id}
        for place in present - set(looks):
            self._remove_wire(place)
        for place, look in looks.items():
            wire = self.wires.get(place)
            if wire is not None and wire.look.source == look.source:
                wire.set_look(look)
            else:
                self._remove_wire(place)
                wire = WireItem(look, self.nodes[look.source], self.nodes[node_id], self.theme)
                self.wires[place] = wire
                self.wires_of[look.source].add(place)
                self.wires_of[node_id].add(place)
                self.scene.addItem(wire)

    def _remove_wire(self, place: WireKey) -> None:
        wire = self.wires.pop(place, None)
        if wire is not None:
            self.wires_of[wire.look.source].discard(place)
            self.wires_of[wire.look.target].discard(place)
            wire.delete()

    def _mark_feedback(self) -> None:
        closing = feedback_wires(self.session.workflow)
        for place, wire in self.wires.items():
            wire.is_feedback = place in closing

    def _mark_wired(self, node_ids: Iterable[str]) -> None:
        for node_id in node_ids:
            if node_id in self.nodes:
                ends: Set[PortKey] = set()
                for place in self.wires_of[node_id]:
                    look = self.wires[place].look
                    if look.target == node_id:
                        ends.add((IN, look.port))
                    if look.source == node_id:
                        ends.add((OUT, look.output))
                self.nodes[node_id].set_wired(frozenset(ends))

    def sync_groups(self) -> None:
        """Show the document's groups."""
        groups = self.session.workflow.groups
        while len(self.groups) > len(groups):
            self.scene.removeItem(self.groups.pop())
        for index, data in enumerate(groups):
            data = data if isinstance(data, Mapping) else {}
            if index < len(self.groups):
                self.groups[index].set_data(data)
            else:
                self.groups.append(GroupItem(index, data, self.theme))
                self.scene.addItem(self.groups[index])

    # Wires

    @property
    def wire_style(self) -> str:
        """``curved``, ``angled`` or ``straight``, as the document says."""
        style = self.session.workflow.view.get("wire_style", CURVED)
        return style if style in STYLES else CURVED

    def lay_wires(self, node_ids: Optional[Iterable[str]] = None) -> None:
        """Lay wires from where the nodes are now; of these nodes, or all."""
        style = self.wire_style
        places = self.wires if node_ids is None else {place for node_id in node_ids for place in self.wires_of[node_id]}
        chosen = [self.wires[place] for place in places]
        boxes = [item.card.getCoords() for item in self.nodes.values()]
        lanes = self._find_lanes(sorted((wire for wire in chosen if wire.is_feedback), key=_reach), boxes)
        for wire in chosen:
            wire.style = style
            wire.find_lane_back(boxes, lanes)
            wire.draw_path()

    def _find_lanes(self, feedback: Sequence[WireItem], boxes: Sequence[Box]) -> List[Lane]:
        lanes: List[Lane] = []
        ends: Dict[str, int] = defaultdict(int)
        for wire in feedback:
            source, target = wire.source, wire.target
            wire.spread = SPREAD * max(ends[source.look.id], ends[target.look.id])
            ends[source.look.id] += 1
            ends[target.look.id] += 1
            left, right = sorted((wire.end.x() - STUB - wire.spread, wire.start.x() + STUB + wire.spread))
            below = max(source.y() + source.geometry.height, target.y() + target.geometry.height)
            wire.lane = free_lane(left, right, below, boxes, lanes)
            lanes.append((left, right, wire.lane))
        return lanes

    # What validation knows

    def output_type(self, node_id: str, output: str) -> PortType:
        """The type of an output as far as it is known."""
        node = self.session.graph.nodes.get(node_id)
        if node is not None and output in node.outputs:
            return self.session.graph.output_type(node_id, output)
        port = self.nodes[node_id].look.port(output, OUT)
        return port.type if port is not None else ANY

    def refresh_knowledge(self) -> None:
        """Colours by what travels where, and badges for what is wrong."""
        problems: Dict[str, List[Any]] = defaultdict(list)
        for problem in self.session.problems:
            problems[problem.node_id].append(problem)
        types: Dict[str, Dict[PortKey, PortType]] = defaultdict(dict)
        for wire in self.wires.values():
            look = wire.look
            travelling = self.output_type(look.source, look.output)
            types[look.source][(OUT, look.output)] = travelling
            if self._takes_any(look.target, look.port):
                types[look.target][(IN, look.port)] = travelling
            wire.set_knowledge(travelling, [found for found in problems[look.target] if found.port == look.port])
        for node_id, item in self.nodes.items():
            item.set_problems(problems[node_id] if item.look.state != LOADING else [])
            item.set_resolved(types[node_id])

    def _takes_any(self, node_id: str, port: str) -> bool:
        look = self.nodes[node_id].look.port(port, IN)
        return look is not None and look.type == ANY

    # Looking

    def node_class(self, node_id: str) -> Optional[Type[Node]]:
        """The type of a node."""
        return self._classes.get(node_id)

    def document_key(self, node_id: str, port: str) -> str:
        """The name under which the document holds an input."""
        return input_key(self.session.workflow.nodes[node_id], self._classes.get(node_id), port)

    def bounds(self, node_ids: Optional[Iterable[str]] = None) -> QRectF:
        """The rectangle around these nodes; around everything, groups and wires included, where none are given."""
        rect = QRectF()
        for node_id in self.nodes if node_ids is None else node_ids:
            rect = rect.united(self.nodes[node_id].card)
        if node_ids is None:
            for group in self.groups:
                rect = rect.united(group.rect)
            for wire in self.wires.values():
                if wire.is_feedback:
                    rect = rect.united(wire.path().boundingRect())
        return rect

    def set_theme(self, theme: Theme) -> None:
        """Draw everything in other colours."""
        self.theme = theme
        themed: List[Any] = [*self.nodes.values(), *self.wires.values(), *self.groups]
        for item in themed:
            item.set_theme(theme)


def _reach(wire: WireItem) -> float:
    return float(abs(wire.start.x() - wire.end.x()))


def _may_wire(change: Change) -> bool:
    return len(change.path) == 2 or change.path[2] in ("inputs", "class_type")
