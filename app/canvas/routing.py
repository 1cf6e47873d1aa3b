"""The way of a wire from an output to an input."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath

CURVED, ANGLED, STRAIGHT = "curved", "angled", "straight"
STYLES = (CURVED, ANGLED, STRAIGHT)
STUB, CORNER, CLEARANCE, LANE = 26.0, 10.0, 22.0, 12.0
Lane = Tuple[float, float, float]
Box = Tuple[float, float, float, float]


def wire_path(start: QPointF, end: QPointF, style: str) -> QPainterPath:
    """The way from an output at ``start`` to an input at ``end``."""
    path = QPainterPath(start)
    if style == STRAIGHT:
        path.lineTo(end)
    elif style == ANGLED:
        _round_corners(path, _angled_points(start, end))
    else:
        reach = _curve_reach(start, end)
        path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
    return path


def _curve_reach(start: QPointF, end: QPointF) -> float:
    across, down = end.x() - start.x(), abs(end.y() - start.y())
    if across >= 0:
        return max(across * 0.5, min(40.0, across + down * 0.5))
    return min(60.0 - across * 0.4, 220.0)


def _angled_points(start: QPointF, end: QPointF) -> List[QPointF]:
    if end.x() - start.x() >= 2 * STUB or end.x() >= start.x() + 2:
        middle = (start.x() + end.x()) / 2
        return [start, QPointF(middle, start.y()), QPointF(middle, end.y()), end]
    out, back, y = start.x() + STUB, end.x() - STUB, (start.y() + end.y()) / 2
    return [start, QPointF(out, start.y()), QPointF(out, y), QPointF(back, y), QPointF(back, end.y()), end]


def feedback_path(start: QPointF, end: QPointF, y: float, spread: float, style: str) -> QPainterPath:
    """The way of a wire that runs back: to the height ``y``, back there, and on to the input.

    A wire that closes a cycle runs below the nodes.

    Args:
        start: The output.
        end: The input.
        y: Height of the way back.
        spread: Distance that keeps neighbouring feedback wires apart.
        style: ``straight`` has sharp corners.
    """
    out, back = start.x() + STUB + spread, end.x() - STUB - spread
    points = [start, QPointF(out, start.y()), QPointF(out, y), QPointF(back, y), QPointF(back, end.y()), end]
    path = QPainterPath(start)
    _round_corners(path, points, 0.0 if style == STRAIGHT else 16.0 if style == CURVED else CORNER)
    return path


def lane_between(first: Box, second: Box) -> Optional[float]:
    """The height half way between two cards of which one lies below the other; ``None`` where none does."""
    upper, lower = sorted((first, second), key=lambda box: box[1])
    return (upper[3] + lower[1]) / 2 if lower[1] - upper[3] >= CLEARANCE else None


def _round_corners(path: QPainterPath, points: Sequence[QPointF], radius: float = CORNER) -> None:
    for before, corner, after in zip(points, points[1:], points[2:]):
        near = min(radius, _distance(before, corner) / 2, _distance(corner, after) / 2)
        path.lineTo(_towards(corner, before, near))
        path.quadTo(corner, _towards(corner, after, near))
    path.lineTo(points[-1])


def _distance(first: QPointF, second: QPointF) -> float:
    return abs(first.x() - second.x()) + abs(first.y() - second.y())


def _towards(point: QPointF, other: QPointF, distance: float) -> QPointF:
    whole = _distance(point, other)
    return point if whole == 0 else point + (other - point) * (distance / whole)


def free_lane(left: float, right: float, below: float, boxes: Sequence[Box], lanes: Sequence[Lane]) -> float:
    """A height from ``below`` downwards at which nothing lies between ``left`` and ``right``.

    Args:
        left, right: Where the lane begins and ends.
        below: The lane lies lower than this.
        boxes: (left, top, right, bottom) of the cards.
        lanes: (left, right, y) of lanes in use.
    """
    y, margin = below + CLEARANCE, CLEARANCE / 2
    across = [(top - margin, bottom) for start, top, end, bottom in boxes if end > left and start < right]
    in_the_way = [(top, bottom) for top, bottom in across if bottom > below]
    for _ in range(len(in_the_way) + len(lanes) + 1):
        lowest = max((bottom for top, bottom in in_the_way if top < y < bottom + margin), default=None)
        if lowest is not None:
            y = lowest + CLEARANCE
        elif any(start < right and end > left and abs(y - used) < LANE - 0.5 for start, end, used in lanes):
            y += LANE
        else:
            break
    return y
