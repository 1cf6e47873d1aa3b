"""Parts of an actor-critic whose parameters do not move."""

from __future__ import annotations

from typing import Dict, Iterable, List, Sequence, Tuple

import torch
from torch import Tensor

from ..errors import ParameterError
from ..suggest import did_you_mean
from .actor_critic import ActorCritic
from .flat import FlatParameters

PARTS: Dict[str, Tuple[str, ...]] = {
    "actor": ("actor.", "policy_head.", "log_std"),
    "critic": ("critic.", "value_head."),
    "trunk": ("actor.", "critic."),
}
"""Beginnings of the parameters' names. The trunk is what lies below the heads, of both networks or of a shared one."""


def check_parts(parts: Iterable[str]) -> None:
    """Raise `ParameterError` for a name that is no part."""
    for part in parts:
        if part not in PARTS:
            raise ParameterError(f"{part!r} cannot be frozen; expected {', '.join(PARTS)}{did_you_mean(part, PARTS)}")


class Frozen:
    """What of a model stands still. What is frozen goes on computing the same: its normalisers stand still as well.

    Args:
        model: Its normalisers are told.
        parts: Names of `PARTS`.

    Raises:
        ParameterError: A name is unknown, or the critic of a shared trunk is to be frozen without that trunk.
    """

    def __init__(self, model: ActorCritic, parts: Sequence[str]):
        check_parts(parts)
        if model.shared_trunk and "critic" in parts and not {"trunk", "actor"} & set(parts):
            raise ParameterError("critic: it shares its trunk with the policy; freeze the trunk as well")
        beginnings = tuple(beginning for part in parts for beginning in PARTS[part])
        self.names: List[str] = [name for name, _ in model.named_parameters() if name.startswith(beginnings)]
        self._all = {name: parameter.numel() for name, parameter in model.named_parameters()}
        reads_critic = bool({"critic", "trunk"} & set(parts))
        reads_actor = bool({"actor", "trunk"} & set(parts)) or (reads_critic and not model.privileged)
        normalizers = (
            (model.observation_normalizer, reads_actor),
            (model.critic_observation_normalizer, reads_critic),
            (model.value_normalizer, "critic" in parts),
        )
        for normalizer, stands_still in normalizers:
            if normalizer is not None:
                normalizer.frozen = stands_still

    def mask(self, flat: FlatParameters) -> Tensor:
        """0 where a parameter is frozen, else 1. Shape: (total,)."""
        mask = torch.ones_like(flat.gradient)
        views = flat.views(mask)
        for name in self.names:
            views[name].zero_()
        return mask

    @property
    def text(self) -> str:
        """For the log."""
        frozen, total = sum(self._all[name] for name in self.names), sum(self._all.values())
        return f"frozen: {frozen:,} of {total:,} parameters ({100.0 * frozen / total:.1f} %)"
