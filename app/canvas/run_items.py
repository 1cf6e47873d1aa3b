"""What is drawn over nodes and wires while a graph runs."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Deque, NamedTuple, Optional

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from runtime.events import ProbeSample

from .node_geometry import LABEL_PIXELS, NodeGeometry
from .node_item import NodeItem
from .theme import Theme, blend, font
from .wire_item import WireItem

ROOM, RADIUS = 30.0, 10.0
FAIL_SIZE = 26.0
CHIP_PIXELS, CHIP_HEIGHT = 10, 16.0
READABLE_PIXELS, LARGEST_PIXELS = 10.0, 18.0
TEXT_DETAIL = 0.3
COOL, HOT = QColor("#3f7fd0"), QColor("#e2483d")
WORKING = QColor("#3fb46b")
Z_PROBE = 6.0
SAMPLES_KEPT = 100
PROBE_SIZE = (224.0, 92.0)
_PROBE = QRectF(0, 0, *PROBE_SIZE)
_PROBE_CARD = _PROBE.adjusted(1, 1, -1, -1)
_PROBE_COURSE = QRectF(8, 54, _PROBE_CARD.width() - 14, _PROBE_CARD.height() - 60)


class _Overlay(QGraphicsItem):
    """Takes no events: clicks go to what lies below."""

    def __init__(self, themed: Any, parent: Optional[QGraphicsItem] = None):
        super().__init__(parent)
        self._themed = themed
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setAcceptHoverEvents(False)

    @property
    def theme(self) -> Theme:
        """The present colours, as those of what it lies on."""
        theme: Theme = self._themed.theme
        return theme


class _Parts(NamedTuple):
    """Where the parts of an overlay lie, for one size of its node."""

    geometry: NodeGeometry
    card: QRectF
    bar: QRectF
    strip: QRectF
    bounds: QRectF

    @classmethod
    def of(cls, geometry: NodeGeometry) -> _Parts:
        """Around the card: a bar over it, a strip for a text below it, and room for frame and badge."""
        card = geometry.rect
        return cls(
            geometry, card, QRectF(card.left(), card.top() - 9, card.width(), 5),
            QRectF(card.left() - ROOM, card.bottom(), card.width() + 2 * ROOM, ROOM),
            card.adjusted(-ROOM, -ROOM, ROOM, ROOM),
        )  # fmt: skip


class _Label(NamedTuple):
    """A text under a card, and where it lies."""

    text: str
    pixels: int
    font: QFont
    place: QRectF

    @classmethod
    def of(cls, text: str, pixels: int, geometry: NodeGeometry) -> _Label:
        """In the middle below the card."""
        chosen = font(pixels)
        width = QFontMetricsF(chosen).horizontalAdvance(text) + 8
        place = QRectF((geometry.width - width) / 2, geometry.height + 3, width, pixels + 8.0)
        return cls(text, pixels, chosen, place)


class NodeOverlay(_Overlay):
    """Rate and share of time under a node, a bar over it while it works, its heat, and the badge of its failure.

    Rectangles, fonts and places are kept as long as they hold: with every one that is made, PySide lets another thread
    have Python, and a run in a thread takes it.

    Attributes:
        share: Part of the run's time that the node has lately taken, in [0, 1].
        text: What stands under the card.
        has_failed: The run ended here.
    """

    def __init__(self, node: NodeItem):
        super().__init__(node, node)
        self.node = node
        self.share = 0.0
        self.text = ""
        self.is_working = self.shows_heat = self.has_failed = False
        self._parts = _Parts.of(node.geometry)
        self._label: Optional[_Label] = None

    @property
    def parts(self) -> _Parts:
        """Of the node as large as it is now."""
        if self._parts.geometry is not self.node.geometry:
            self._parts, self._label = _Parts.of(self.node.geometry), None
        return self._parts

    def set_state(self, text: str, share: float, is_working: bool, shows_heat: bool) -> None:
        """Draw another state; only what looks different is painted."""
        share = round(share, 2)
        has_new_heat = (share if shows_heat else 0.0) != (self.share if self.shows_heat else 0.0)
        has_new_text, has_new_bar = text != self.text, is_working != self.is_working
        self.text, self.share, self.is_working, self.shows_heat = text, share, is_working, shows_heat
        if has_new_heat:
            self.update()
            return
        if has_new_bar:
            self.update(self.parts.bar)
        if has_new_text:
            self.update(self.parts.strip)

    def set_failed(self, on: bool) -> None:
        """Show that the run ended here."""
        if on != self.has_failed:
            self.has_failed = on
            self.update()

    @property
    def badge(self) -> QRectF:
        """The failure's badge, in scene coordinates."""
        return self._badge().translated(self.node.pos())

    def _badge(self) -> QRectF:
        return QRectF(-FAIL_SIZE / 2, -FAIL_SIZE / 2, FAIL_SIZE, FAIL_SIZE)

    def boundingRect(self) -> QRectF:  # noqa: N802
        """The card with room for frame, badge and text."""
        return self.parts.bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: Optional[QWidget] = None) -> None:
        """Draw heat, frame or bar, text and badge."""
        detail = option.levelOfDetailFromTransform(painter.worldTransform())
        card = self.parts.card
        if self.shows_heat and self.share > 0.0:
            colour = blend(COOL, HOT, math.sqrt(self.share))
            colour.setAlpha(60 + round(120 * self.share))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(card, RADIUS - 2, RADIUS - 2)
        if self.has_failed:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.theme.error, 3.0))
            painter.drawRoundedRect(card.adjusted(-4, -4, 4, 4), RADIUS, RADIUS)
        elif self.is_working:
            self._paint_work(painter)
        if self.text and detail >= TEXT_DETAIL and not self.node.look.is_reroute:
            self._paint_text(painter, round(min(max(CHIP_PIXELS, READABLE_PIXELS / detail), LARGEST_PIXELS)))
        if self.has_failed:
            self._paint_badge(painter)

    def _paint_text(self, painter: QPainter, pixels: int) -> None:
        """On the canvas's background, so that no wire runs through it."""
        if self._label is None or (self._label.text, self._label.pixels) != (self.text, pixels):
            self._label = _Label.of(self.text, pixels, self.parts.geometry)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.background)
        painter.drawRoundedRect(self._label.place, 3, 3)
        painter.setFont(self._label.font)
        painter.setPen(self.theme.dim_text)
        painter.drawText(self._label.place, Qt.AlignmentFlag.AlignCenter, self.text)

    def _paint_work(self, painter: QPainter) -> None:
        """A bar along the top of the card: frames mean that a node is selected, or has failed."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(WORKING)
        painter.drawRoundedRect(self.parts.bar, 2.5, 2.5)

    def _paint_badge(self, painter: QPainter) -> None:
        rect = self._badge()
        painter.setPen(QPen(self.theme.background, 2.0))
        painter.setBrush(self.theme.error)
        painter.drawEllipse(rect)
        painter.setPen(QColor("#ffffff"))
        painter.setFont(font(15, True))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "!")


class QueueChip(_Overlay):
    """How many values wait on a wire."""

    def __init__(self, wire: WireItem):
        super().__init__(wire, wire)
        self.wire = wire
        self.text = ""
        self.is_full = False
        self._width = 0.0

    def set_state(self, queued: int, limit: int) -> None:
        """Draw another depth; nothing is drawn where nothing waits."""
        text = f"{queued}/{limit}" if queued else ""
        if text != self.text:
            self.prepareGeometryChange()
            self.text, self.is_full = text, queued >= limit
            self._width = QFontMetricsF(font(CHIP_PIXELS)).horizontalAdvance(text) + 12 if text else 0.0
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        """Around the end of the wire, before its port."""
        end = self.wire.end
        return QRectF(end.x() - self._width - 10, end.y() - CHIP_HEIGHT / 2, self._width, CHIP_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: Optional[QWidget] = None) -> None:
        """Draw the chip."""
        if not self.text or option.levelOfDetailFromTransform(painter.worldTransform()) < TEXT_DETAIL:
            return
        rect = self.boundingRect()
        edge = self.theme.warning if self.is_full else self.theme.node_border
        painter.setPen(QPen(edge, 1.2))
        painter.setBrush(self.theme.background)
        painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 7, 7)
        painter.setPen(self.theme.text)
        painter.setFont(font(CHIP_PIXELS))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.text)


class ProbeItem(_Overlay):
    """The last value on a wire in figures, and the course of its mean; as large on the screen at every zoom.

    Attributes:
        title: ``Step.rewards``.
        is_pinned: It stays until it is unpinned.
        samples: The last ones, oldest first.
    """

    def __init__(self, title: str, themed: Any):
        super().__init__(themed)
        self.title = title
        self.is_pinned = False
        self.samples: Deque[ProbeSample] = deque(maxlen=SAMPLES_KEPT)
        self.setZValue(Z_PROBE)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)

    def add(self, sample: ProbeSample) -> None:
        """Show a new sample."""
        self.samples.append(sample)
        self.update()

    @property
    def lines(self) -> tuple:
        """What is written: name, shape with dtype, and figures."""
        if not self.samples:
            return (self.title, "no value yet", "")
        last = self.samples[-1]
        shape = f"{last.dtype} {last.shape}" if last.shape else last.dtype
        if math.isnan(last.mean):
            figures = "" if last.finite == 1.0 else "no finite element"
        else:
            figures = f"min {last.minimum:.3g}   mean {last.mean:.3g}   max {last.maximum:.3g}"
            figures += "" if last.finite == 1.0 else f"   {100 * (1 - last.finite):.2g} % not finite"
        return (self.title, shape, figures)

    def boundingRect(self) -> QRectF:  # noqa: N802
        """The panel."""
        return _PROBE

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: Optional[QWidget] = None) -> None:
        """Draw the panel."""
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.accent if self.is_pinned else theme.node_border, 1.2))
        painter.setBrush(blend(theme.node, theme.background, 0.3))
        painter.drawRoundedRect(_PROBE_CARD, 6, 6)
        for row, text in enumerate(self.lines):
            chosen = font(LABEL_PIXELS if row < 2 else CHIP_PIXELS, bold=row == 0)
            painter.setFont(chosen)
            wrong = row == 2 and "finite" in text
            painter.setPen(theme.error if wrong else theme.text if row == 0 else theme.dim_text)
            room = _PROBE_CARD.width() - 10
            elided = QFontMetricsF(chosen).elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(8, 17 + 15 * row, elided)
        painter.setPen(QPen(theme.accent, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._course())

    def _course(self) -> QPainterPath:
        """The means from left to right; the newest one is always at the right end."""
        path = QPainterPath()
        means = [sample.mean for sample in self.samples if math.isfinite(sample.mean)]
        if len(means) < 2:
            return path
        left, top, right, bottom = _PROBE_COURSE.getCoords()
        low, high = min(means), max(means)
        scale, step = (bottom - top) / ((high - low) or 1.0), (right - left) / (SAMPLES_KEPT - 1)
        x = right - step * (len(means) - 1)
        path.moveTo(x, bottom - scale * (means[0] - low))
        for index, mean in enumerate(means[1:], start=1):
            path.lineTo(x + step * index, bottom - scale * (mean - low))
        return path
