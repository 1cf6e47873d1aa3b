"""Spaces of observations and actions: shapes and bounds of one environment's values, without the batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Tuple, Union

Bound = Union[float, Tuple[float, ...]]


@dataclass(frozen=True)
class Box:
    """Real numbers between bounds. Values are float32, or uint8 for camera images.

    Attributes:
        shape: Shape of one environment's value: ``(A,)`` for a vector, ``(C, H, W)`` for an image.
        low: Lower bound, one for all or one per element in row-major order.
        high: Upper bound, likewise.
    """

    shape: Tuple[int, ...]
    low: Bound = -math.inf
    high: Bound = math.inf

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))
        if any(size < 1 for size in self.shape):
            raise ValueError(f"Box: every size of the shape must be at least 1, got {self.shape}")
        for name in ("low", "high"):
            bound = getattr(self, name)
            if isinstance(bound, (list, tuple)):
                if len(bound) != flat_size(self):
                    raise ValueError(f"Box: {name} has {len(bound)} values, the shape {self.shape} {flat_size(self)}")
                object.__setattr__(self, name, tuple(float(value) for value in bound))

    @property
    def is_image(self) -> bool:
        """True for camera images, (C, H, W) from 0 to 255, whose values are uint8."""
        return len(self.shape) == 3 and (self.low, self.high) == (0.0, 255.0)


@dataclass(frozen=True)
class Discrete:
    """One choice out of ``n``. Values are int64 from 0 to n - 1."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"Discrete: n must be at least 1, got {self.n}")

    @property
    def shape(self) -> Tuple[int, ...]:
        """Empty: one number per environment."""
        return ()


@dataclass(frozen=True)
class MultiDiscrete:
    """K independent choices, the k-th out of ``nvec[k]``. Values are int64, shape ``(K,)``."""

    nvec: Tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "nvec", tuple(int(n) for n in self.nvec))
        if not self.nvec or any(n < 1 for n in self.nvec):
            raise ValueError(f"MultiDiscrete: nvec must hold numbers of at least 1, got {self.nvec}")

    @property
    def shape(self) -> Tuple[int, ...]:
        """One number per choice: ``(K,)``."""
        return (len(self.nvec),)


Space = Union[Box, Discrete, MultiDiscrete]


def flat_size(space: Space) -> int:
    """Number of values that one environment's element of the space holds (1 for Discrete)."""
    return math.prod(space.shape)


def policy_outputs(space: Space) -> int:
    """Number of outputs of a policy head: one mean per continuous action, one logit per choice."""
    if isinstance(space, Box):
        return flat_size(space)
    if isinstance(space, Discrete):
        return space.n
    return sum(space.nvec)
