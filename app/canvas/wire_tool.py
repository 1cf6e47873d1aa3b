"""The tool that draws wires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Tuple

from PySide6.QtCore import QPointF, Qt

from runtime.constant_node import ConstantNode
from runtime.ports import ANY

from .canvas_base import CanvasBase
from .fitting import PortEnd, closeness, refusal, resolved_type
from .hits import NODE, PORT
from .looks import IN, OUT, PARAMETER, PortLook, WireKey
from .node_geometry import PortKey
from .node_item import NodeItem
from .viewer import Tool
from .wire_item import LiveWireItem

if TYPE_CHECKING:
    from .canvas import Canvas


class WireTool(Tool):
    """Draws a wire from a port, or takes an existing one off its input.

    Attributes:
        origin: The end that stays.
        unplugged: The wire that was taken off, if any.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, canvas: Canvas, origin: PortEnd, unplugged: Optional[WireKey] = None):
        self.canvas, self.origin, self.unplugged = canvas, origin, unplugged
        self.live = LiveWireItem(canvas.theme)
        canvas.items.scene.addItem(self.live)
        self.type = resolved_type(canvas.session.graph, origin)
        if unplugged is not None:
            canvas.items.wires[unplugged].setVisible(False)
        self._dim()

    # Preview

    def _dim(self) -> None:
        for node_id, item in self.canvas.items.nodes.items():
            faint = [key for key in item.all_ports if not self._may_end_at(node_id, item, key)]
            item.set_faint_ports(frozenset(faint))

    def _may_end_at(self, node_id: str, item: NodeItem, key: PortKey) -> bool:
        if (node_id, key) == (self.origin.node_id, (self.origin.port.side, self.origin.port.name)):
            return True
        port = item.look.port(key[1], key[0])
        assert port is not None
        return not self._refusal(node_id, port)

    def _refusal(self, node_id: str, port: PortLook) -> str:
        return refusal(self.canvas.session.graph, self.origin, end_at(self.canvas, node_id, port))

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """Follow the cursor; over a port that fits, end there."""
        node_id, port = self._target(position)
        reason = self._refusal(node_id, port) if port is not None else ""
        for item in self.canvas.items.nodes.values():
            hot = (port.side, port.name) if port is not None and item.look.id == node_id else None
            item.set_hot_port(hot)
        loose = position
        if port is not None and not reason:
            loose = self.canvas.items.nodes[node_id].port_place(port.side, port.name)
        fixed = self.canvas.items.nodes[self.origin.node_id].port_place(self.origin.port.side, self.origin.port.name)
        start, end = (fixed, loose) if self.origin.port.side == OUT else (loose, fixed)
        self.live.draw(start, end, self.canvas.items.wire_style, self.type, not reason)
        self._hint(position, node_id, port, reason)

    def _hint(self, position: QPointF, node_id: str, port: Optional[PortLook], reason: str) -> None:
        cursor = self.canvas.viewer.mapFromScene(position)
        if reason:
            self.canvas.hint.say(sentence(reason), cursor, is_error=True, lasting=True)
        elif port is not None:
            title = self.canvas.items.nodes[node_id].look.title
            self.canvas.hint.say(f"{title}.{port.name}  ·  {port.type.name}", cursor, lasting=True)
        else:
            self.canvas.hint.hide()

    # Where it ends

    def _target(self, position: QPointF) -> Tuple[str, Optional[PortLook]]:
        """Node and port under the cursor; on a card, the port of that row or the one that fits best."""
        hit = self.canvas.hit(position)
        if hit.kind == PORT:
            same = (hit.node_id, hit.port) == (self.origin.node_id, self.origin.port)
            return (hit.node_id, None if same else hit.port)
        if hit.kind != NODE or hit.node_id == self.origin.node_id:
            return ("", None)
        item = self.canvas.items.nodes[hit.node_id]
        row = item.port_of_row(position)
        if (
            row is not None
            and row.side != self.origin.port.side
            and not (self.sets_parameters and self._refusal(hit.node_id, row))
        ):
            return (hit.node_id, row)
        return (hit.node_id, self._best_port(item))

    def _best_port(self, item: NodeItem) -> Optional[PortLook]:
        wanted = item.look.inputs if self.origin.port.side == OUT else item.look.outputs
        fitting = [port for port in wanted if not self._refusal(item.look.id, port)]
        if self.sets_parameters:
            fitting = [port for port in fitting if self._closeness(port) > 1]
        free = [port for port in fitting if port.side == OUT or (IN, port.name) not in item.wired]
        return max(free or fitting, key=self._closeness, default=None)

    def _closeness(self, port: PortLook) -> int:
        if port.style == PARAMETER:
            return 0
        return closeness(self.type, port.type) if port.side == IN else closeness(port.type, self.type)

    @property
    def sets_parameters(self) -> bool:
        """True if the wire comes from a constant, which may be wired to parameters."""
        node_class = self.canvas.items.node_class(self.origin.node_id)
        return self.origin.port.side == OUT and node_class is not None and issubclass(node_class, ConstantNode)

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """Connect, unplug, or ask what to connect to."""
        hit, (node_id, port) = self.canvas.hit(position), self._target(position)
        self._end()
        if port is not None:
            self._connect(node_id, port, position)
        elif hit.kind == NODE and self.sets_parameters and hit.node_id != self.origin.node_id:
            self.canvas.offer_parameters(self.origin.node_id, self.origin.port.name, hit.node_id, position)
        elif self.unplugged is not None:
            if hit.kind not in (PORT, NODE):
                self.canvas.disconnect_wires([self.unplugged])
        elif hit.kind not in (PORT, NODE):
            self.canvas.search_for_wire(self.origin, self.type, position)
        elif hit.node_id != self.origin.node_id:
            title = self.canvas.items.nodes[hit.node_id].look.title
            self._refuse(f"{title} has no port that fits {self.type.name}", position)

    def _connect(self, node_id: str, port: PortLook, position: QPointF) -> None:
        reason = self._refusal(node_id, port)
        if reason:
            self._refuse(reason, position)
            return
        there, here = (node_id, port.name), (self.origin.node_id, self.origin.port.name)
        source, target = (here, there) if self.origin.port.side == OUT else (there, here)
        self.canvas.connect_ports(source, target, self.unplugged)

    def _refuse(self, reason: str, position: QPointF) -> None:
        self.canvas.session.message.emit(f"Not connected: {reason}")
        self.canvas.hint.say(sentence(reason), self.canvas.viewer.mapFromScene(position), is_error=True)

    def cancel(self) -> None:
        """As it was."""
        self._end()

    def _end(self) -> None:
        self.canvas.hint.hide()
        self.live.scene().removeItem(self.live)
        if self.unplugged in self.canvas.items.wires:
            self.canvas.items.wires[self.unplugged].setVisible(True)
        for item in self.canvas.items.nodes.values():
            item.set_faint_ports(None)
            item.set_hot_port(None)


def end_at(canvas: CanvasBase, node_id: str, port: PortLook) -> PortEnd:
    """A port as the end of a wire."""
    return PortEnd(node_id, canvas.items.nodes[node_id].look.title, port)


def sentence(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]


def start_wire(canvas: Canvas, node_id: str, port: PortLook) -> WireTool:
    """The tool for a press on a port: a new wire, or the one that ends there taken off."""
    if port.side == IN:
        for place in canvas.items.wires_of[node_id]:
            look = canvas.items.wires[place].look
            if look.target == node_id and look.port == port.name:
                output = canvas.items.nodes[look.source].look.port(look.output, OUT) or PortLook(look.output, OUT, ANY)
                return WireTool(canvas, end_at(canvas, look.source, output), place)
    return WireTool(canvas, end_at(canvas, node_id, port))
