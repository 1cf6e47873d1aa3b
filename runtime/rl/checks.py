"""Checks against NaN and infinity, cheap while all is well and exact when not."""

from __future__ import annotations

from typing import Mapping, Tuple

import torch
from torch import Tensor

from ..errors import DnneError


class NonFiniteError(DnneError):
    """NaN or infinity where only numbers may be. Names the tensor and the place."""


def all_finite(tensors: Mapping[str, Tensor]) -> bool:
    """True if no tensor holds NaN or infinity. A sum keeps either, so that one reduction and one transfer suffice."""
    total = sum(tensor.sum() for tensor in tensors.values() if tensor.is_floating_point())
    if bool(torch.isfinite(torch.as_tensor(total))):
        return True
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


def first_non_finite(tensor: Tensor) -> Tuple[Tuple[int, ...], float]:
    """Index and value of a tensor's first NaN or infinity; it must have one."""
    index = tuple(int(i) for i in (~torch.isfinite(tensor)).nonzero()[0])
    return index, float(tensor[index])


def explained(tensors: Mapping[str, Tensor], where: str) -> NonFiniteError:
    """The error that names the first of some tensors that is not finite; where all are, another process has one."""
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            position, value = first_non_finite(tensor)
            return NonFiniteError(
                f"{name} is {value} at {position} {where}; training stopped before the optimiser's step"
            )
    return NonFiniteError(
        f"the gradient of another process is not finite {where}; that process says which tensor; training stopped "
        "before the optimiser's step"
    )


def check_rollout(tensors: Mapping[str, Tensor]) -> None:
    """Raise for the first tensor that holds NaN or infinity.

    Args:
        tensors: By name. Shape: (T, N, ...).

    Raises:
        NonFiniteError: with name, step and environment.
    """
    if all_finite(tensors):
        return
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            (step, environment, *rest), value = first_non_finite(tensor)
            element = f", element {tuple(rest)}" if rest else ""
            raise NonFiniteError(
                f"{name} hold {value} at rollout step {step}, environment {environment}{element}; "
                "training stopped before the parameters changed"
            )


def check_parameters(tensors: Mapping[str, Tensor]) -> None:
    """Raise for the first parameter that holds NaN or infinity.

    Raises:
        NonFiniteError: with the parameter's name and index.
    """
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            index, value = first_non_finite(tensor)
            raise NonFiniteError(f"parameter {name} holds {value} at {index}; training stopped")


def check_successors(kept: Mapping[str, Tensor], horizon: int) -> None:
    """Raise for the first of a rollout's kept final observations that holds NaN or infinity.

    Args:
        kept: As `RolloutStorage.final_observations` gives them.
        horizon: Steps of the rollout.

    Raises:
        NonFiniteError: with step and environment.
    """
    if all_finite(kept):
        return
    for name in ("last", "cut"):
        if name in kept and not bool(torch.isfinite(kept[name]).all()):
            (row, *_), value = first_non_finite(kept[name])
            step, environment = (horizon - 1, row) if name == "last" else kept["cut_index"][:, row].tolist()
            raise NonFiniteError(
                f"final_observations hold {value} at rollout step {step}, environment {environment}; "
                "training stopped before the parameters changed"
            )
