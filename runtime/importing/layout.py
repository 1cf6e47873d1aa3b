"""Places for nodes whose file gives none."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Set, Tuple

from .source import SourceWorkflow

COLUMN_WIDTH = 320.0
ROW_HEIGHT = 240.0


def place_nodes(source: SourceWorkflow) -> None:
    """Give nodes without a position one, in columns along the wires; wires that close a ring count for nothing."""
    if all(node.position is not None for node in source.nodes.values()):
        return
    columns = _columns(source)
    rows: Dict[int, int] = {}
    for node in source.nodes.values():
        column = columns[node.id]
        if node.position is None:
            node.position = (column * COLUMN_WIDTH, rows.get(column, 0) * ROW_HEIGHT)
        rows[column] = rows.get(column, 0) + 1


def _columns(source: SourceWorkflow) -> Dict[str, int]:
    """Column of every node: one more than the furthest node that feeds it."""
    feeds: Dict[str, List[str]] = {node_id: [] for node_id in source.nodes}
    for node in source.nodes.values():
        for link in node.links.values():
            if link.source in feeds:
                feeds[link.source].append(node.id)
    columns = dict.fromkeys(feeds, 0)
    passed: Set[str] = set()
    for node_id in _feeding_first(feeds):
        passed.add(node_id)
        for fed in feeds[node_id]:
            if fed not in passed:
                columns[fed] = max(columns[fed], columns[node_id] + 1)
    return columns


def _feeding_first(feeds: Mapping[str, List[str]]) -> List[str]:
    """All nodes, each before those that it feeds, as far as rings allow (reversed order of leaving a deep search)."""
    left: List[str] = []
    seen: Set[str] = set()
    for start in feeds:
        if start in seen:
            continue
        seen.add(start)
        stack: List[Tuple[str, Iterator[str]]] = [(start, iter(feeds[start]))]
        while stack:
            following = stack[-1][1]
            fed = next((item for item in following if item not in seen), None)
            if fed is None:
                left.append(stack.pop()[0])
            else:
                seen.add(fed)
                stack.append((fed, iter(feeds[fed])))
    return left[::-1]
