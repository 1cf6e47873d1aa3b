"""What the canvas says about the thing under the cursor."""

from __future__ import annotations

from .graph_items import GraphItems
from .hits import NODE, PORT, WIRE, Hit
from .looks import IN, MISSING, OUT, PARAMETER, PortLook
from .node_painting import problem_text

KINDS = {"held": "keeps its last value", "trigger": "trigger", PARAMETER: "sets a parameter"}


def describe(items: GraphItems, hit: Hit) -> str:
    """A few lines on a wire, a port, or the problems of a node; empty where there is nothing to say."""
    if hit.kind == WIRE and hit.place in items.wires:
        return _wire(items, hit)
    if hit.kind == PORT and hit.port is not None and hit.node_id in items.nodes:
        return _port(items, hit.node_id, hit.port)
    if hit.kind == NODE and hit.node_id in items.nodes:
        return _node(items, hit.node_id)
    return ""


def _wire(items: GraphItems, hit: Hit) -> str:
    wire = items.wires[hit.place]
    look = wire.look
    ends = f"{wire.source.look.title}.{look.output} → {wire.target.look.title}.{look.port}"
    lines = [ends, _value(items, look.source, look.output)]
    if wire.problems:
        lines.append(problem_text(wire.problems))
    return "\n".join(lines)


def _value(items: GraphItems, node_id: str, output: str) -> str:
    """Type, and dtype and shape where they are known: ``Observations  float32 (64, 4)``."""
    spec = items.session.graph.specs.get((node_id, output))
    shape = spec.text if spec is not None else ""
    return f"{items.output_type(node_id, output).name}  {shape}".strip()


def _port(items: GraphItems, node_id: str, port: PortLook) -> str:
    item = items.nodes[node_id]
    notes = [KINDS[port.style]] if port.style in KINDS else []
    if port.side == IN and port.optional:
        notes.append("optional")
    aside = f"  ({', '.join(notes)})" if notes else ""
    value = _value(items, node_id, port.name) if port.side == OUT else item.port_type(port).name
    lines = [f"{port.name}: {value}{aside}", port.doc]
    if port.stray:
        lines = [f"{port.name}: this node type has no such port"]
    lines.append(problem_text([found for found in item.problems if found.port == port.name]))
    return "\n".join(line for line in lines if line)


def _node(items: GraphItems, node_id: str) -> str:
    item = items.nodes[node_id]
    lines = []
    if item.look.state == MISSING:
        lines.append("This node type is missing; saving keeps the node as it is")
    lines.append(problem_text(item.problems))
    return "\n".join(line for line in lines if line)
