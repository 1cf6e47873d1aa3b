"""Where the parts of a cart-pole lie in a picture. Imports no torch, so that a window can draw before it is loaded."""

from __future__ import annotations

import math
from typing import NamedTuple, Tuple

VIEW_WIDTH = 8.4
"""What is seen of the rail. Unit: m."""
POSITION_LIMIT = 3.0
"""Where an episode of Cartpole ends. Unit: m."""
RAIL = 4.0
"""End of the rail. Unit: m."""

Point = Tuple[float, float]


class CartpoleGeometry(NamedTuple):
    """Where the parts of a cart-pole lie in a picture, in pixels; y grows downwards.

    Attributes:
        rail: Its ends.
        limits: Where an episode ends, at the left and at the right.
        cart: Left, top, right, bottom.
        joint, tip: Ends of the pole.
        thickness: Of the pole.
    """

    rail: Tuple[Point, Point]
    limits: Tuple[float, float]
    cart: Tuple[float, float, float, float]
    joint: Point
    tip: Point
    thickness: float


def cartpole_geometry(position: float, angle: float, length: float, width: float, height: float) -> CartpoleGeometry:
    """Lay a cart-pole out in a picture.

    Args:
        position: Of the cart. Unit: m.
        angle: Of the pole from upright, positive towards positive x. Unit: rad.
        length: Of the pole. Unit: m.
        width, height: Of the picture in pixels.
    """
    scale = min(width / VIEW_WIDTH, height / (2 * max(length, 1.0) + 0.9))
    middle, ground = width / 2, height / 2 + 0.35 * scale
    x = middle + position * scale
    joint = (x, ground - 0.2 * scale)
    tip = (x + length * math.sin(angle) * scale, joint[1] - length * math.cos(angle) * scale)
    return CartpoleGeometry(
        ((middle - RAIL * scale, ground), (middle + RAIL * scale, ground)),
        (middle - POSITION_LIMIT * scale, middle + POSITION_LIMIT * scale),
        (x - 0.25 * scale, ground - 0.2 * scale, x + 0.25 * scale, ground),
        joint, tip, max(2.0, 0.08 * scale),
    )  # fmt: skip
