"""A node that is dropped onto a wire goes between its ends."""

from __future__ import annotations

from typing import Any, Iterable, List, Optional, Tuple, Type

from PySide6.QtCore import QPointF, QRectF

from runtime.node import Node
from runtime.ports import ANY, PortType

from ..document import Change, edits
from .canvas_base import CanvasBase
from .fitting import fitting_port
from .looks import IN, OUT, WireKey
from .wire_item import WireItem

SIDE, UPPER = 16.0, 6.0


def wire_below(canvas: CanvasBase, node_class: Optional[Type[Node]], card: QRectF) -> Optional[WireKey]:
    """The wire under a card, the nearest to its middle, into which a node of this type fits."""
    if node_class is None:
        return None
    area = card.adjusted(SIDE, UPPER, -SIDE, -UPPER) if card.width() > 2 * SIDE else card
    near: Iterable[Any] = canvas.items.scene.items(card)
    wires: List[WireItem] = [item for item in near if isinstance(item, WireItem) and item.shape().intersects(area)]
    fitting = [wire for wire in wires if ports_between(canvas, node_class, wire.look.place) is not None]
    return min(fitting, key=lambda wire: wire.distance_to(card.center())).look.place if fitting else None


def ports_between(canvas: CanvasBase, node_class: Type[Node], place: WireKey) -> Optional[Tuple[str, str]]:
    """Input and output by which a node fits into a wire; ``None`` where it does not."""
    wire = canvas.items.wires[place]
    taken = wire.target.look.port(wire.look.port, IN)
    taken_type: PortType = taken.type if taken is not None else ANY
    given = fitting_port(node_class, IN, wire.type)
    gives = fitting_port(node_class, OUT, taken_type)
    return (given[0], gives[0]) if given is not None and gives is not None else None


def insertion(canvas: CanvasBase, node_id: str, node_class: Type[Node], place: WireKey) -> List[Change]:
    """Changes that lead a wire through a node."""
    ports = ports_between(canvas, node_class, place)
    assert ports is not None, "the wire was chosen because the node fits"
    look = canvas.items.wires[place].look
    first = edits.connect((look.source, look.output), (node_id, ports[0]))
    return first + edits.connect((node_id, ports[1]), place)


def wire_below_point(canvas: CanvasBase, node_class: Optional[Type[Node]], position: QPointF) -> Optional[WireKey]:
    """The wire near a point into which a node of this type fits."""
    return wire_below(canvas, node_class, QRectF(position - QPointF(8, 8), position + QPointF(8, 8)))
