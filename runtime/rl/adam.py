"""Adam on one flat vector."""

from __future__ import annotations

import math
from typing import Dict, List, Optional

import torch
from torch import Tensor, nn

BETA1, BETA2 = 0.9, 0.999


class FlatAdam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1) for a single vector, with torch.optim.Adam's results.

    Where torch has its fused kernel for the device, that is called directly: for one tensor the optimiser object around
    it costs seven times what the kernel does. Elsewhere the equations are six vector operations.

    Args:
        vector: The parameters, whose `.grad` holds the tensor `gradient`. Shape: (total,).
        gradient: Shape: (total,).
        epsilon: Added to the root of the second moment.

    Attributes:
        exp_avg, exp_avg_sq: First and second moment. Shape: (total,).
        step_count: Steps taken; a float32 scalar on the vector's device, as the fused kernel wants it.
        fused: Whether the fused kernel is used.
        param_groups: For torch's gradient scaler, which takes an optimiser's parameters from here.
    """

    def __init__(self, vector: nn.Parameter, gradient: Tensor, epsilon: float):
        self.vector = vector
        self.gradient = gradient
        self.epsilon = epsilon
        self.learning_rate = 0.0
        self.exp_avg = torch.zeros_like(vector.data)
        self.exp_avg_sq = torch.zeros_like(vector.data)
        self.step_count = torch.zeros((), device=vector.device)
        self.fused = _fused_kernel_works(vector.device)
        self.param_groups: List[Dict[str, List[Tensor]]] = [{"params": [vector]}]

    @property
    def name(self) -> str:
        """For the log: which implementation runs."""
        return "fused Adam" if self.fused else "Adam in vector operations"

    @torch.no_grad()
    def step(self, skip: Optional[Tensor] = None) -> None:
        """One step down the gradient.

        Args:
            skip: Scalar on the device; nothing changes where it is 1. Needs no transfer to the host.
        """
        if self.fused:
            self.step_count += 1.0
            _fused_step(self, self.learning_rate, skip)
            if skip is not None:
                self.step_count -= skip
        elif skip is None or not bool(skip):
            self.step_count += 1.0
            self._step_by_hand(float(self.step_count))

    def _step_by_hand(self, count: float) -> None:
        self.exp_avg.lerp_(self.gradient, 1.0 - BETA1)
        self.exp_avg_sq.mul_(BETA2).addcmul_(self.gradient, self.gradient, value=1.0 - BETA2)
        # θ ← θ − α m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
        denominator = self.exp_avg_sq.sqrt().div_(math.sqrt(1.0 - BETA2**count)).add_(self.epsilon)
        self.vector.data.addcdiv_(self.exp_avg, denominator, value=-self.learning_rate / (1.0 - BETA1**count))


def _fused_step(adam: FlatAdam, learning_rate: float, skip: Optional[Tensor]) -> None:
    torch._fused_adam_(
        [adam.vector.data],
        [adam.gradient],
        [adam.exp_avg],
        [adam.exp_avg_sq],
        [],
        [adam.step_count],
        lr=learning_rate,
        beta1=BETA1,
        beta2=BETA2,
        weight_decay=0.0,
        eps=adam.epsilon,
        amsgrad=False,
        maximize=False,
        grad_scale=None,
        found_inf=skip,
    )


def _fused_kernel_works(device: torch.device) -> bool:
    probe = [torch.zeros(1, device=device) for _ in range(4)]
    step = torch.ones((), device=device)
    try:
        torch._fused_adam_(
            probe[:1], probe[1:2], probe[2:3], probe[3:4], [], [step],
            lr=0.0, beta1=BETA1, beta2=BETA2, weight_decay=0.0, eps=1.0, amsgrad=False, maximize=False,
        )  # fmt: skip
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return True
