"""Generalised advantage estimation."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def generalized_advantages(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    gamma: float,
    gae_lambda: float,
    bootstrap_timeouts: bool = True,
) -> Tensor:
    """Advantages A_t of a rollout. Schulman et al. 2016, arXiv:1506.02438, eq. 16.

    δ_t = r_t + γ (1 − terminated_t) V(s_{t+1}) − V(s_t)
    A_t = δ_t + γ λ (1 − (terminated_t ∨ truncated_t)) A_{t+1}

    Args:
        rewards: r_t. Shape: (T, N).
        values: V(s_t). Shape: (T, N).
        next_values: V(s_{t+1}) of the true successor, before any reset. Shape: (T, N).
        terminated: The task ended, so that nothing follows. Shape: (T, N), bool.
        truncated: The episode was cut, by time for example, though the task went on. Shape: (T, N), bool.
        gamma: Discount per step.
        gae_lambda: λ; 0 gives one-step, 1 Monte-Carlo advantages.
        bootstrap_timeouts: Off, truncation counts as termination.

    Returns:
        Advantages. Shape: (T, N). Returns to regress values on are advantages + values.
    """
    ended = terminated | truncated
    final = terminated if bootstrap_timeouts else ended
    deltas = torch.addcmul(rewards, next_values, torch.where(final, 0.0, gamma)).sub_(values)
    carry = torch.where(ended, 0.0, gamma * gae_lambda)
    # In place from the end: A_t = δ_t + carry_t A_{t+1}
    rows, factors = deltas.unbind(0), carry.unbind(0)
    for step in range(len(rows) - 2, -1, -1):
        rows[step].addcmul_(factors[step], rows[step + 1])
    return deltas
