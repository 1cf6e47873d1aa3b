"""Shuffled minibatches of a rollout."""

from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import Dict, Iterator, NamedTuple, Optional

import torch
from torch import Tensor

# Observations beyond this many bytes are gathered minibatch by minibatch, since a shuffled copy of all would not fit.
WHOLE_EPOCH_BYTES = 256 * 2**20
ADVANTAGE_EPSILON = 1e-8


class Minibatch(NamedTuple):
    """B transitions. `advantages` are already normalised.

    Attributes:
        observations, critic_observations: As the networks take them. Shape: (B, F) or images.
        actions: Shape: (B, A), (B,) or (B, K).
        log_probs, advantages: Shape: (B,).
        returns: In the value head's units, normalised where values are. Shape: (B,).
        values: Likewise, at the time of the rollout; None where value clipping is off. Shape: (B,).
        distribution: Flat parameters at the time of the rollout; None where no KL is wanted. Shape: (B, P).
    """

    observations: Tensor
    critic_observations: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    returns: Tensor
    values: Optional[Tensor] = None
    distribution: Optional[Tensor] = None


def normalized_advantages(advantages: Tensor) -> Tensor:
    """Zero mean and unit variance within each row. Shape: (M, B)."""
    if advantages.shape[1] < 2:
        return advantages
    std, mean = torch.std_mean(advantages, 1, keepdim=True)
    return (advantages - mean) / (std + ADVANTAGE_EPSILON)


def shuffled(batch: Minibatch, rows: int, permutation: Tensor, normalize: bool) -> Iterator[Minibatch]:
    """The minibatches of one epoch.

    Every tensor is gathered once per epoch, and minibatches are slices of it: a gather per minibatch costs more calls.

    Args:
        batch: The whole rollout of `batch_size` transitions, with raw advantages.
        rows: Transitions per minibatch, a divisor of batch_size.
        permutation: Shape: (batch_size,), int64.
        normalize: Normalise advantages within each minibatch.
    """
    pieces: Dict[str, Iterator[Optional[Tensor]]] = {}
    for name, tensor in batch._asdict().items():
        if tensor is None:
            pieces[name] = repeat(None)
        elif name == "critic_observations" and tensor is batch.observations:
            continue
        elif tensor.numel() * tensor.element_size() > WHOLE_EPOCH_BYTES:
            pieces[name] = map(partial(tensor.index_select, 0), permutation.split(rows))
        else:
            pieces[name] = iter(tensor.index_select(0, permutation).split(rows))
    if normalize:
        advantages = batch.advantages.index_select(0, permutation).view(-1, rows)
        pieces["advantages"] = iter(normalized_advantages(advantages).unbind(0))
    for _ in range(len(permutation) // rows):
        values = {name: next(piece) for name, piece in pieces.items()}
        values.setdefault("critic_observations", values["observations"])
        yield Minibatch(**values)
