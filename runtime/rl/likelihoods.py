"""log π(a|s) of a minibatch and its gradient, written out by hand.

Autograd would record and replay about three times as many operations, and at the sizes of reinforcement learning the
number of operations is what an update costs. Each gradient is tested against autograd.
"""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from .distributions import gaussian_log_prob

Gradients = Tuple[Tensor, Optional[Tensor]]


class GaussianLikelihood:
    """Of a diagonal Gaussian.

    Args:
        mean: Shape: (B, A).
        log_std: Shape: (A,) for all states, or (B, A).
        actions: Shape: (B, A).

    Attributes:
        log_probs: Shape: (B,).
    """

    def __init__(self, mean: Tensor, log_std: Tensor, actions: Tensor):
        self.mean = mean
        self.log_std = log_std
        self._inverse_std = torch.exp(-log_std)
        self._z = (actions - mean) * self._inverse_std
        self.log_probs = gaussian_log_prob(self._z, log_std)

    def gradient(self, grad_log_probs: Tensor, entropy_weight: float) -> Gradients:
        """∂L/∂mean and ∂L/∂log σ from ∂L/∂log π, for L = … − entropy_weight · mean entropy.

        Args:
            grad_log_probs: Shape: (B,).

        Returns:
            Shapes: (B, A), and that of log_std.
        """
        # ∂log π/∂μ = z/σ,  ∂log π/∂log σ = z² − 1,  ∂H/∂log σ = 1
        grad = grad_log_probs.unsqueeze(-1)
        excess = self._z.square().sub_(1.0)
        if self.log_std.dim() == 1:
            grad_log_std = torch.mv(excess.t(), grad_log_probs)
            per_element = entropy_weight
        else:
            grad_log_std = excess.mul_(grad)
            per_element = entropy_weight / grad_log_probs.shape[0]
        if entropy_weight:
            grad_log_std.sub_(per_element)
        return (self._z * self._inverse_std).mul_(grad), grad_log_std


class CategoricalLikelihood:
    """Of one or more independent choices.

    Args:
        logits: Those of all choices one after another. Shape: (B, sum(sizes)).
        actions: Shape: (B,) or (B, K).
        sizes: Number of options of each choice.

    Attributes:
        log_probs: Shape: (B,).
    """

    def __init__(self, logits: Tensor, actions: Tensor, sizes: Sequence[int]):
        self._actions: List[Tensor] = list(actions.reshape(len(logits), -1).split(1, -1))
        self._log_p: List[Tensor] = [part.log_softmax(-1) for part in logits.split(list(sizes), -1)]
        chosen = [log_p.gather(-1, action) for log_p, action in zip(self._log_p, self._actions)]
        self.log_probs = (chosen[0] if len(chosen) == 1 else torch.cat(chosen, -1).sum(-1, keepdim=True)).squeeze(-1)

    def gradient(self, grad_log_probs: Tensor, entropy_weight: float) -> Gradients:
        """∂L/∂logits from ∂L/∂log π, for L = … − entropy_weight · mean entropy. Shape: (B,) -> (B, sum(sizes))."""
        grad = grad_log_probs.unsqueeze(-1)
        weight = entropy_weight / grad_log_probs.shape[0]
        parts = [self._part(log_p, action, grad, weight) for log_p, action in zip(self._log_p, self._actions)]
        return (parts[0] if len(parts) == 1 else torch.cat(parts, -1)), None

    @staticmethod
    def _part(log_p: Tensor, action: Tensor, grad: Tensor, weight: float) -> Tensor:
        # ∂log π(a)/∂logit_j = [j = a] − p_j,  ∂H/∂logit_j = −p_j (log p_j + H)
        p = log_p.exp()
        part = (-grad * p).scatter_add_(-1, action, grad)
        if weight:
            entropy = -(p * log_p).sum(-1, keepdim=True)
            part.addcmul_(p, log_p + entropy, value=weight)
        return part
