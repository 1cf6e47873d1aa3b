"""The wires of ComfyUI's form. What a node says of its own inputs and outputs counts more than slot numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Set

from .json_values import identity, is_index, item_at
from .notes import shown
from .source import SourceLink, SourceNode, SourceWorkflow

WIRE_KEYS = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
BY_HAND = "wire it by hand"

Entries = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class _Wire:
    """One entry of ``links``."""

    id: str
    source: str
    source_slot: Optional[int]
    target: str
    target_slot: Optional[int]
    type: Any


def read_wires(items: List[Any], entries: Entries, source: SourceWorkflow) -> None:
    """Give every node of ``source`` its wires."""
    reader = _WireReader(_wires_by_id(items, source), entries, source)
    for node in source.nodes.values():
        reader.read_inputs(node)
    reader.read_unclaimed()
    reader.note_dangling()


def _wires_by_id(items: List[Any], source: SourceWorkflow) -> Dict[str, _Wire]:
    wires: Dict[str, _Wire] = {}
    for index, item in enumerate(items):
        wire = _read_wire(item)
        if wire is None and item is not None:
            message = f"{shown(item)} is no link: expected [id, from node, from slot, to node, to slot, type]"
            source.note(None, f"links[{index}]", message, BY_HAND)
        elif wire is not None and wire.id in wires:
            message = f"a second link {wire.id}, from node {wire.source} to node {wire.target}, was left out"
            source.note(None, f"links[{index}]", message, BY_HAND)
        elif wire is not None:
            wires[wire.id] = wire
    return wires


def _read_wire(item: Any) -> Optional[_Wire]:
    if isinstance(item, dict):
        item = [item.get(key) for key in WIRE_KEYS]
    if not isinstance(item, list) or len(item) < 5:
        return None
    wire_id, source, target = identity(item[0]), identity(item[1]), identity(item[3])
    if wire_id is None or source is None or target is None:
        return None
    source_slot, target_slot = (slot if is_index(slot) else None for slot in (item[2], item[4]))
    return _Wire(wire_id, source, source_slot, target, target_slot, item_at(item, 5))


class _WireReader:
    """Finds both ends of every wire."""

    def __init__(self, wires: Dict[str, _Wire], entries: Entries, source: SourceWorkflow):
        self.wires = wires
        self.entries = entries
        self.source = source
        self.claimed: Set[str] = set()
        self.outputs = {
            wire_id: (node_id, slot)
            for node_id, entry in entries.items()
            for slot, output in enumerate(entry.get("outputs") or [])
            for wire_id in _wires_of(output)
        }

    def read_inputs(self, node: SourceNode) -> None:
        """Take the wires that the node's inputs name."""
        for index, item in enumerate(self.entries[node.id].get("inputs") or []):
            if not isinstance(item, dict):
                self.source.note(node, f"inputs[{index}]", f"{shown(item)} is no input and was left out")
            elif item.get("link") is not None:
                self._read_input(node, _input_name(node, item, index), item["link"])

    def _read_input(self, node: SourceNode, name: str, wire_id: Any) -> None:
        link = self._link(identity(wire_id))
        if link is None:
            message = f"it names the link {shown(wire_id)}, which the file does not have"
            self.source.note(node, name, message, BY_HAND)
        else:
            self.claimed.add(str(wire_id))
            self._add(node, name, link)

    def read_unclaimed(self) -> None:
        """Take the wires that no input names, by their slots."""
        for wire in self.wires.values():
            if wire.id in self.claimed:
                continue
            node, link = self.source.nodes.get(wire.target), self._link(wire.id)
            if node is None or link is None:
                message = f"it goes to node {wire.target}, which the file does not have"
                self.source.note(None, f"link {wire.id}", message, BY_HAND)
                continue
            name = self._free_input(node, wire)
            self.source.note(node, name, f"link {wire.id} is named by no input; its slot and type led here", "check it")
            self._add(node, name, link)

    def note_dangling(self) -> None:
        """Tell of wires that only an output names."""
        for wire_id, (node_id, slot) in self.outputs.items():
            if wire_id not in self.wires and wire_id not in self.claimed:
                message = f"the output names link {wire_id}, which leads nowhere"
                self.source.note(self.source.nodes[node_id], f"outputs[{slot}]", message, BY_HAND)

    def _link(self, wire_id: Optional[str]) -> Optional[SourceLink]:
        """The source of a wire: the output that names it, or else the slot."""
        if wire_id is None:
            return None
        wire = self.wires.get(wire_id)
        node_id, slot = self.outputs.get(wire_id, (None, None))
        if wire is not None and node_id != wire.source:
            node_id, slot = wire.source, wire.source_slot
        if node_id is None:
            return None
        output = item_at(self.entries.get(node_id, {}).get("outputs"), slot)
        name = output.get("name") if isinstance(output, dict) else None
        return SourceLink(node_id, slot, name if isinstance(name, str) else "", f"link {wire_id}")

    def _add(self, node: SourceNode, name: str, link: SourceLink) -> None:
        if name in node.links:
            message = f"{link.text} from node {link.source} is a second wire into it and was left out"
            self.source.note(node, name, message, "join both with an ORNode")
        else:
            node.links[name] = link

    def _free_input(self, node: SourceNode, wire: _Wire) -> str:
        """The input of the wire's slot, or the only free one of its type where the slot cannot be right."""
        inputs = self.entries[node.id].get("inputs") or []
        fitting = [
            index
            for index, item in enumerate(inputs)
            if isinstance(item, dict)
            and item.get("type") == wire.type
            and "widget" not in item
            and item.get("link") is None
            and _input_name(node, item, index) not in node.links
        ]
        slot = wire.target_slot
        if slot not in fitting and len(fitting) == 1:
            slot = fitting[0]
        item = item_at(inputs, slot)
        return _input_name(node, item if isinstance(item, dict) else {}, slot)


def _wires_of(output: Any) -> List[str]:
    links = output.get("links") if isinstance(output, dict) else None
    found = [identity(link) for link in links] if isinstance(links, list) else []
    return [link for link in found if link is not None]


def _input_name(node: SourceNode, item: Mapping[str, Any], index: Optional[int]) -> str:
    """The name of an input; a converted widget goes by the widget's name, a nameless input by its slot."""
    widget = item.get("widget")
    name = widget.get("name") if isinstance(widget, dict) else item.get("name")
    mapping = node.mapping
    if isinstance(name, str) and (name or (mapping is not None and mapping.input(name) is not None)):
        return name
    port = item_at(list(mapping.inputs), index) if mapping is not None else None
    return port.name if port is not None else f"slot_{index}"
