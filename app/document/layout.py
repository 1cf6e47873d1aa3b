"""Arranges nodes in columns from left to right; wires that close a cycle do not count.

Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system structures": layers by longest
path, then the order within a layer by the mean place of the neighbours.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Tuple

from runtime.workflow import Workflow

from .edits import feedback_wires, wires

GAP_ACROSS, GAP_DOWN = 80.0, 40.0
SWEEPS = 4


def arrange(workflow: Workflow, sizes: Mapping[str, Tuple[float, float]]) -> Dict[str, Tuple[float, float]]:
    """A place for every node, so that wires run from left to right and nodes do not overlap.

    Args:
        workflow: Nodes and wires.
        sizes: Width and height of every node.
    """
    closing = feedback_wires(workflow)
    forward = [(source, target) for source, _, target, port in wires(workflow) if (target, port) not in closing]
    layers = _layers(list(workflow.nodes), forward)
    for _ in range(SWEEPS):
        _order(layers, forward)
    return _places(layers, sizes)


def _layers(nodes: List[str], forward: List[Tuple[str, str]]) -> List[List[str]]:
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        settled = True
        for source, target in forward:
            if depth[target] <= depth[source]:
                depth[target], settled = depth[source] + 1, False
        if settled:
            break
    layers: List[List[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node_id in nodes:
        layers[depth[node_id]].append(node_id)
    return layers


def _order(layers: List[List[str]], forward: List[Tuple[str, str]]) -> None:
    neighbours: Dict[str, List[str]] = {}
    for source, target in forward:
        neighbours.setdefault(target, []).append(source)
        neighbours.setdefault(source, []).append(target)
    for layer in layers:
        place = {node_id: index / max(1, len(row)) for row in layers for index, node_id in enumerate(row)}
        means = {
            node_id: sum(place[other] for other in neighbours[node_id]) / len(neighbours[node_id])
            if node_id in neighbours
            else place[node_id]
            for node_id in layer
        }
        layer.sort(key=lambda node_id: means[node_id])


def _places(layers: List[List[str]], sizes: Mapping[str, Tuple[float, float]]) -> Dict[str, Tuple[float, float]]:
    heights = [sum(sizes[node_id][1] for node_id in layer) + GAP_DOWN * (len(layer) - 1) for layer in layers]
    tallest, places, x = max(heights, default=0.0), {}, 0.0
    for layer, height in zip(layers, heights):
        y = (tallest - height) / 2
        for node_id in layer:
            places[node_id] = (x, y)
            y += sizes[node_id][1] + GAP_DOWN
        x += max(sizes[node_id][0] for node_id in layer) + GAP_ACROSS
    return places
