"""A node on the canvas."""

from __future__ import annotations

from typing import Dict, FrozenSet, List, Optional

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from runtime.ports import PortType
from runtime.validation import Problem

from . import node_painting
from .looks import IN, OUT, NodeLook, PortLook
from .node_geometry import GRAB_RADIUS, REROUTE_RADIUS, NodeGeometry, PortKey, measure
from .nodegraph import AbstractNodeItem
from .theme import Theme

MARGIN = 16.0
Z_NODE, Z_SELECTED = 1.0, 2.0


class NodeItem(AbstractNodeItem):
    """Draws one node. All it knows comes from its look, the theme and the problems; it handles no events.

    Attributes:
        look: What is drawn.
        geometry: Where its parts lie.
        problems: What validation found.
        faint_ports: Ports that the wire being drawn does not fit; ``None`` while none is drawn.
        hot_port: The port under the cursor.
        wired: Ports with a wire.
        resolved: Types of ports that pass on what is wired to them.
        overlay: What a run shows on top of it.
    """

    def __init__(self, look: NodeLook, theme: Theme):
        super().__init__(look.title)
        self.setToolTip("")
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsMovable, False)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsSelectable)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.theme = theme
        self.problems: List[Problem] = []
        self.faint_ports: Optional[FrozenSet[PortKey]] = None
        self.hot_port: Optional[PortKey] = None
        self.wired: FrozenSet[PortKey] = frozenset()
        self.resolved: Dict[PortKey, PortType] = {}
        self.flash = 0.0
        self.overlay: Optional[QGraphicsItem] = None
        self.look = look
        self.geometry: NodeGeometry = measure(look)
        self._bounds = self.geometry.rect.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)

    def boundingRect(self) -> QRectF:  # noqa: N802
        """The card with room for ports, badge and glow."""
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: Optional[QWidget] = None) -> None:
        """Draw it, with less detail the further one is away."""
        detail = option.levelOfDetailFromTransform(painter.worldTransform())
        node_painting.paint(self, painter, detail)

    def set_look(self, look: NodeLook) -> None:
        """Draw another look from now on."""
        self.prepareGeometryChange()
        self.look = look
        self.geometry = measure(look)
        self._bounds = self.geometry.rect.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        self._properties["name"] = look.title
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.theme = theme
        self.update()

    def set_selected(self, selected: bool) -> None:
        """Show the node as selected, in front of the others."""
        if selected != self.isSelected():
            self.setSelected(selected)
            self.setZValue(Z_SELECTED if selected else Z_NODE)
            self.update()

    def set_problems(self, problems: List[Problem]) -> None:
        """Show a badge for what is wrong."""
        if problems != self.problems:
            self.problems = problems
            self.update()

    def set_wired(self, wired: FrozenSet[PortKey]) -> None:
        """Show which ports have a wire."""
        if wired != self.wired:
            self.wired = wired
            self.update()

    def set_resolved(self, types: Dict[PortKey, PortType]) -> None:
        """Colour ports that take any value by what is wired to them."""
        if types != self.resolved:
            self.resolved = types
            self.update()

    def port_type(self, port: PortLook) -> PortType:
        """What really travels through a port."""
        return self.resolved.get((port.side, port.name), port.type)

    def set_faint_ports(self, ports: Optional[FrozenSet[PortKey]]) -> None:
        """Dim the ports that do not fit the wire that is being drawn."""
        if ports != self.faint_ports:
            self.faint_ports = ports
            self.update()

    def set_hot_port(self, port: Optional[PortKey]) -> None:
        """Show the port under the cursor larger."""
        if port != self.hot_port:
            self.hot_port = port
            self.update()

    def set_flash(self, strength: float) -> None:
        """A halo from 1 to 0, to catch the eye."""
        self.flash = strength
        self.update()

    # Where things are

    @property
    def card(self) -> QRectF:
        """The visible card in scene coordinates."""
        return self.geometry.rect.translated(self.pos())

    @property
    def anchor(self) -> QPointF:
        """The point that is put on the grid: the upper left corner, or the middle of a reroute dot."""
        return self.card.center() if self.look.is_reroute else self.pos()

    def port_place(self, side: str, name: str) -> QPointF:
        """Where the wire of a port ends, in scene coordinates; at the card's edge where there is no such port."""
        if self.look.is_reroute:
            return self.card.center()
        place = self.geometry.ports.get((side, name))
        if place is None:
            x = 0.0 if side == IN else self.geometry.width
            place = QPointF(x, self.geometry.height / 2)
        return place + self.pos()

    def port_at(self, scene_position: QPointF, zoom: float = 1.0) -> Optional[PortLook]:
        """The port at a point; the reach grows a little where the canvas is zoomed out."""
        reach = GRAB_RADIUS * min(max(1.0, 0.8 / zoom), 2.0)
        if self.look.is_reroute:
            reach = REROUTE_RADIUS
        key = self.geometry.port_near(scene_position - self.pos(), reach)
        return self.look.port(key[1], key[0]) if key is not None else None

    def port_of_row(self, scene_position: QPointF) -> Optional[PortLook]:
        """The port on whose row a point inside the card lies."""
        key = self.geometry.port_in_row(scene_position - self.pos())
        return self.look.port(key[1], key[0]) if key is not None else None

    def badge_rect(self) -> QRectF:
        """The problem badge, in its own coordinates."""
        return node_painting.badge_rect(self.geometry)

    @property
    def all_ports(self) -> List[PortKey]:
        """Keys of all ports."""
        return [(IN, port.name) for port in self.look.inputs] + [(OUT, port.name) for port in self.look.outputs]
