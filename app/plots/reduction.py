"""A curve reduced to what a screen can show: the least and the greatest value of each column of pixels."""

from __future__ import annotations

from typing import Tuple

import numpy as np


def visible_range(positions: np.ndarray, low: float, high: float) -> Tuple[int, int]:
    """First and last index + 1 of what lies in [low, high], and one point more at each side, as lines go on there.

    Args:
        positions: Never falling. Shape: (n,).
    """
    first = int(np.searchsorted(positions, low, side="left")) - 1
    last = int(np.searchsorted(positions, high, side="right")) + 1
    return max(first, 0), min(last, len(positions))


def reduce_min_max(
    positions: np.ndarray, values: np.ndarray, first: int, last: int, buckets: int
) -> Tuple[np.ndarray, np.ndarray]:
    """The points ``first`` to ``last - 1``, or where they are too many, the extremes of each bucket of them.

    Buckets hold a power of two of points and begin at multiples of it, so that panning and appending change none but
    those at the ends, and no peak flickers.

    Args:
        positions: Never falling. Shape: (n,).
        values: Finite. Shape: (n,).
        buckets: At most twice as many buckets are made; about one for each pixel.

    Returns:
        Positions and values, at most 4·buckets + 4 of them.
    """
    count = last - first
    if count <= 4 * buckets:
        return positions[first:last], values[first:last]
    size = 1 << max(0, (count // buckets).bit_length() - 1)
    start = first - first % size
    whole = (last - start) // size
    end = start + whole * size
    blocks = values[start:end].reshape(whole, size)
    low, high = blocks.min(axis=1), blocks.max(axis=1)
    starts = positions[start:end:size]
    if end < last:
        rest = values[end:last]
        low, high = np.append(low, rest.min()), np.append(high, rest.max())
        starts = np.append(starts, positions[end])
    reduced = np.empty(2 * len(low))
    reduced[0::2], reduced[1::2] = low, high
    # The last value itself ends the curve, so that its end is where the newest value is.
    return np.append(np.repeat(starts, 2), positions[last - 1]), np.append(reduced, values[last - 1])
