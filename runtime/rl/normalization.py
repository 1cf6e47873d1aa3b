"""Running normalisation of observations and returns."""

from __future__ import annotations

from typing import Sequence

import torch
from torch import Tensor, nn

from ..distributed.communicator import Communicator
from .moments import Moments, joint_moments, moments_of

ALONE = Communicator()


class RunningMeanStd(nn.Module):
    """Mean and variance of a stream of batches, and normalisation by them.

    Batches are merged as in Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing
    sample variances", eq. 2.1. Statistics are float64, since a float32 count stops growing at 16.8 million;
    normalisation uses float32 copies of them. Until the first `update` it is the identity.

    Attributes:
        mean: Shape: shape, float64.
        var: Population variance. Shape: shape, float64.
        count: Number of rows seen, float64 scalar.
        frozen: `update` changes nothing.
    """

    mean: Tensor
    var: Tensor
    count: Tensor
    _shift: Tensor
    _scale: Tensor

    def __init__(self, shape: Sequence[int] = (), clip: float = 0.0, epsilon: float = 1e-8, device: str = "cpu"):
        """
        Args:
            shape: Shape of one row.
            clip: Normalised values are clamped to ±clip; 0 for no limit.
            epsilon: Added to the variance.
        """
        super().__init__()
        self.shape = tuple(shape)
        self.clip = clip
        self.epsilon = epsilon
        self.frozen = False
        self.register_buffer("mean", torch.zeros(self.shape, dtype=torch.float64, device=device))
        self.register_buffer("var", torch.ones(self.shape, dtype=torch.float64, device=device))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64, device=device))
        self.register_buffer("_shift", torch.zeros(self.shape, device=device), persistent=False)
        self.register_buffer("_scale", torch.ones(self.shape, device=device), persistent=False)
        self.register_load_state_dict_post_hook(lambda module, keys: module.refresh())
        self.refresh()

    @property
    def std(self) -> Tensor:
        """√(var + ε). Shape: shape, float64."""
        return (self.var + self.epsilon).sqrt()

    @torch.no_grad()
    def refresh(self) -> None:
        """Derive the float32 copies from the statistics."""
        self._shift.copy_(self.mean)
        self._scale.copy_(self.std)

    @torch.no_grad()
    def update(self, batch: Tensor, communicator: Communicator = ALONE) -> None:
        """Merge a batch into the statistics; those of all processes, where there are several. Shape: (..., *shape)."""
        rows = batch.reshape(-1, *self.shape)
        if rows.shape[0] and not self.frozen:
            self.merge(joint_moments(moments_of(rows), communicator))

    @torch.no_grad()
    def merge(self, moments: Moments) -> None:
        """Merge the moments of a batch of at least one row into the statistics. Shape: shape."""
        merged = Moments(self.count, self.mean, self.var).merged(moments)
        self.count.copy_(merged.rows)
        self.mean.copy_(merged.mean)
        self.var.copy_(merged.var)
        self.refresh()

    @property
    def moments(self) -> Moments:
        """Copies of count, mean and variance."""
        return Moments(self.count.clone(), self.mean.clone(), self.var.clone())

    def normalize(self, values: Tensor) -> Tensor:
        """(x − mean) / std, clamped to ±clip. Shape: (..., *shape), float32."""
        normalized = (values - self._shift) / self._scale
        return normalized.clamp(-self.clip, self.clip) if self.clip else normalized

    def denormalize(self, values: Tensor) -> Tensor:
        """mean + std · x, the inverse of `normalize` within the clip. Shape: (..., *shape), float32."""
        return torch.addcmul(self._shift, values, self._scale)

    def forward(self, values: Tensor) -> Tensor:
        """As `normalize`."""
        return self.normalize(values)
