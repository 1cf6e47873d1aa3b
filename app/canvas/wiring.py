"""Wires, nodes and groups by the keyboard: step through them, and connect from a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, List, Optional, Sequence, Tuple, TypeVar

from runtime.constant_node import ConstantNode

from .canvas_base import LOCKED_MESSAGE
from .fitting import PortEnd, closeness, refusal, resolved_type
from .looks import IN, PARAMETER, PortLook, WireKey
from .search_popup import SearchEntry
from .searching import Searching
from .wire_tool import end_at

End = Tuple[str, str]
Item = TypeVar("Item")
FREE_FIRST = 10


@dataclass(frozen=True)
class WireEntry(SearchEntry):
    """A wire that could be drawn, in the list of the search."""

    source: End = ("", "")
    target: End = ("", "")


class Wiring(Searching):
    """What the mouse does with wires, for those who use the keyboard."""

    # Connecting

    def connect_selection(self) -> None:
        """Choose one of all wires that fit the selected nodes; between them, where two or more are selected."""
        if self.locked:
            self.session.message.emit(LOCKED_MESSAGE)
            return
        entries = self.possible_wires(self.selection)
        if not entries:
            self.session.message.emit("Nothing fits the ports of what is selected")
            return
        title = self.items.nodes[self.selection[0]].look.title
        prompt = f"Connect {title}" if len(self.selection) == 1 else "Connect the selected nodes"
        place = self.items.bounds(self.selection).center()
        self.open_list(entries, place, prompt)

    def possible_wires(self, node_ids: Sequence[str]) -> List[WireEntry]:
        """All wires that could be drawn from and to a node, or among several; those that exist are left out."""
        chosen = set(node_ids)
        others = chosen if len(chosen) > 1 else set(self.items.nodes)
        pairs = [(first, second) for first in chosen for second in others if first != second]
        both = dict.fromkeys([*pairs, *((second, first) for first, second in pairs)])
        found = []
        for source, target in both:
            for output in self.items.nodes[source].look.outputs:
                found += self._wires_from(end_at(self, source, output), target, chosen)
        return found

    def _wires_from(self, source: PortEnd, target_id: str, chosen: Iterable[str]) -> List[WireEntry]:
        graph, item = self.session.graph, self.items.nodes[target_id]
        travelling = resolved_type(graph, source)
        found = []
        for port in (*item.look.inputs, *self._settable(source.node_id, target_id)):
            there = end_at(self, target_id, port)
            if refusal(graph, source, there) or self._is_wired(source, target_id, port):
                continue
            free = (IN, port.name) not in item.wired
            rank = -1 if port.style == PARAMETER else closeness(travelling, port.type) + (FREE_FIRST if free else 0)
            doc = f"{travelling.name}" + ("" if free else ", in the place of the wire that ends there")
            other = target_id if source.node_id in chosen else source.node_id
            found.append(
                WireEntry(
                    "",
                    f"{source.title}.{source.port.name} → {item.look.title}.{port.name}",
                    self.items.nodes[other].look.category,
                    doc,
                    closeness=rank,
                    source=(source.node_id, source.port.name),
                    target=(target_id, port.name),
                )
            )
        return found

    def _settable(self, source: str, target: str) -> List[PortLook]:
        """Parameters of a node, if the source is a constant."""
        source_class, target_class = self.items.node_class(source), self.items.node_class(target)
        if source_class is None or target_class is None or not issubclass(source_class, ConstantNode):
            return []
        return [
            PortLook(name, IN, style=PARAMETER, optional=True, doc=declared.doc)
            for name, declared in target_class.parameters.items()
        ]

    def _is_wired(self, source: PortEnd, target: str, port: PortLook) -> bool:
        wire = self.items.wires.get((target, self.items.document_key(target, port.name)))
        return wire is not None and (wire.look.source, wire.look.output) == (source.node_id, source.port.name)

    def _add_chosen(self, entry: SearchEntry) -> None:
        if isinstance(entry, WireEntry):
            self.connect_ports(entry.source, entry.target)
        else:
            super()._add_chosen(entry)

    # Stepping

    def select_next_wire(self) -> None:
        """Select the next wire of the node that is, or last was, selected; of the whole graph where there is none."""
        current = next(iter(self.active_wires), None)
        home = self.selection or ([self._wire_home] if current is not None and self._wire_home else [])
        places = sorted({place for node_id in home for place in self.items.wires_of.get(node_id, ())}, key=self._order)
        if not places:
            home, places = [], sorted(self.items.wires, key=self._order)
        if not places:
            self.session.message.emit("There are no wires")
            return
        place = _next(places, current, 1)
        self.session.select([])
        self._wire_home = home[0] if home else ""
        self.select_wires([place])
        look = self.items.wires[place].look
        ends = [self.items.nodes[node_id].look.title for node_id in (look.source, look.target)]
        self.session.message.emit(f"Wire {ends[0]}.{look.output} → {ends[1]}.{look.port}")

    _wire_home = ""

    def _order(self, place: WireKey) -> Tuple[float, float]:
        middle = self.items.wires[place].middle
        return (middle.x(), middle.y())

    def select_next_node(self) -> None:
        """Select the next node, from left to right."""
        self._step_node(1)

    def select_previous_node(self) -> None:
        """Select the node before."""
        self._step_node(-1)

    def _step_node(self, step: int) -> None:
        nodes = sorted(self.items.nodes, key=lambda node_id: self.items.nodes[node_id].pos().toTuple())
        if nodes:
            current = self.selection[-1] if self.selection else None
            node_id = _next(nodes, current, step)
            self.select_nodes([node_id])
            self.viewer.ensure_seen(self.items.nodes[node_id].card)

    def select_next_group(self) -> None:
        """Select the next group: the menu key shows what can be done with it."""
        if not self.items.groups:
            self.session.message.emit("There are no groups")
            return
        index = _next(list(range(len(self.items.groups))), self.active_group, 1)
        self.select_nodes([])
        self.select_group(index)
        self.viewer.ensure_seen(self.items.groups[index].rect)
        self.session.message.emit(f"Group {self.items.groups[index].title}")

    # Doing

    def reroute_selected_wires(self) -> None:
        """Put a dot into the middle of each selected wire."""
        chosen = [place for place in self.active_wires if place in self.items.wires]
        if not chosen:
            self.session.message.emit("Select a wire first: click on one, or press W")
        for place in chosen:
            self.add_reroute(place, self.items.wires[place].middle)

    def label_selected_wire(self) -> None:
        """Type a text onto the selected wire."""
        chosen = [place for place in self.active_wires if place in self.items.wires]
        if self.locked or not chosen:
            self.session.message.emit(
                LOCKED_MESSAGE if self.locked else "Select a wire first: click on one, or press W"
            )
        else:
            self.ask_wire_label(chosen[0])

    def ask_wire_label(self, place: WireKey) -> None:
        """Type a text onto a wire."""
        raise NotImplementedError


def _next(items: Sequence[Item], current: Optional[Item], step: int) -> Item:
    if current not in items:
        return items[0 if step > 0 else -1]
    return items[(items.index(current) + step) % len(items)]  # type: ignore[arg-type]
