"""Nodes whose outputs another node gives now: their wires move there."""

from __future__ import annotations

from typing import List, Optional

from .source import SourceLink, SourceNode, SourceWorkflow


def take_rewards_from_step(source: SourceWorkflow) -> None:
    """Wire what read a reward node to the step node that fed it; the reward node itself stays as a placeholder."""
    for node in source.nodes.values():
        if node.mapping is not None and node.mapping.given_by:
            giver = _giver(node, source)
            for reader in source.nodes.values():
                if reader.mapping is not None and not reader.mapping.kept:
                    _move_wires(reader, node, giver, source)


def _move_wires(reader: SourceNode, node: SourceNode, giver: Optional[SourceNode], source: SourceWorkflow) -> None:
    assert node.mapping is not None
    present = dict(node.mapping.given_by)
    for name, link in reader.links.items():
        output = node.mapping.output(link.port, link.slot) if link.source == node.id else None
        if output is None or output.name not in present:
            continue
        came = f"{link.text} came from {output.name} of node {node.id} ({node.type})"
        if giver is None:
            message = f"{came}, which has no counterpart: {node.mapping.kept}"
            source.note(reader, name, message, f"wire it to {present[output.name]} of the step node")
        else:
            reader.links[name] = SourceLink(giver.id, None, present[output.name], link.text)
            message = f"{came}; it is wired to {present[output.name]} of node {giver.id} now: {node.mapping.kept}"
            source.note(reader, name, message)


def _giver(node: SourceNode, source: SourceWorkflow) -> Optional[SourceNode]:
    """The nearest node upstream that gives the same now, or the only one of the file."""
    assert node.mapping is not None
    wanted = node.mapping.given_by_type
    waiting: List[SourceNode] = [node]
    seen = {node.id}
    while waiting:
        reached = waiting.pop(0)
        if reached.mapping is not None and reached.mapping.class_type == wanted:
            return reached
        for link in reached.links.values():
            feeder = source.nodes.get(link.source)
            if feeder is not None and feeder.id not in seen:
                seen.add(feeder.id)
                waiting.append(feeder)
    found = [other for other in source.nodes.values() if other.mapping and other.mapping.class_type == wanted]
    return found[0] if len(found) == 1 else None
