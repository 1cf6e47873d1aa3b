"""Nodes as text on the system clipboard."""

from __future__ import annotations

import json
import math
from typing import Any, Dict, Mapping, Tuple

NOTHING_TO_PASTE = "The clipboard holds no nodes; copy some first"


def write_nodes(data: Mapping[str, Any]) -> str:
    """Text of copied nodes (`app.document.edits.copy_nodes`)."""
    return json.dumps(data, indent=1, ensure_ascii=False)


def read_nodes(text: str) -> Dict[str, Any]:
    """Copied nodes from text.

    Raises:
        ValueError: The text holds no copied nodes, or damaged ones.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(NOTHING_TO_PASTE) from None
    nodes = data.get("nodes") if isinstance(data, dict) and data.get("dnne_nodes") == 1 else None
    if not isinstance(nodes, dict) or not nodes:
        raise ValueError(NOTHING_TO_PASTE)
    for node_id, node in nodes.items():
        if not _is_node(node):
            raise ValueError(f"The nodes on the clipboard are damaged (node {node_id!r}); nothing was pasted")
    groups = data.get("groups", [])
    if not isinstance(groups, list) or not all(_is_group(group) for group in groups):
        raise ValueError("The groups on the clipboard are damaged; nothing was pasted")
    return data


def _is_group(group: Any) -> bool:
    bounding = group.get("bounding") if isinstance(group, dict) else None
    return isinstance(bounding, list) and [_is_number(number) for number in bounding] == [True] * 4


def _is_number(number: Any) -> bool:
    return type(number) in (int, float) and math.isfinite(number)


def _is_node(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    position = node.get("position")
    return (
        isinstance(node.get("class_type"), str)
        and isinstance(node.get("title"), str)
        and isinstance(node.get("inputs"), dict)
        and isinstance(node.get("extra", {}), dict)
        and isinstance(position, list)
        and [_is_number(number) for number in position] == [True, True]
    )


def corner(data: Mapping[str, Any]) -> Tuple[float, float]:
    """Upper left corner of copied nodes."""
    positions = [node["position"] for node in data["nodes"].values()]
    return (min(x for x, _ in positions), min(y for _, y in positions))
