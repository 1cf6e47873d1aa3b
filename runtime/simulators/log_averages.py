"""Means of the figures that environments log in their steps."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Union

import torch
from torch import Tensor

Figure = Union[float, Tensor]

PREFIX = "env/"


class LogAverages:
    """Adds up logged figures step by step; tensors stay on their device until the means are asked for."""

    def __init__(self) -> None:
        self._sums: Dict[str, Figure] = {}
        self._counts: Dict[str, int] = {}

    def add(self, log: Mapping[str, Figure]) -> None:
        """Take in one step: numbers, or tensors of one element. A figure may be missing in some steps."""
        for name, value in log.items():
            self._sums[name] = value + self._sums[name] if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> Dict[str, float]:
        """``env/<name>``: means over the steps since the last call that gave the figure; in one transfer."""
        sums, counts = self._sums, self._counts
        self._sums, self._counts = {}, {}
        return {PREFIX + name.strip("/"): total / counts[name] for name, total in _to_floats(sums).items()}

    def state_dict(self) -> Dict[str, Any]:
        """Sums and counts so far."""
        return {name: [total, self._counts[name]] for name, total in self._sums.items()}

    def load_state_dict(self, state: Mapping[str, List[Any]]) -> None:
        """Go on from a saved state."""
        self._sums = {name: total for name, (total, _) in state.items()}
        self._counts = {name: count for name, (_, count) in state.items()}


def _to_floats(sums: Mapping[str, Figure]) -> Dict[str, float]:
    tensors = {name: value for name, value in sums.items() if isinstance(value, Tensor)}
    floats: Dict[str, float] = {}
    if tensors:
        floats = dict(
            zip(tensors, torch.stack([value.detach().float().reshape(()) for value in tensors.values()]).tolist())
        )
    return {name: floats[name] if name in floats else float(value) for name, value in sums.items()}
