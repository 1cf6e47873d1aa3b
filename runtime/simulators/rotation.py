"""Vectors turned by unit quaternions x, y, z, w."""

import torch
from torch import Tensor


def rotate(quaternions: Tensor, vectors: Tensor) -> Tensor:
    """q v q⁻¹ = v + 2w·(u × v) + 2u × (u × v) for q = (u, w): from the body's frame to the world's.

    Shapes: (N, 4), (N, 3).
    """
    axes, scalars = quaternions[:, :3], quaternions[:, 3:]
    crossed = torch.linalg.cross(axes, vectors).mul_(2.0)
    return torch.addcmul(vectors, scalars, crossed).add_(torch.linalg.cross(axes, crossed))


def rotate_back(quaternions: Tensor, vectors: Tensor) -> Tensor:
    """q⁻¹ v q: from the world's frame to the body's. Shapes: (N, 4), (N, 3)."""
    inverse = torch.cat((-quaternions[:, :3], quaternions[:, 3:]), 1)
    return rotate(inverse, vectors)
