"""Metrics of an update, computed from what its last epoch left behind."""

from __future__ import annotations

from typing import Dict, List, NamedTuple

import torch
from torch import Tensor

from .distributions import DiagonalGaussian, Distribution
from .minibatches import Minibatch
from .objective import bounds_loss, surrogate_terms, value_loss
from .settings import PPOSettings


class Trace(NamedTuple):
    """What one minibatch's forward pass gave.

    Attributes:
        batch: The minibatch.
        log_ratio: log π/π_old. Shape: (B,).
        values: In the value head's units. Shape: (B,).
        parameters: Flat distribution parameters. Shape: (B, P).
    """

    batch: Minibatch
    log_ratio: Tensor
    values: Tensor
    parameters: Tensor


class EpochTrace:
    """The traces of an epoch's minibatches, put together once at its end, which costs less than doing it each time."""

    def __init__(self, traces: List[Trace]):
        self._batches = [trace.batch for trace in traces]
        self.log_ratio = torch.cat([trace.log_ratio for trace in traces])
        self.values = torch.cat([trace.values for trace in traces])
        self.parameters = torch.cat([trace.parameters for trace in traces])

    def field(self, name: str) -> Tensor:
        """A field of all minibatches. Shape: (batch_size, ...)."""
        return torch.cat([getattr(batch, name) for batch in self._batches])

    def approx_kl(self) -> Tensor:
        """Mean of (r − 1) − log r, which estimates KL(old ‖ new) (Schulman 2020, "Approximating KL divergence")."""
        return (torch.expm1(self.log_ratio) - self.log_ratio).mean()

    def kl(self, distribution: Distribution) -> Tensor:
        """Mean KL(old ‖ new) in closed form."""
        return distribution.kl(self.field("distribution"), self.parameters).mean()

    def metrics(self, settings: PPOSettings, distribution: Distribution) -> Dict[str, Tensor]:
        """Losses and divergences as means over the epoch, on the device."""
        clip = settings.clip_param
        entropy = distribution.entropy(self.parameters).mean()
        old_values = self.field("values") if settings.clip_value else None
        losses = value_loss(self.values, self.field("returns"), old_values, value_clip(settings))
        metrics = {
            "train/policy_loss": surrogate_terms(self.log_ratio, self.field("weights"), clip).sum()
            / len(self._batches),
            "train/value_loss": losses.mean(),
            "train/entropy_loss": -entropy,
            "train/entropy": entropy,
            "train/approx_kl": self.approx_kl(),
            "train/clip_fraction": (torch.expm1(self.log_ratio).abs() > clip).float().mean(),
        }
        if settings.bounds_coef and isinstance(distribution, DiagonalGaussian):
            metrics["train/bounds_loss"] = bounds_loss(distribution.mode(self.parameters), settings.bounds_limit).mean()
        return metrics


def value_clip(settings: PPOSettings) -> float:
    """Largest change of the value prediction under value clipping."""
    return settings.clip_param if settings.value_clip_param is None else settings.value_clip_param


def explained_variance(values: Tensor, returns: Tensor) -> Tensor:
    """1 − Var(R − V) / Var(R); NaN where returns do not vary. Shape: (T, N) twice -> ()."""
    variance = returns.var()
    return torch.where(variance > 0, 1.0 - (returns - values).var() / variance, torch.nan)


def finite_mean(values: Tensor) -> Tensor:
    """Mean of the finite elements (fp16 skips steps whose gradient is not). Shape: (M,) -> ()."""
    finite = torch.isfinite(values)
    return torch.where(finite, values, 0.0).sum() / finite.sum()


def to_floats(metrics: Dict[str, Tensor]) -> Dict[str, float]:
    """Scalars on the device to numbers, in one transfer."""
    return dict(zip(metrics, torch.stack([value.float() for value in metrics.values()]).tolist()))
