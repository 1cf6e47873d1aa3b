"""What lies inside a group."""

from __future__ import annotations

from typing import Set

from .canvas_base import CanvasBase
from .group_item import GroupItem


def contents_of(canvas: CanvasBase, group: GroupItem) -> Set[str]:
    """Ids of the nodes that lie inside a group."""
    return {node_id for node_id, item in canvas.items.nodes.items() if group.rect.contains(item.card)}


def groups_within(canvas: CanvasBase, group: GroupItem) -> Set[int]:
    """Indices of a group and of those that lie inside it."""
    return {other.index for other in canvas.items.groups if other is group or group.rect.contains(other.rect)}
