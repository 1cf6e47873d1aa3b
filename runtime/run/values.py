"""Values that wait in queues, as plain nested state and back."""

from __future__ import annotations

from typing import Any, Dict, Tuple, Type

import torch

from ..errors import CheckpointError
from ..rl.types import PolicyOutput
from ..simulators.interface import Dones

RECORD = "__record__"
RECORD_TYPES: Dict[str, Type[Tuple]] = {kind.__name__: kind for kind in (PolicyOutput, Dones)}
PLAIN = (torch.Tensor, bool, int, float, str, type(None))


def encode(value: Any, where: str) -> Any:
    """A value as tensors, numbers, texts, lists and dictionaries.

    Raises:
        CheckpointError: The value is something else; names where it waits.
    """
    if isinstance(value, PLAIN):
        return value
    if type(value).__name__ in RECORD_TYPES and isinstance(value, tuple):
        fields = value._asdict()  # type: ignore[attr-defined]
        encoded = {name: encode(item, where) for name, item in fields.items()}
        return {RECORD: type(value).__name__, **encoded}
    if isinstance(value, dict):
        return {name: encode(item, where) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [encode(item, where) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    raise CheckpointError(
        f"a {type(value).__name__} waits {where} and cannot be saved; a value on a wire is made of tensors, numbers, "
        "texts, lists and dictionaries"
    )


def decode(value: Any, device: torch.device) -> Any:
    """Undo `encode`, with tensors on the run's device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict) and RECORD in value:
        fields = {name: decode(item, device) for name, item in value.items() if name != RECORD}
        return RECORD_TYPES[value[RECORD]](**fields)
    if isinstance(value, dict):
        return {name: decode(item, device) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [decode(item, device) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value
