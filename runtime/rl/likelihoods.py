"""log π(a|s) of a minibatch and its gradient, written out by hand.

Autograd would record and replay about three times as many operations, and at the sizes of reinforcement learning the
number of operations is what an update costs. Each gradient is tested against autograd.
"""

from __future__ import annotations

from typing import List, Optional, Sequence

import torch
from torch import Tensor

from .distributions import gaussian_log_prob
from .objective import bounds_excess
from .settings import PPOSettings


class Likelihood:
    """Of the recorded actions under a policy's outputs.

    Attributes:
        log_probs: log π(a|s). Shape: (B,).
    """

    log_probs: Tensor

    def backward(self, grad_log_probs: Tensor, settings: PPOSettings) -> Tensor:
        """∂L/∂outputs from ∂L/∂log π, with the entropy bonus and the bounds penalty of the settings added to L.

        Args:
            grad_log_probs: Shape: (B,).
            settings: Brings entropy_coef, bounds_coef and bounds_limit.

        Returns:
            Shape: (B, O).
        """
        raise NotImplementedError


class GaussianLikelihood(Likelihood):
    """Of a diagonal Gaussian.

    Args:
        outputs: Means, followed by log σ where that depends on the state. Shape: (B, A) or (B, 2A).
        log_std: log σ of all states; None where it is among the outputs. `backward` writes its `.grad` if it has one.
            Shape: (A,).
        actions: Shape: (B, A).
    """

    def __init__(self, outputs: Tensor, log_std: Optional[Tensor], actions: Tensor):
        self._shared = log_std
        self._mean, own_log_std = outputs.chunk(2, -1) if log_std is None else (outputs, log_std)
        self._std = own_log_std.exp()
        self._z = (actions - self._mean).div_(self._std)
        self._squares = self._z * self._z
        self.log_probs = gaussian_log_prob(self._squares, own_log_std)

    def backward(self, grad_log_probs: Tensor, settings: PPOSettings) -> Tensor:
        # ∂log π/∂μ = z/σ
        grad_mean = (self._z / self._std).mul_(grad_log_probs.unsqueeze(-1))
        if settings.bounds_coef:
            excess = bounds_excess(self._mean, settings.bounds_limit)
            grad_mean.add_(excess, alpha=2.0 * settings.bounds_coef / len(excess))
        if self._shared is None:
            return torch.cat((grad_mean, self._grad_own_log_std(grad_log_probs, settings.entropy_coef)), -1)
        if self._shared.grad is not None:
            self._write_grad_log_std(self._shared.grad, grad_log_probs, settings.entropy_coef)
        return grad_mean

    # ∂log π/∂log σ = z² − 1,  ∂H/∂log σ = 1

    def _grad_own_log_std(self, grad_log_probs: Tensor, entropy_coef: float) -> Tensor:
        return (self._squares - 1.0).mul_(grad_log_probs.unsqueeze(-1)).sub_(entropy_coef / len(grad_log_probs))

    def _write_grad_log_std(self, grad_log_std: Tensor, grad_log_probs: Tensor, entropy_coef: float) -> None:
        torch.mv(self._squares.t(), grad_log_probs, out=grad_log_std)
        grad_log_std.sub_(grad_log_probs.sum())
        if entropy_coef:
            grad_log_std.sub_(entropy_coef)


class CategoricalLikelihood(Likelihood):
    """Of one or more independent choices.

    Args:
        logits: Those of all choices one after another. Shape: (B, sum(sizes)).
        actions: Shape: (B,) or (B, K).
        sizes: Number of options of each choice.
    """

    def __init__(self, logits: Tensor, actions: Tensor, sizes: Sequence[int]):
        self._actions: List[Tensor] = list(actions.reshape(len(logits), -1).split(1, -1))
        self._log_p: List[Tensor] = [part.log_softmax(-1) for part in logits.split(list(sizes), -1)]
        chosen = [log_p.gather(-1, action) for log_p, action in zip(self._log_p, self._actions)]
        self.log_probs = (chosen[0] if len(chosen) == 1 else torch.cat(chosen, -1).sum(-1, keepdim=True)).squeeze(-1)

    def backward(self, grad_log_probs: Tensor, settings: PPOSettings) -> Tensor:
        grad = grad_log_probs.unsqueeze(-1)
        weight = settings.entropy_coef / len(grad)
        parts = [self._part(log_p, action, grad, weight) for log_p, action in zip(self._log_p, self._actions)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    @staticmethod
    def _part(log_p: Tensor, action: Tensor, grad: Tensor, weight: float) -> Tensor:
        # ∂log π(a)/∂logit_j = [j = a] − p_j,  ∂H/∂logit_j = −p_j (log p_j + H)
        p = log_p.exp()
        part = (-grad * p).scatter_add_(-1, action, grad)
        if weight:
            entropy = -(p * log_p).sum(-1, keepdim=True)
            part.addcmul_(p, log_p + entropy, value=weight)
        return part
