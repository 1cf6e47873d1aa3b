"""Where a probe lies on the canvas: near its wire, but not on another probe, on a node's title, or on its ports."""

from __future__ import annotations

from typing import Iterable, Sequence, Tuple

from PySide6.QtCore import QPointF, QRectF, QSizeF

from .node_geometry import HEADER

REACH, PARTS = 6, 4


def find_place(wanted: QPointF, size: QSizeF, cards: Iterable[QRectF], probes: Sequence[QRectF]) -> QPointF:
    """The upper left corner for a probe of this size, in scene coordinates; the nearest of those that hide least.

    Args:
        wanted: Where it would lie if nothing else were there.
        size: Of the probe.
        cards: All nodes.
        probes: The other probes.
    """
    step = QSizeF(size.width() / PARTS, size.height() / PARTS)
    span = QPointF(REACH * step.width(), REACH * step.height())
    reach = QRectF(wanted - span, wanted + span).adjusted(0, 0, size.width(), size.height())
    near = [card for card in cards if card.intersects(reach)]
    titles = [QRectF(card.x(), card.y(), card.width(), HEADER) for card in near]

    def cost(place: QPointF) -> Tuple[float, ...]:
        rect = QRectF(place, size)
        hidden = sum(_area(rect & card) for card in near)
        covered = (sum(rect.intersects(other) for other in others) for others in (probes, titles))
        return (*covered, round(hidden), (place - wanted).manhattanLength())

    steps = range(-REACH, REACH + 1)
    places = (wanted + QPointF(x * step.width(), y * step.height()) for x in steps for y in steps)
    return min(places, key=cost)


def _area(rect: QRectF) -> float:
    return rect.width() * rect.height()
