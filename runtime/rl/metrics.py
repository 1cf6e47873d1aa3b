"""Metrics of an update, computed from what its last epoch left behind."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, cast

import torch
from torch import Tensor

from ..distributed.communicator import Communicator
from .distributions import DiagonalGaussian, Distribution
from .moments import joint_moments, moments_of
from .objective import bounds_loss, surrogate_terms, value_loss
from .settings import PPOSettings


class Trace(NamedTuple):
    """What one minibatch's forward pass gave, and what it is compared with.

    Attributes:
        log_ratio: log π/π_old. Shape: (B,).
        values: In the value head's units. Shape: (B,).
        parameters: Flat distribution parameters. Shape: (B, P).
        weights, returns, old_values, old_parameters: As in `Minibatch`.
    """

    log_ratio: Tensor
    values: Tensor
    parameters: Tensor
    weights: Tensor
    returns: Tensor
    old_values: Optional[Tensor]
    old_parameters: Optional[Tensor]


class EpochTrace:
    """The traces of an epoch's minibatches, put together once at its end, which costs less than doing it each time."""

    def __init__(self, traces: List[Trace]):
        self._minibatches = len(traces)
        joined = [None if parts[0] is None else torch.cat(parts) for parts in zip(*traces)]
        self.trace = Trace._make(joined)

    def approx_kl(self) -> Tensor:
        """Mean of (r − 1) − log r, which estimates KL(old ‖ new) (Schulman 2020, "Approximating KL divergence")."""
        log_ratio = self.trace.log_ratio
        return (torch.expm1(log_ratio) - log_ratio).mean()

    def kl(self, distribution: Distribution) -> Tensor:
        """Mean KL(old ‖ new) in closed form; needs the old parameters."""
        return distribution.kl(cast(Tensor, self.trace.old_parameters), self.trace.parameters).mean()

    def metrics(self, settings: PPOSettings, distribution: Distribution) -> Dict[str, Tensor]:
        """Losses and divergences as means over the epoch, on the device."""
        trace, clip = self.trace, settings.clip_param
        entropy = distribution.entropy(trace.parameters).mean()
        value_losses = value_loss(trace.values, trace.returns, trace.old_values, value_clip(settings))
        metrics = {
            "train/policy_loss": surrogate_terms(trace.log_ratio, trace.weights, clip).sum() / self._minibatches,
            "train/value_loss": value_losses.mean(),
            "train/entropy_loss": -entropy,
            "train/entropy": entropy,
            "train/approx_kl": self.approx_kl(),
            "train/clip_fraction": (torch.expm1(trace.log_ratio).abs() > clip).float().mean(),
        }
        if settings.bounds_coef and isinstance(distribution, DiagonalGaussian):
            mean = distribution.mode(trace.parameters)
            metrics["train/bounds_loss"] = bounds_loss(mean, settings.bounds_limit).mean()
        return metrics


def value_clip(settings: PPOSettings) -> float:
    """Largest change of the value prediction under value clipping."""
    return settings.clip_param if settings.value_clip_param is None else settings.value_clip_param


def explained_variance(values: Tensor, returns: Tensor, communicator: Optional[Communicator] = None) -> Tensor:
    """1 − Var(R − V) / Var(R) over all processes; NaN where returns do not vary. Shape: (T, N) twice -> ()."""
    if communicator is not None and communicator.is_distributed:
        rows = torch.stack((returns.flatten(), (returns - values).flatten()), -1)
        variance, residual = joint_moments(moments_of(rows), communicator).var
        return torch.where(variance > 0, 1.0 - residual / variance, torch.nan)
    variance = returns.var()
    return torch.where(variance > 0, 1.0 - (returns - values).var() / variance, torch.nan)


def finite_mean(values: Tensor) -> Tensor:
    """Mean of the finite elements (fp16 skips steps whose gradient is not). Shape: (M,) -> ()."""
    finite = torch.isfinite(values)
    return torch.where(finite, values, 0.0).sum() / finite.sum()


def to_floats(metrics: Dict[str, Tensor]) -> Dict[str, float]:
    """Scalars on the device to numbers, in one transfer."""
    return dict(zip(metrics, torch.stack([value.float() for value in metrics.values()]).tolist()))
