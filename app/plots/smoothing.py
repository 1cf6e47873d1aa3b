"""Exponential smoothing that goes on where it stopped, so that a growing curve costs only its new values."""

from __future__ import annotations

import functools
from typing import Tuple

import numpy as np

from .column import Column
from .curve import PAIR, Curve

_BLOCK, _FEW = 128, 8


class Smoothed:
    """The smoothed values of one curve, s_t = m_t / (1 - w^t) with m_t = w·m_{t-1} + (1 - w)·x_t.

    The divisor takes away the pull of m_0 = 0 (Kingma and Ba 2015, arXiv:1412.6980, section 3). Where older values are
    thinned, the means of their groups are smoothed, each with the weight of as many values as a group stands for.
    """

    def __init__(self, weight: float):
        """``weight``: w in [0, 1); 0 smooths nothing."""
        if not 0.0 <= weight < 1.0:
            raise ValueError(f"the weight is {weight}; expected 0 to below 1")
        self.weight = weight
        self._mean = 0.0
        self._reports = 0
        self._values = Column()
        self._revision = 0

    def of(self, curve: Curve) -> np.ndarray:
        """Smoothed values of a curve, which is always the same one. Shape: (n,)."""
        if self._revision != curve.revision:
            self._begin(curve)
        done = len(self._values)
        if done < len(curve):
            self._go_on(curve.values.values[done:])
        return self._values.values

    def _begin(self, curve: Curve) -> None:
        self._revision, self._mean, self._reports = curve.revision, 0.0, 0
        self._values.cut(0)
        if curve.reports:
            each = curve.reports / len(curve.means)
            smoothed, self._mean = smooth(curve.means.values, self.weight**each)
            self._values.extend(np.repeat(smoothed, PAIR))
            self._reports = curve.reports

    def _go_on(self, values: np.ndarray) -> None:
        if len(values) <= _FEW:
            for value in values.tolist():
                self._add(value)
            return
        smoothed, self._mean = smooth(values, self.weight, self._mean, self._reports)
        self._values.extend(smoothed)
        self._reports += len(values)

    def _add(self, value: float) -> None:
        """One new value for each frame of a run that goes on: numpy would take ten times as long."""
        self._reports += 1
        self._mean = self.weight * self._mean + (1.0 - self.weight) * value
        self._values.append(self._mean / (1.0 - self.weight**self._reports))


def smooth(values: np.ndarray, weight: float, mean: float = 0.0, done: int = 0) -> Tuple[np.ndarray, float]:
    """Smooth values in blocks: inside a block with one triangular matrix, from block to block with the last mean.

    Args:
        values: Shape: (n,).
        weight: w in [0, 1).
        mean: m before these values.
        done: Number of values before these.

    Returns:
        The smoothed values, and m after them.
    """
    powers, matrix = _kernel(weight)
    whole = len(values) - len(values) % _BLOCK
    means = np.empty(len(values))
    blocks = means[:whole].reshape(-1, _BLOCK)
    blocks[:] = values[:whole].reshape(-1, _BLOCK) @ matrix.T
    befores = np.empty(len(blocks))
    for index, last in enumerate(blocks[:, -1].tolist()):
        befores[index] = mean
        mean = last + mean * float(powers[_BLOCK])
    blocks += np.outer(befores, powers[1:])
    rest = len(values) - whole
    if rest:
        means[whole:] = matrix[:rest, :rest] @ values[whole:] + mean * powers[1 : rest + 1]
        mean = float(means[-1])
    counts = np.arange(done + 1, done + len(values) + 1)
    return means / (1.0 - weight**counts), mean


@functools.lru_cache(maxsize=8)
def _kernel(weight: float) -> Tuple[np.ndarray, np.ndarray]:
    """Powers of the weight, and the matrix that smooths a block. Shapes: (B + 1,), (B, B)."""
    powers = weight ** np.arange(_BLOCK + 1)
    lags = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    return powers, np.where(lags >= 0, (1.0 - weight) * powers[np.maximum(lags, 0)], 0.0)
