"""Small pictures of workflows, drawn from the document alone."""

from __future__ import annotations

from typing import Dict, Optional

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from runtime.registry import NodeRegistry
from runtime.workflow import NodeEntry, Workflow

from ..canvas.routing import CURVED, feedback_path, lane_between, wire_path
from ..document.edits import feedback_wires, wires
from ..theme import canvas_colours, category_colour, current_theme

NODE_WIDTH, TITLE_HEIGHT, ROW_HEIGHT = 170.0, 34.0, 20.0
MARGIN, LANE = 28.0, 22.0


def thumbnail(workflow: Workflow, registry: Optional[NodeRegistry], size: QSize, scale: float = 1.0) -> QPixmap:
    """A picture of the whole graph in the present theme's colours.

    Args:
        workflow: The document.
        registry: Gives the nodes the colours of their categories, if it is there.
        size: In logical pixels.
        scale: Device pixels per logical pixel.
    """
    colours = canvas_colours(current_theme())
    pixmap = QPixmap(size * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(QColor(colours["background"]))
    rects = {node_id: _rect(entry) for node_id, entry in workflow.nodes.items()}
    if rects:
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _fit(painter, rects, LANE * len(feedback_wires(workflow)), size)
        _draw_wires(painter, workflow, rects, QColor(colours["dim_text"]))
        for node_id, rect in rects.items():
            _draw_node(painter, rect, _hue(workflow.nodes[node_id], registry, colours), colours)
        painter.end()
    return pixmap


def _rect(entry: NodeEntry) -> QRectF:
    rows = max(1, len(entry.inputs))
    return QRectF(*entry.position, NODE_WIDTH, TITLE_HEIGHT + ROW_HEIGHT * min(rows, 5))


def _fit(painter: QPainter, rects: Dict[str, QRectF], below: float, size: QSize) -> None:
    bounds = QRectF()
    for rect in rects.values():
        bounds = bounds.united(rect)
    bounds.adjust(-MARGIN, -MARGIN, MARGIN, MARGIN + below)
    factor = min(size.width() / bounds.width(), size.height() / bounds.height())
    painter.translate(size.width() / 2, size.height() / 2)
    painter.scale(factor, factor)
    painter.translate(-bounds.center())


def _draw_wires(painter: QPainter, workflow: Workflow, rects: Dict[str, QRectF], colour: QColor) -> None:
    plain, dashed = QPen(colour, 5), QPen(colour, 4)
    dashed.setDashPattern([3.0, 2.0])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    closing, lane = feedback_wires(workflow), max(rect.bottom() for rect in rects.values())
    for source, _, target, port in wires(workflow):
        start = QPointF(rects[source].right(), rects[source].center().y())
        end = QPointF(rects[target].left(), rects[target].center().y())
        painter.setPen(plain)
        if (target, port) in closing:
            lane += LANE
            painter.setPen(dashed)
            painter.drawPath(feedback_path(start, end, lane, 0.0, CURVED))
            continue
        between = lane_between(rects[source].getCoords(), rects[target].getCoords()) if end.x() < start.x() else None
        painter.drawPath(
            wire_path(start, end, CURVED) if between is None else feedback_path(start, end, between, 0.0, CURVED)
        )


def _draw_node(painter: QPainter, rect: QRectF, hue: QColor, colours: Dict[str, str]) -> None:
    painter.setPen(QPen(QColor(colours["node_border"]), 3))
    painter.setBrush(QColor(colours["node"]))
    painter.drawRoundedRect(rect, 14, 14)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(hue)
    painter.drawRoundedRect(QRectF(rect.x(), rect.y(), rect.width(), TITLE_HEIGHT), 14, 14)


def _hue(entry: NodeEntry, registry: Optional[NodeRegistry], colours: Dict[str, str]) -> QColor:
    node_class = registry.resolve(entry.class_type) if registry is not None else None
    return category_colour(node_class.category) if node_class is not None else QColor(colours["dim_text"])
