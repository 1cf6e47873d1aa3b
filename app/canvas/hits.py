"""What lies under a point of the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from PySide6.QtCore import QPointF, QRectF, Qt

from .graph_items import GraphItems
from .group_item import CORNER, GroupItem
from .looks import PortLook, WireKey
from .node_item import NodeItem
from .wire_item import WireItem

NOTHING, PORT, NODE, WIRE, GROUP = "nothing", "port", "node", "wire", "group"


@dataclass(frozen=True)
class Hit:
    """What is there.

    Attributes:
        kind: ``nothing``, ``port``, ``node``, ``wire`` or ``group``.
        node_id: Of a node, or of a port's node.
        port: The port.
        place: Of a wire, as `GraphItems.wires` names it.
        group: Index of a group.
        part: Of a group: ``title``, ``corner`` or ``inside``.
    """

    kind: str = NOTHING
    node_id: str = ""
    port: Optional[PortLook] = None
    place: WireKey = ("", "")
    group: int = -1
    part: str = ""


def hit(items: GraphItems, position: QPointF, zoom: float) -> Hit:
    """What lies at a scene position: the topmost node with its ports, a group's corner, the nearest wire, a group."""
    reach = 3.0 / zoom
    area = QRectF(position.x() - reach, position.y() - reach, 2 * reach, 2 * reach)
    found = items.scene.items(area, Qt.ItemSelectionMode.IntersectsItemBoundingRect, Qt.SortOrder.DescendingOrder)
    for item in found:
        on_node = _on_node(item, position, zoom) if isinstance(item, NodeItem) else None
        if on_node is not None:
            return on_node
    group = next((item for item in found if isinstance(item, GroupItem) and item.part_at(position)), None)
    wires = [
        item for item in found if isinstance(item, WireItem) and item.isVisible() and item.shape().intersects(area)
    ]
    if wires and (group is None or group.part_at(position) != CORNER):
        return Hit(WIRE, place=min(wires, key=lambda wire: wire.distance_to(position)).look.place)
    if group is not None:
        return Hit(GROUP, group=group.index, part=group.part_at(position) or "")
    return Hit()


def _on_node(item: NodeItem, position: QPointF, zoom: float) -> Optional[Hit]:
    port = item.port_at(position, zoom)
    if port is not None:
        return Hit(PORT, item.look.id, port)
    on_badge = bool(item.problems) and item.badge_rect().translated(item.pos()).contains(position)
    if on_badge or item.card.contains(position):
        return Hit(NODE, item.look.id)
    return None
