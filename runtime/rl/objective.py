"""The terms of PPO's objective and their gradients. Schulman et al. 2017, arXiv:1707.06347, eq. 7 and 9.

Terms of the surrogate take weights w = −A/B instead of advantages A, so that the loss is their plain sum.
"""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor


def surrogate_terms(log_ratio: Tensor, weights: Tensor, clip: float) -> Tensor:
    """max(r w, clip(r, 1 − ε, 1 + ε) w) with r = exp(log_ratio); their sum is the loss. Shape: (B,)."""
    ratio = torch.exp(log_ratio)
    return torch.maximum(ratio * weights, ratio.clamp(1.0 - clip, 1.0 + clip) * weights)


def surrogate_gradient(log_ratio: Tensor, weights: Tensor, clip: float) -> Tensor:
    """∂/∂log_ratio of the loss: r w, and 0 where the clipped term is the larger. Shape: (B,)."""
    ratio = torch.exp(log_ratio)
    terms = ratio * weights
    clipped = ratio.clamp_(1.0 - clip, 1.0 + clip).mul_(weights)
    return terms.masked_fill_(terms < clipped, 0.0)


def value_loss(values: Tensor, returns: Tensor, old_values: Optional[Tensor], clip: float) -> Tensor:
    """(V − R)² of each transition; with old values the larger of that and (V_old + clip(V − V_old, ±ε) − R)².

    The clipped form is that of OpenAI's baselines, rl_games, rsl_rl and CleanRL. Shape: (B,).
    """
    squares = (values - returns).square()
    if old_values is None:
        return squares
    clipped = old_values + (values - old_values).clamp(-clip, clip)
    return torch.maximum(squares, (clipped - returns).square())


def value_gradient(values: Tensor, returns: Tensor, old_values: Optional[Tensor], clip: float, weight: float) -> Tensor:
    """∂/∂V of weight · mean value loss. Shape: (B,)."""
    scale = 2.0 * weight / len(values)
    error = values - returns
    if old_values is None:
        return error.mul_(scale)
    change = values - old_values
    clipped_error = old_values + change.clamp(-clip, clip) - returns
    # A clipped prediction does not move with V, so the larger squared error has no gradient where it is clipped.
    stuck = (change.abs() > clip) & (clipped_error.abs() > error.abs())
    return error.mul_(scale).masked_fill_(stuck, 0.0)


def bounds_excess(mean: Tensor, limit: float) -> Tensor:
    """How far means lie beyond ±limit, with sign. Shape: (B, A)."""
    return mean - mean.clamp(-limit, limit)


def bounds_loss(mean: Tensor, limit: float) -> Tensor:
    """Squared excess, summed over actions (rl_games' bound_loss). Shape: (B, A) -> (B,)."""
    return bounds_excess(mean, limit).square().sum(-1)
