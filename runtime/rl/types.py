"""Values that travel between the policy, the environment and the trainer."""

from __future__ import annotations

from typing import NamedTuple, Optional

import torch


class PolicyOutput(NamedTuple):
    """What a policy did in one step of N environments, and what its training needs to know about it.

    Attributes:
        actions: Shape: (N, A) float32 for Box; (N,) int64 for Discrete; (N, K) int64 for MultiDiscrete.
        log_probs: log π(a|s), summed over the action's elements. Shape: (N,).
        values: V(s) in units of return. Shape: (N,).
        distribution: Flat parameters: mean | log_std for a Gaussian, logits for choices. Shape: (N, P).
        critic_observations: Privileged observations of the critic; None where it sees the actor's. Shape: (N, ...).
    """

    actions: torch.Tensor
    log_probs: torch.Tensor
    values: torch.Tensor
    distribution: torch.Tensor
    critic_observations: Optional[torch.Tensor] = None
