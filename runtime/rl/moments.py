"""Count, mean and variance of batches, merged over time and over processes.

Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances", eq. 2.1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..distributed.communicator import Communicator


class Moments(NamedTuple):
    """Of some rows, all float64.

    Attributes:
        rows: Their number. Shape: ().
        mean: Shape: S.
        var: Population variance. Shape: S.
    """

    rows: Tensor
    mean: Tensor
    var: Tensor

    def merged(self, other: Moments) -> Moments:
        """Moments of both sets of rows together; one of them may be empty."""
        total = self.rows + other.rows
        weight = other.rows / total.clamp(min=1.0)
        delta = other.mean - self.mean
        # M₂ = M₂ᵃ + M₂ᵇ + δ² nᵃ nᵇ / n, divided by n
        var = (1.0 - weight) * self.var + weight * other.var + delta.square() * weight * (1.0 - weight)
        return Moments(total, self.mean + delta * weight, var)


def moments_of(rows: Tensor) -> Moments:
    """Moments of the rows of a tensor. Shape: (N, *S), N at least 1."""
    values = rows.double()
    count = torch.full((), float(rows.shape[0]), dtype=torch.float64, device=rows.device)
    mean = values.mean(0)
    return Moments(count, mean, (values - mean).square_().mean(0))  # torch.var takes three to eight times as long


def joint_moments(moments: Moments, communicator: Communicator) -> Moments:
    """Moments of the rows of all processes, merged by rank, so that all have the same bits."""
    if not communicator.is_distributed:
        return moments
    shape = moments.mean.shape
    flat = torch.cat([moments.rows.reshape(1), moments.mean.reshape(-1), moments.var.reshape(-1)])
    parts = [
        Moments(part[0], *(half.view(shape) for half in part[1:].chunk(2))) for part in communicator.all_gather(flat)
    ]
    joint = parts[0]
    for part in parts[1:]:
        joint = joint.merged(part)
    return joint
