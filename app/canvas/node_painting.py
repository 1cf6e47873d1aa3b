"""How a node looks."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Optional

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from runtime.ports import HELD, TRIGGERED
from runtime.validation import ERROR, Problem

from .looks import IN, LOADING, MISSING, OUT, PARAMETER, PortLook
from .node_geometry import (
    HEADER,
    LABEL_PIXELS,
    PORT_RADIUS,
    PORT_TO_LABEL,
    ROW,
    SIDE,
    SUBTITLE_PIXELS,
    TITLE_PIXELS,
    NodeGeometry,
    text_width,
)
from .theme import blend, font

if TYPE_CHECKING:
    from .node_item import NodeItem

RADIUS = 8.0
FULL_DETAIL, LABEL_DETAIL, SOME_DETAIL, LEAST_DETAIL = 0.8, 0.55, 0.3, 0.1
BADGE, READABLE_PIXELS = 18.0, 11.0
SMALLEST_LABEL, LARGEST_LABEL, BETWEEN_LABELS = 9.5, 15.0, 6.0


def paint(item: NodeItem, painter: QPainter, detail: float) -> None:
    """Draw a node for a zoom of ``detail``."""
    if item.look.is_reroute:
        _paint_reroute(item, painter)
    elif detail < SOME_DETAIL:
        _paint_far(item, painter, detail)
    else:
        _paint_card(item, painter, detail)


def _paint_card(item: NodeItem, painter: QPainter, detail: float) -> None:
    painter.setOpacity(0.5 if item.look.muted else 1.0)
    near = detail >= FULL_DETAIL
    if detail >= LABEL_DETAIL:
        _paint_shadow(item, painter)
    _paint_body(item, painter)
    _paint_title(item, painter, near, detail)
    pixels = _label_pixels(detail) if detail >= LABEL_DETAIL and not item.look.collapsed else 0
    for port in item.look.inputs + item.look.outputs:
        _paint_port(item, painter, port, pixels)
    painter.setOpacity(1.0)
    if item.problems:
        _paint_badge(item, painter)


def _paint_far(item: NodeItem, painter: QPainter, detail: float) -> None:
    """A plain card with a title that stays readable."""
    theme, rect = item.theme, item.geometry.rect
    painter.setOpacity(0.5 if item.look.muted else 1.0)
    fill = theme.header(item.look.category) if item.look.state != MISSING else blend(theme.node, theme.error, 0.25)
    painter.fillRect(rect, fill)
    outline = _outline(item)
    if outline is not None:
        outline.setCosmetic(True)
        painter.setPen(outline)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect)
    painter.setOpacity(1.0)
    if item.problems:
        size = min(rect.width(), 8.0 / detail)
        painter.fillRect(QRectF(rect.right() - size, rect.top(), size, size), theme.severity(_worst(item)))
    if detail >= LEAST_DETAIL:
        pixels = round(min(READABLE_PIXELS / detail, rect.height() * 0.5))
        painter.setFont(font(pixels, True))
        painter.setPen(theme.text)
        title = _elided(item.look.title, pixels, rect.width() - 12, True)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, title)


def _paint_shadow(item: NodeItem, painter: QPainter) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    depth = 26 if item.theme.is_dark else 12
    for spread in (1.0, 3.0, 5.0):
        painter.setBrush(QColor(0, 0, 0, depth))
        rect = item.geometry.rect.adjusted(-spread, -spread + 2, spread, spread + 2)
        painter.drawRoundedRect(rect, RADIUS + spread, RADIUS + spread)


def _paint_body(item: NodeItem, painter: QPainter) -> None:
    theme, rect = item.theme, item.geometry.rect
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.node)
    painter.drawRoundedRect(rect, RADIUS, RADIUS)
    painter.setBrush(_header_brush(item))
    painter.drawPath(_header_path(rect.width(), rect.height()))
    if item.flash:
        halo = QColor(theme.accent)
        halo.setAlphaF(item.flash)
        painter.setPen(QPen(halo, 6.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(-5, -5, 5, 5), RADIUS + 4, RADIUS + 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_outline(item) or QPen(theme.node_border, 1.0))
    painter.drawRoundedRect(rect, RADIUS, RADIUS)


def _header_brush(item: NodeItem) -> QBrush:
    theme = item.theme
    if item.look.state == MISSING:
        return QBrush(blend(theme.node, theme.error, 0.3))
    if item.look.state == LOADING:
        return QBrush(blend(theme.node, theme.node_border, 0.5))
    return QBrush(theme.header(item.look.category))


def _outline(item: NodeItem) -> Optional[QPen]:
    if item.isSelected():
        return QPen(item.theme.accent, 2.2)
    if item.look.state == MISSING:
        return QPen(item.theme.error, 1.4, Qt.PenStyle.DashLine)
    if item.look.muted:
        return QPen(item.theme.dim_text, 1.4, Qt.PenStyle.DashLine)
    return None


@lru_cache(maxsize=256)
def _header_path(width: float, height: float) -> QPainterPath:
    whole, lower = QPainterPath(), QPainterPath()
    whole.addRoundedRect(QRectF(0, 0, width, height), RADIUS, RADIUS)
    if height <= HEADER:
        return whole
    lower.addRect(QRectF(0, HEADER, width, height))
    return whole.subtracted(lower)


def _paint_title(item: NodeItem, painter: QPainter, near: bool, detail: float) -> None:
    theme, room = item.theme, item.geometry.width - 2 * SIDE
    painter.setPen(theme.text)
    if not near:
        pixels = round(min(max(TITLE_PIXELS, READABLE_PIXELS / detail), HEADER / 2))
        painter.setFont(font(pixels, True))
        rect = QRectF(SIDE, 0.0, room, HEADER)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, _elided(item.look.title, pixels, room, True))
        return
    painter.setFont(font(TITLE_PIXELS, True))
    painter.drawText(QPointF(SIDE, 19.0), _elided(item.look.title, TITLE_PIXELS, room, True))
    painter.setFont(font(SUBTITLE_PIXELS))
    painter.setPen(blend(theme.dim_text, theme.text, 0.8 if item.look.state == MISSING else 0.25))
    painter.drawText(QPointF(SIDE, 35.0), _elided(item.look.subtitle + item.look.note, SUBTITLE_PIXELS, room))


@lru_cache(maxsize=4096)
def _elided(text: str, pixels: int, room: float, bold: bool = False) -> str:
    if text_width(text, pixels, bold) <= room:
        return text
    return QFontMetricsF(font(pixels, bold)).elidedText(text, Qt.TextElideMode.ElideRight, room)


# Ports


def _label_pixels(detail: float) -> int:
    """Labels grow a little against the zoom, so that they stay readable where a whole graph is in view."""
    return round(min(max(LABEL_PIXELS, SMALLEST_LABEL / detail), LARGEST_LABEL))


def _label_room(item: NodeItem, port: PortLook, pixels: int) -> float:
    """Width for a label; where it and the one at the other side of its row are too long, the longer one gives way."""
    whole = item.geometry.width - 2 * PORT_TO_LABEL
    row = (item.look.inputs if port.side == IN else item.look.outputs).index(port)
    opposite = (item.look.outputs if port.side == IN else item.look.inputs)[row : row + 1]
    if not opposite:
        return whole
    mine, other = text_width(port.name, pixels), text_width(opposite[0].name, pixels)
    free = whole - BETWEEN_LABELS
    return free - other if mine >= other and mine + other > free else whole


def _paint_port(item: NodeItem, painter: QPainter, port: PortLook, label_pixels: int) -> None:
    key = (port.side, port.name)
    place = item.geometry.ports[key]
    opacity = painter.opacity()
    if item.faint_ports is not None and key in item.faint_ports:
        painter.setOpacity(0.22 * opacity)
    _paint_socket(item, painter, port, place)
    if label_pixels:
        painter.setFont(font(label_pixels, italic=port.style == PARAMETER))
        theme = item.theme
        quiet = port.optional and key not in item.wired
        painter.setPen(theme.error if port.stray else theme.dim_text if quiet else theme.text)
        room = item.geometry.width - 2 * PORT_TO_LABEL
        rect = QRectF(PORT_TO_LABEL, place.y() - ROW / 2, room, ROW)
        side = Qt.AlignmentFlag.AlignLeft if port.side == IN else Qt.AlignmentFlag.AlignRight
        name = _elided(port.name, label_pixels, _label_room(item, port, label_pixels))
        painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter, name)
    painter.setOpacity(opacity)


def _paint_socket(item: NodeItem, painter: QPainter, port: PortLook, place: QPointF) -> None:
    theme, key = item.theme, (port.side, port.name)
    colour = theme.error if port.stray else theme.port(item.port_type(port).colour)
    radius = PORT_RADIUS * (1.35 if item.hot_port == key else 1.0)
    hollow = port.optional and port.side == IN
    wrong = any(problem.port == port.name and port.side == IN for problem in item.problems)
    if wrong:
        painter.setPen(QPen(theme.error, 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(place, radius + 4, radius + 4)
    painter.setPen(QPen(colour, 2.0) if hollow else QPen(theme.background, 1.5))
    painter.setBrush(theme.node if hollow else colour)
    _draw_shape(painter, port.style, place, radius - (0.8 if hollow else 0.0))
    if hollow and key in item.wired:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        _draw_shape(painter, port.style, place, radius * 0.45)


def _draw_shape(painter: QPainter, style: str, place: QPointF, radius: float) -> None:
    if style == HELD:
        painter.drawRoundedRect(QRectF(place.x() - radius, place.y() - radius, 2 * radius, 2 * radius), 1.5, 1.5)
    elif style == TRIGGERED:
        size = radius * 1.25
        points = [QPointF(-0.7, -1.0), QPointF(1.0, 0.0), QPointF(-0.7, 1.0)]
        painter.drawPolygon(QPolygonF([place + point * size for point in points]))
    elif style == PARAMETER:
        size = radius * 1.2
        points = [QPointF(-1, 0), QPointF(0, -1), QPointF(1, 0), QPointF(0, 1)]
        painter.drawPolygon(QPolygonF([place + point * size for point in points]))
    else:
        painter.drawEllipse(place, radius, radius)


# Badge and dot


def badge_rect(geometry: NodeGeometry) -> QRectF:
    """Where the badge lies: over the upper right corner."""
    return QRectF(geometry.width - BADGE * 0.6, -BADGE * 0.4, BADGE, BADGE)


def _worst(item: NodeItem) -> str:
    return ERROR if any(problem.severity == ERROR for problem in item.problems) else item.problems[0].severity


def _paint_badge(item: NodeItem, painter: QPainter) -> None:
    rect = badge_rect(item.geometry)
    painter.setPen(QPen(item.theme.background, 2.0))
    painter.setBrush(item.theme.severity(_worst(item)))
    painter.drawEllipse(rect)
    painter.setPen(QColor("#ffffff"))
    painter.setFont(font(LABEL_PIXELS, True))
    count = len(item.problems)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, str(count) if count < 10 else "9+")


def _paint_reroute(item: NodeItem, painter: QPainter) -> None:
    theme, centre = item.theme, item.geometry.rect.center()
    colour = theme.port(item.port_type(item.look.outputs[0]).colour) if item.look.outputs else theme.dim_text
    faint = item.faint_ports is not None and {(IN, "value"), (OUT, "output")} <= item.faint_ports
    painter.setOpacity(0.22 if faint else 0.5 if item.look.muted else 1.0)
    if item.hot_port is not None:
        painter.setPen(QPen(colour, 1.6))
        painter.setBrush(theme.node)
        painter.drawEllipse(item.geometry.ports[item.hot_port], 4, 4)
    if item.flash:
        halo = QColor(theme.accent)
        halo.setAlphaF(item.flash)
        painter.setPen(QPen(halo, 5.0))
        painter.drawEllipse(centre, 14, 14)
    painter.setPen(_outline(item) or QPen(theme.background, 1.5))
    painter.setBrush(colour)
    painter.drawEllipse(centre, 6.5, 6.5)
    if item.problems:
        painter.setPen(QPen(theme.severity(_worst(item)), 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(centre, 10, 10)
    painter.setOpacity(1.0)


def problem_text(problems: list) -> str:
    """All problems of a place, for a tooltip."""
    return "\n".join(_problem_line(problem) for problem in problems)


def _problem_line(problem: Problem) -> str:
    where = f"{problem.port}: " if problem.port else ""
    remedy = f"; {problem.remedy}" if problem.remedy else ""
    mark = "✕" if problem.severity == ERROR else "!"
    return f"{mark}  {where}{problem.message}{remedy}"
