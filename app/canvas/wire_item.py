"""A wire on the canvas, and the one that is being drawn."""

from __future__ import annotations

import math
from typing import Dict, List, Optional, Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QStyleOptionGraphicsItem, QWidget

from runtime.ports import ANY, PortType
from runtime.validation import Problem

from .looks import IN, OUT, WireLook
from .node_geometry import LABEL_PIXELS
from .node_item import NodeItem
from .nodegraph import PipeItem
from .routing import CLEARANCE, CURVED, STRAIGHT, STUB, Box, Lane, feedback_path, free_lane, lane_between, wire_path
from .theme import Theme, font

Z_WIRE, Z_LIVE_WIRE = -1.0, 5.0
WIDTH, GRAB_WIDTH = 2.2, 14.0
SAMPLES = 48
BACKWARD = 60.0
LABEL_DETAIL, SLIM_DETAIL, CURVE_DETAIL = 0.5, 0.3, 0.16


class WireItem(PipeItem):
    """Draws one wire between two nodes.

    Attributes:
        look: What it joins.
        type: What travels through it.
        is_feedback: True if it closes a cycle, and runs around the nodes.
        is_active, is_hovered: It is selected; the cursor is over it.
        overlay: What a run shows on top of it.
    """

    def __init__(self, look: WireLook, source: NodeItem, target: NodeItem, theme: Theme):
        super().__init__()
        self._dir_pointer.setVisible(False)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsSelectable, False)
        self.setAcceptHoverEvents(False)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        self.setZValue(Z_WIRE)
        self.look, self.source, self.target, self.theme = look, source, target, theme
        self.type: PortType = ANY
        self.style = CURVED
        self.is_feedback = False
        self.lane, self.spread = 0.0, 0.0
        self.lane_back: Optional[float] = None
        self.is_active = self.is_hovered = False
        self.problems: List[Problem] = []
        self.overlay: Optional[QGraphicsItem] = None
        self._outline: Optional[QPainterPath] = None
        self._middle = QPointF()
        self._line = QLineF()
        self._bounds = QRectF()
        self._pens: Dict[bool, QPen] = {}

    def reset(self) -> None:
        """Part of NodeGraphQt's pipes; this one is styled when painted."""

    def delete(self) -> None:
        """Take it off the canvas."""
        if self.scene() is not None:
            self.scene().removeItem(self)

    def draw_path(self, start_port: object = None, end_port: object = None, cursor_pos: object = None) -> None:
        """Lay the wire anew, from where the nodes are now."""
        start, end = self.start, self.end
        if self.is_feedback:
            path = feedback_path(start, end, self.lane, self.spread, self.style)
        elif self.lane_back is not None:
            path = feedback_path(start, end, self.lane_back, 0.0, self.style)
        else:
            path = wire_path(start, end, self.style)
        self.setPath(path)
        self._line = QLineF(start, end)
        self._outline = None
        self._middle = path.pointAtPercent(0.5)
        self._refresh()
        hidden = self.source.look.collapsed and self.source is self.target
        self.setVisible(not hidden)

    def find_lane_back(self, boxes: Sequence[Box], lanes: Sequence[Lane]) -> None:
        """Find where a wire to a node further left runs: between the rows, if its nodes stand in two of them.

        Args:
            boxes: The cards of all nodes.
            lanes: Those in use.
        """
        self.lane_back = None
        if self.style == STRAIGHT or self.is_feedback or self.start.x() - self.end.x() < BACKWARD:
            return
        first, second = (item.card.getCoords() for item in (self.source, self.target))
        between = lane_between(first, second)
        if between is not None:
            left, right = self.end.x() - STUB, self.start.x() + STUB
            self.lane_back = free_lane(left, right, between - CLEARANCE, boxes, lanes)

    @property
    def start(self) -> QPointF:
        """Centre of the output."""
        return self.source.port_place(OUT, self.look.output)

    @property
    def end(self) -> QPointF:
        """Centre of the input."""
        return self.target.port_place(IN, self.look.port)

    @property
    def middle(self) -> QPointF:
        """A point half way."""
        return self._middle

    def set_look(self, look: WireLook) -> None:
        """Join the same nodes with other ports or another label; `draw_path` follows."""
        self.look = look
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.theme = theme
        self._refresh()

    def set_state(self, hovered: Optional[bool] = None, active: Optional[bool] = None) -> None:
        """Draw it as hovered or selected."""
        self.is_hovered = self.is_hovered if hovered is None else hovered
        self.is_active = self.is_active if active is None else active
        self._refresh()

    def set_knowledge(self, type: PortType, problems: List[Problem]) -> None:
        """Draw it in the colour of what travels through it, with a mark for what is wrong."""
        if (type, problems) != (self.type, self.problems):
            self.type, self.problems = type, problems
            self._refresh()

    def _refresh(self) -> None:
        self.prepareGeometryChange()
        self._pens.clear()
        self._bounds = self.path().boundingRect().adjusted(-5, -5, 5, 5)
        if self.look.label or self.problems:
            self._bounds = self._bounds.united(self._label_rect().adjusted(-14, -4, 14, 4))
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        """The path with room for its width, label and badge."""
        return self._bounds

    def shape(self) -> QPainterPath:
        """Where it can be clicked."""
        if self._outline is None:
            stroker = QPainterPathStroker()
            stroker.setWidth(GRAB_WIDTH)
            self._outline = stroker.createStroke(self.path())
        return self._outline

    def distance_to(self, position: QPointF) -> float:
        """How far a point is from the wire, about."""
        places = (self.path().pointAtPercent(step / SAMPLES) for step in range(SAMPLES + 1))
        return min(math.hypot(place.x() - position.x(), place.y() - position.y()) for place in places)

    def _label_rect(self) -> QRectF:
        metrics = QFontMetricsF(font(LABEL_PIXELS))
        width = max(metrics.horizontalAdvance(self.look.label) + 16, 18.0)
        return QRectF(self._middle.x() - width / 2, self._middle.y() - 10, width, 20)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: Optional[QWidget] = None) -> None:
        """Draw the wire, its label and its mark."""
        detail = option.levelOfDetailFromTransform(painter.worldTransform())
        slim = detail < SLIM_DETAIL
        painter.setPen(self._pens.get(slim) or self._pens.setdefault(slim, self._pen(slim)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if detail < CURVE_DETAIL and not self.is_feedback:
            painter.drawLine(self._line)
        else:
            painter.drawPath(self.path())
        if detail >= LABEL_DETAIL and self.look.label:
            self._paint_label(painter)
        if detail >= LABEL_DETAIL and self.problems:
            self._paint_mark(painter)

    def _pen(self, slim: bool) -> QPen:
        colour = QColor(self.theme.port(self.type.colour))
        emphasised = self.is_active or self.is_hovered
        if self.is_active:
            colour = self.theme.accent
        elif self.source.look.muted or self.target.look.muted:
            colour.setAlpha(90)
        elif not self.is_hovered:
            colour.setAlpha(215)
        pen = QPen(colour, WIDTH + (1.3 if emphasised else 0.0))
        if slim:
            pen.setWidthF(0.0)
        elif self.is_feedback:
            pen.setDashPattern([4.0, 2.4])
        pen.setCapStyle(Qt.PenCapStyle.RoundCap if not self.is_feedback else Qt.PenCapStyle.FlatCap)
        return pen

    def _paint_label(self, painter: QPainter) -> None:
        rect = self._label_rect()
        painter.setPen(QPen(self.theme.port(self.type.colour), 1.2))
        painter.setBrush(self.theme.background)
        painter.drawRoundedRect(rect, 10, 10)
        painter.setPen(self.theme.text)
        painter.setFont(font(LABEL_PIXELS))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.look.label)

    def _paint_mark(self, painter: QPainter) -> None:
        centre = self._middle if not self.look.label else self._label_rect().topRight()
        painter.setPen(QPen(self.theme.background, 2.0))
        painter.setBrush(self.theme.severity(self.problems[0].severity))
        painter.drawEllipse(centre, 8, 8)
        painter.setPen(QColor("#ffffff"))
        painter.setFont(font(LABEL_PIXELS, True))
        painter.drawText(QRectF(centre.x() - 8, centre.y() - 8, 16, 16), Qt.AlignmentFlag.AlignCenter, "!")


class LiveWireItem(QGraphicsPathItem):
    """The wire that follows the cursor."""

    def __init__(self, theme: Theme):
        super().__init__()
        self.theme = theme
        self.setZValue(Z_LIVE_WIRE)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def draw(self, start: QPointF, end: QPointF, style: str, type: PortType, accepted: bool) -> None:
        """Lay it from output to input, one of which is the cursor.

        Args:
            start, end: The two ends.
            style: As of the other wires.
            type: What travels through it.
            accepted: False over a port that it does not fit.
        """
        colour = self.theme.port(type.colour) if accepted else self.theme.error
        line = Qt.PenStyle.SolidLine if accepted else Qt.PenStyle.DashLine
        self.setPen(QPen(colour, 2.8, line, Qt.PenCapStyle.RoundCap))
        self.setPath(wire_path(start, end, style))
