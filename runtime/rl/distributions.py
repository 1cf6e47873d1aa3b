"""Action distributions on flat parameter tensors, written in few torch operations.

All functions take parameters of shape (..., P), where P is `parameter_size`: mean | log_std for a Gaussian, the logits
of all choices one after another for discrete actions.
"""

from __future__ import annotations

import math
from typing import List, Sequence, Union

import torch
from torch import Tensor

from ..spaces import Box, Discrete, Space, flat_size

LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
GAUSSIAN_ENTROPY = 0.5 + LOG_SQRT_2PI


def standard_normal(shape: Sequence[int], like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise of a shape, drawn on the generator's device, delivered on the device of `like`."""
    noise = torch.randn(shape, generator=generator, dtype=like.dtype, device=generator.device)
    return noise if noise.device == like.device else noise.to(like.device)


class Distribution:
    """A family of distributions over actions; holds sizes, no state.

    Attributes:
        parameter_size: Number of flat parameters, P.
    """

    parameter_size: int

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Draw actions. Shape: (..., P) -> (..., A), (...) or (..., K)."""
        raise NotImplementedError

    def mode(self, parameters: Tensor) -> Tensor:
        """The most probable actions. Shape: as `sample`."""
        raise NotImplementedError

    def log_prob(self, parameters: Tensor, actions: Tensor) -> Tensor:
        """log π(a), summed over the elements of an action. Unit: nats. Shape: (..., P), actions -> (...)."""
        raise NotImplementedError

    def entropy(self, parameters: Tensor) -> Tensor:
        """Entropy, summed over the elements of an action. Unit: nats. Shape: (..., P) -> (...)."""
        raise NotImplementedError

    def kl(self, old: Tensor, new: Tensor) -> Tensor:
        """KL(old ‖ new), summed over the elements of an action. Unit: nats. Shape: (..., P) twice -> (...)."""
        raise NotImplementedError


def gaussian_log_prob(squares: Tensor, log_std: Tensor) -> Tensor:
    """log N(a; μ, σ) from ((a − μ)/σ)². Shape: (..., A) and (A,) or (..., A) -> (...)."""
    constant = -squares.shape[-1] * LOG_SQRT_2PI - log_std.sum(-1)
    return torch.sub(constant, squares.sum(-1), alpha=0.5)


class DiagonalGaussian(Distribution):
    """Independent normal actions; parameters are mean | log_std. Shape: (..., 2A)."""

    def __init__(self, action_size: int):
        self.action_size = action_size
        self.parameter_size = 2 * action_size

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        mean, log_std = parameters.chunk(2, -1)
        return torch.addcmul(mean, log_std.exp(), standard_normal(mean.shape, mean, generator))

    def mode(self, parameters: Tensor) -> Tensor:
        return parameters[..., : self.action_size].contiguous()

    def log_prob(self, parameters: Tensor, actions: Tensor) -> Tensor:
        mean, log_std = parameters.chunk(2, -1)
        return gaussian_log_prob(((actions - mean) / log_std.exp()).square(), log_std)

    def entropy(self, parameters: Tensor) -> Tensor:
        return parameters[..., self.action_size :].sum(-1) + self.action_size * GAUSSIAN_ENTROPY

    def kl(self, old: Tensor, new: Tensor) -> Tensor:
        # KL = log σ₁ − log σ₀ + (σ₀² + (μ₀ − μ₁)²) / (2 σ₁²) − ½
        old_mean, old_log_std = old.chunk(2, -1)
        mean, log_std = new.chunk(2, -1)
        squares = torch.exp(2.0 * old_log_std) + (old_mean - mean).square()
        return (log_std - old_log_std + 0.5 * squares * torch.exp(-2.0 * log_std) - 0.5).sum(-1)


class Categorical(Distribution):
    """One choice out of n; parameters are unnormalised logits. Shape: (..., n)."""

    def __init__(self, n: int):
        self.parameter_size = n
        self.sizes: List[int] = [n]

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        # argmax of p / E with E ~ Exponential(1) is distributed as p (the exponential race).
        noise = torch.empty(parameters.shape, dtype=parameters.dtype, device=generator.device)
        noise.exponential_(generator=generator)
        return (parameters.softmax(-1) / noise.to(parameters.device)).argmax(-1)

    def mode(self, parameters: Tensor) -> Tensor:
        return parameters.argmax(-1)

    def log_prob(self, parameters: Tensor, actions: Tensor) -> Tensor:
        return parameters.log_softmax(-1).gather(-1, actions.unsqueeze(-1)).squeeze(-1)

    def entropy(self, parameters: Tensor) -> Tensor:
        log_probs = parameters.log_softmax(-1)
        return -(log_probs.exp() * log_probs).sum(-1)

    def kl(self, old: Tensor, new: Tensor) -> Tensor:
        old_log_probs = old.log_softmax(-1)
        return (old_log_probs.exp() * (old_log_probs - new.log_softmax(-1))).sum(-1)


class MultiCategorical(Distribution):
    """K independent choices; parameters are their logits one after another. Shape: (..., sum(nvec))."""

    def __init__(self, nvec: Sequence[int]):
        self.sizes: List[int] = [int(n) for n in nvec]
        self.parameter_size = sum(self.sizes)
        self.choices = [Categorical(n) for n in self.sizes]

    def split(self, parameters: Tensor) -> Sequence[Tensor]:
        """The logits of each choice. Shape: (..., sum(nvec)) -> K of (..., n_k)."""
        return parameters.split(self.sizes, -1)

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        parts = zip(self.choices, self.split(parameters))
        return torch.stack([choice.sample(part, generator) for choice, part in parts], -1)

    def mode(self, parameters: Tensor) -> Tensor:
        return torch.stack([part.argmax(-1) for part in self.split(parameters)], -1)

    def log_prob(self, parameters: Tensor, actions: Tensor) -> Tensor:
        parts = zip(self.choices, self.split(parameters), actions.unbind(-1))
        return torch.stack([choice.log_prob(part, action) for choice, part, action in parts], -1).sum(-1)

    def entropy(self, parameters: Tensor) -> Tensor:
        parts = zip(self.choices, self.split(parameters))
        return torch.stack([choice.entropy(part) for choice, part in parts], -1).sum(-1)

    def kl(self, old: Tensor, new: Tensor) -> Tensor:
        parts = zip(self.choices, self.split(old), self.split(new))
        return torch.stack([choice.kl(first, second) for choice, first, second in parts], -1).sum(-1)


Family = Union[DiagonalGaussian, Categorical, MultiCategorical]


def distribution_for(space: Space) -> Family:
    """The distribution whose samples are actions of a space."""
    if isinstance(space, Box):
        return DiagonalGaussian(flat_size(space))
    if isinstance(space, Discrete):
        return Categorical(space.n)
    return MultiCategorical(space.nvec)
