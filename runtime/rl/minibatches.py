"""Shuffled minibatches of a rollout."""

from __future__ import annotations

import math
from functools import partial
from itertools import repeat, tee
from typing import Iterator, List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor

from ..distributed.communicator import Communicator
from .moments import Moments, joint_moments

# Observations beyond this many bytes are gathered minibatch by minibatch, since a shuffled copy of all would not fit.
WHOLE_EPOCH_BYTES = 256 * 2**20
ADVANTAGE_EPSILON = 1e-8
ALONE = Communicator()


class Minibatch(NamedTuple):
    """B transitions.

    Attributes:
        observations, critic_observations: As the networks take them. Shape: (B, F) or images.
        actions: Shape: (B, A), (B,) or (B, K).
        log_probs: At the time of the rollout. Shape: (B,).
        weights: −A/B of each minibatch's advantages; of a whole rollout, the advantages A. Shape: (B,).
        returns: In the value head's units, normalised where values are. Shape: (B,).
        values: Likewise, at the time of the rollout; None where value clipping is off. Shape: (B,).
        distribution: Flat parameters at the time of the rollout; None where no KL is wanted. Shape: (B, P).
    """

    observations: Tensor
    critic_observations: Tensor
    actions: Tensor
    log_probs: Tensor
    weights: Tensor
    returns: Tensor
    values: Optional[Tensor] = None
    distribution: Optional[Tensor] = None

    @property
    def targets(self) -> Tuple[Tensor, Tensor, Optional[Tensor], Optional[Tensor]]:
        """weights, returns, values and distribution."""
        return self.weights, self.returns, self.values, self.distribution


def surrogate_weights(advantages: Tensor, normalize: bool, communicator: Communicator = ALONE) -> Tensor:
    """−A/B, with A of zero mean and unit variance within each row where asked. Shape: (M, B).

    A row of several processes is the union of theirs, each of which divides by its own B.
    """
    rows = advantages.shape[1]
    if not normalize or rows * communicator.world_size < 2:
        return advantages * (-1.0 / rows)
    if communicator.is_distributed:
        return _jointly_normalized(advantages, communicator).mul_(-1.0 / rows)
    centered = advantages - advantages.mean(1, keepdim=True)
    # Written so because torch.std takes 50 times as long. σ = ‖A − Ā‖ / √(B − 1)
    std = torch.linalg.vector_norm(centered, dim=1, keepdim=True) * (1.0 / math.sqrt(rows - 1))
    return centered.div_((std + ADVANTAGE_EPSILON) * -rows)


def _jointly_normalized(advantages: Tensor, communicator: Communicator) -> Tensor:
    rows, joint_rows = advantages.shape[1], advantages.shape[1] * communicator.world_size
    precise = advantages.double()
    count = torch.full((), float(rows), dtype=torch.float64, device=advantages.device)
    own_mean = precise.mean(1)
    own_var = (precise - own_mean.unsqueeze(1)).square_().mean(1)
    _, mean, var = joint_moments(Moments(count, own_mean, own_var), communicator)
    std = (var * (joint_rows / (joint_rows - 1))).sqrt()
    return precise.sub_(mean.unsqueeze(1)).div_((std + ADVANTAGE_EPSILON).unsqueeze(1)).to(advantages.dtype)


def micro_batches(minibatch: Minibatch, count: int) -> List[Minibatch]:
    """Equal pieces of a minibatch, the mean of whose gradients is the gradient of the whole.

    Args:
        minibatch: Of B transitions.
        count: Number of pieces, a divisor of B.
    """
    rows = len(minibatch.log_probs) // count
    shared = minibatch.critic_observations is minibatch.observations
    whole = minibatch._replace(weights=minibatch.weights * count)  # −A/B becomes −A/(B/count)
    pieces = [repeat(None, count) if field is None else field.split(rows) for field in whole]
    split = [Minibatch(*fields) for fields in zip(*pieces)]
    return [piece._replace(critic_observations=piece.observations) for piece in split] if shared else split


def shuffled(
    batch: Minibatch, rows: int, permutation: Tensor, normalize: bool, communicator: Communicator = ALONE
) -> Iterator[Minibatch]:
    """The minibatches of one epoch.

    Every tensor is gathered once per epoch, and minibatches are slices of it: a gather per minibatch costs more calls.

    Args:
        batch: The whole rollout of `batch_size` transitions, with advantages as `weights`.
        rows: Transitions per minibatch, a divisor of batch_size.
        permutation: Shape: (batch_size,), int64.
        normalize: Normalise advantages within each minibatch.
        communicator: The processes whose minibatches together are one.
    """
    observations = _pieces(batch.observations, rows, permutation)
    if batch.critic_observations is batch.observations:
        observations, critic_observations = tee(observations)
    else:
        critic_observations = _pieces(batch.critic_observations, rows, permutation)
    advantages = batch.weights.index_select(0, permutation).view(-1, rows)
    pieces = (
        observations,
        critic_observations,
        _pieces(batch.actions, rows, permutation),
        _pieces(batch.log_probs, rows, permutation),
        surrogate_weights(advantages, normalize, communicator).unbind(0),
        _pieces(batch.returns, rows, permutation),
        _pieces(batch.values, rows, permutation),
        _pieces(batch.distribution, rows, permutation),
    )
    return map(Minibatch._make, zip(*pieces))


def _pieces(tensor: Optional[Tensor], rows: int, permutation: Tensor) -> Iterator[Optional[Tensor]]:
    if tensor is None:
        return repeat(None)
    if tensor.numel() * tensor.element_size() > WHOLE_EPOCH_BYTES:
        return map(partial(tensor.index_select, 0), permutation.split(rows))
    return iter(tensor.index_select(0, permutation).split(rows))
