"""Muted nodes: left out of a run, with their inputs passed through to where their outputs went."""

from __future__ import annotations

from typing import Dict, List, Optional, Set, Tuple

from .graph import Graph
from .ports import TRIGGERED
from .scheduler.machine import Link

MUTED = "muted"



def bypass(graph: Graph, muted: Set[str]) -> List[Link]:
    """Take muted nodes out of a graph.

    An output is replaced by the node's first wired input whose type fits it, of the same name first.

    Returns:
        Wires from muted nodes for which no input can stand in; they are gone.
    """
    sources: Dict[Tuple[str, str], Optional[Link]] = {}
    for node_id in muted:
        for port in graph.nodes[node_id].outputs:
            sources[(node_id, port)] = _stand_in(graph, node_id, port)
    kept, gaps = [], []
    for link in graph.links:
        if link.target in muted:
            continue
        source = _follow(link, sources, muted)
        if source is None:
            gaps.append(link)
        else:
            kept.append(Link(source.source, source.source_port, link.target, link.target_port))
    graph.links = kept
    for node_id in muted:
        del graph.nodes[node_id]
    return gaps


def _stand_in(graph: Graph, node_id: str, port: str) -> Optional[Link]:
    node = graph.nodes[node_id]
    wired = [link for link in graph.links if link.target == node_id and node.inputs[link.target_port].kind != TRIGGERED]
    order = list(node.inputs)
    wired.sort(key=lambda link: (link.target_port != port, order.index(link.target_port)))
    output = graph.output_type(node_id, port)
    fitting = (link for link in wired if graph.output_type(link.source, link.source_port).is_a(output))
    loose = (link for link in wired if graph.output_type(link.source, link.source_port).fits(output))
    return next(fitting, None) or next(loose, None)


def _follow(link: Link, sources: Dict[Tuple[str, str], Optional[Link]], muted: Set[str]) -> Optional[Link]:
    """The wire that really feeds a link, behind any row of muted nodes."""
    current: Optional[Link] = link
    for _ in range(len(muted) + 1):
        if current is None or current.source not in muted:
            return current
        current = sources[(current.source, current.source_port)]
    return None
