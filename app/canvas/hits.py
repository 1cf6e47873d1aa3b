"""What lies under a point of the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from PySide6.QtCore import QPointF, QRectF, Qt

from .graph_items import GraphItems
from .group_item import GroupItem
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
    """The topmost thing at a scene position: nodes with their ports, then wires, then groups."""
    reach = 3.0 / zoom
    area = QRectF(position.x() - reach, position.y() - reach, 2 * reach, 2 * reach)
    found = items.scene.items(area, Qt.ItemSelectionMode.IntersectsItemBoundingRect, Qt.SortOrder.DescendingOrder)
    for item in found:
        if isinstance(item, NodeItem):
            result = _on_node(item, position, zoom)
        elif isinstance(item, WireItem):
            result = Hit(WIRE, place=item.look.place) if item.isVisible() and item.shape().intersects(area) else None
        elif isinstance(item, GroupItem):
            part = item.part_at(position)
            result = Hit(GROUP, group=item.index, part=part) if part is not None else None
        else:
            result = None
        if result is not None:
            return result
    return Hit()


def _on_node(item: NodeItem, position: QPointF, zoom: float) -> Optional[Hit]:
    port = item.port_at(position, zoom)
    if port is not None:
        return Hit(PORT, item.look.id, port)
    on_badge = bool(item.problems) and item.badge_rect().translated(item.pos()).contains(position)
    if on_badge or item.card.contains(position):
        return Hit(NODE, item.look.id)
    return None
