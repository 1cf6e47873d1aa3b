"""Which ports may be wired to which, and why not. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, List, Optional, Tuple, Type

from runtime.graph import Graph
from runtime.node import Node
from runtime.ports import ANY, PortType

from .looks import IN, OUT, PARAMETER, PortLook


@dataclass(frozen=True)
class PortEnd:
    """One end of a wire that is being drawn."""

    node_id: str
    title: str
    port: PortLook


def resolved_type(graph: Graph, end: PortEnd) -> PortType:
    """The type of an end; that of an output which passes an input through is the type of what is wired there."""
    node = graph.nodes.get(end.node_id)
    if end.port.side == OUT and node is not None and end.port.name in node.outputs:
        return graph.output_type(end.node_id, end.port.name)
    return end.port.type


def refusal(graph: Graph, first: PortEnd, second: PortEnd) -> str:
    """Why two ports cannot be wired; empty if they can."""
    if first.port.side == second.port.side:
        kind = "inputs" if first.port.side == IN else "outputs"
        return f"both are {kind}: a wire runs from an output to an input"
    source, target = (first, second) if first.port.side == OUT else (second, first)
    if target.port.stray:
        return f"{target.title} has no input {target.port.name!r}"
    if target.port.style == PARAMETER:
        return ""
    given, taken = resolved_type(graph, source), target.port.type
    if given.fits(taken):
        return ""
    return (
        f"{given.name} does not fit {taken.name}: {target.title}.{target.port.name} takes {taken.name}, "
        f"{source.title}.{source.port.name} gives {given.name}"
    )


def closeness(given: PortType, taken: PortType) -> int:
    """How well an output fits an input: 3 same type, 2 related, 1 anything goes, 0 not at all."""
    if given == taken:
        return 3
    if not given.fits(taken):
        return 0
    return 1 if ANY in (given, taken) else 2


def fitting_port(node_class: Type[Node], side: str, type: PortType) -> Optional[Tuple[str, int]]:
    """The best port of a node type for a wire of this type, with its closeness; ``None`` if none fits.

    Args:
        node_class: The node type.
        side: ``in`` if the wire comes from an output, so that it needs an input.
        type: What travels through the wire.
    """
    ports: Iterable[Tuple[str, Any]] = (node_class.inputs if side == IN else node_class.outputs).items()
    ranked: List[Tuple[str, int]] = []
    for name, port in ports:
        close = closeness(type, port.type) if side == IN else closeness(port.type, type)
        if close:
            ranked.append((name, close))
    return max(ranked, key=lambda item: item[1], default=None)
