"""Sizes of a node and the places of its ports, in scene pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Callable, Dict, Iterable, Optional, Tuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF

from .looks import IN, OUT, NodeLook, PortLook
from .theme import font

TITLE_PIXELS, SUBTITLE_PIXELS, LABEL_PIXELS = 13, 10, 11
HEADER, ROW, BODY_MARGIN = 44.0, 20.0, 6.0
SIDE, LABEL_GAP, PORT_TO_LABEL = 14.0, 26.0, 13.0
NARROWEST, WIDEST = 150.0, 340.0
PORT_RADIUS = 5.5
GRAB_RADIUS = 12.0
REROUTE_RADIUS, REROUTE_PORT = 8.0, 5.0
PortKey = Tuple[str, str]


@dataclass
class NodeGeometry:
    """Where the parts of a node lie, in its own coordinates."""

    width: float
    height: float
    ports: Dict[PortKey, QPointF] = field(default_factory=dict)

    @property
    def rect(self) -> QRectF:
        """The visible card."""
        return QRectF(0.0, 0.0, self.width, self.height)

    def port_near(self, position: QPointF, reach: float) -> Optional[PortKey]:
        """The nearest port within ``reach``."""
        best, nearest = None, reach
        for key, place in self.ports.items():
            distance = math.hypot(place.x() - position.x(), place.y() - position.y())
            if distance <= nearest:
                best, nearest = key, distance
        return best

    def port_in_row(self, position: QPointF) -> Optional[PortKey]:
        """The port on whose row, and on whose half of the card, a point lies."""
        side = IN if position.x() < self.width / 2 else OUT
        for key, place in self.ports.items():
            if key[0] == side and abs(place.y() - position.y()) <= ROW / 2:
                return key
        return None


def measure(look: NodeLook) -> NodeGeometry:
    """Lay a node out."""
    if look.is_reroute:
        return _measure_reroute(look)
    width = math.ceil(min(max(_header_width(look), _rows_width(look), NARROWEST), WIDEST) / 10) * 10.0
    if look.collapsed:
        return _with_ports(look, NodeGeometry(width, HEADER), lambda row: HEADER / 2)
    rows = max(len(look.inputs), len(look.outputs))
    body = 2 * BODY_MARGIN + rows * ROW if rows else 0.0
    height = math.ceil((HEADER + body) / 10) * 10.0
    return _with_ports(look, NodeGeometry(width, height), lambda row: HEADER + BODY_MARGIN + (row + 0.5) * ROW)


def _with_ports(look: NodeLook, geometry: NodeGeometry, y_of_row: Callable[[int], float]) -> NodeGeometry:
    for ports, side, x in ((look.inputs, IN, 0.0), (look.outputs, OUT, geometry.width)):
        for row, port in enumerate(ports):
            geometry.ports[(side, port.name)] = QPointF(x, y_of_row(row))
    return geometry


def _measure_reroute(look: NodeLook) -> NodeGeometry:
    size = 2 * REROUTE_RADIUS
    geometry = NodeGeometry(size, size)
    for port in look.inputs:
        geometry.ports[(IN, port.name)] = QPointF(-REROUTE_PORT, REROUTE_RADIUS)
    for port in look.outputs:
        geometry.ports[(OUT, port.name)] = QPointF(size + REROUTE_PORT, REROUTE_RADIUS)
    return geometry


def _header_width(look: NodeLook) -> float:
    title = text_width(look.title, TITLE_PIXELS, True)
    subtitle = text_width(look.subtitle + look.note, SUBTITLE_PIXELS)
    return max(title, subtitle) + 2 * SIDE


def _rows_width(look: NodeLook) -> float:
    if look.collapsed:
        return 0.0
    widths = [0.0]
    for row in range(max(len(look.inputs), len(look.outputs))):
        left = _label_width(look.inputs[row : row + 1])
        right = _label_width(look.outputs[row : row + 1])
        widths.append(left + right + (LABEL_GAP if left and right else SIDE))
    return max(widths)


def _label_width(ports: Iterable[PortLook]) -> float:
    return sum(PORT_TO_LABEL + text_width(port.name, LABEL_PIXELS) for port in ports)


@lru_cache(maxsize=4096)
def text_width(text: str, pixels: int, bold: bool = False) -> float:
    """Width of a text on the canvas."""
    return QFontMetricsF(font(pixels, bold)).horizontalAdvance(text)
