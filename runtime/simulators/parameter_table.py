"""Task parameters of N environments: the values in force, and those that wait for each environment's next reset."""

from functools import lru_cache
from typing import Any, Dict, List, Type

import torch
from torch import Tensor

from .tasks.task import ParameterTensors, Task

COUNTS_KEPT = 64
"""Numbers of environments that began together for which the default values are kept."""


class ParameterTable:
    """One row per task parameter, one column per environment.

    Attributes:
        rows: Values in force. Shape: (P, N) float32.
        pending: Values for episodes that begin from now on. Shape: (P, 1) float32.
        values: ``rows`` by name. Shape of each: (N,).
    """

    def __init__(self, task: Type[Task], num_envs: int, device: torch.device):
        self.task = task
        self.num_envs = num_envs
        self.device = device
        self.defaults = torch.tensor([[parameter.default] for parameter in task.parameters], device=device)
        self.pending = self.defaults
        self._set(self.defaults.repeat(1, num_envs))
        self._default_values = lru_cache(maxsize=COUNTS_KEPT)(self._expanded_defaults)
        self.is_default = True

    @property
    def names(self) -> List[str]:
        """Names of the parameters, in the order of the rows."""
        return [parameter.name for parameter in self.task.parameters]

    def change(self, values: Dict[str, float]) -> None:
        """Change values from each environment's next reset on.

        Raises:
            ParameterError: A name is unknown or a value is out of range. Nothing is changed.
        """
        self.task.check_parameters(values)
        pending = self.pending.clone()
        for row, name in enumerate(self.names):
            if name in values:
                pending[row] = float(values[name])
        self.pending = pending
        self.is_default = False

    def begin(self, env_ids: Tensor) -> ParameterTensors:
        """Put the pending values in force in some environments; their values. Shape of each: (K,)."""
        if self.is_default:
            return dict(self._default_values(env_ids.numel()))
        self._set(self.rows.index_copy(1, env_ids, self.pending.repeat(1, env_ids.numel())))
        return dict(zip(self.names, self.rows.index_select(1, env_ids).unbind(0)))

    def _expanded_defaults(self, count: int) -> ParameterTensors:
        return dict(zip(self.names, self.defaults.repeat(1, count).unbind(0)))

    def differs(self, env_ids: Tensor) -> Tensor:
        """Where any value in force is not its default. Shape: (K,) bool."""
        return (self.rows.index_select(1, env_ids) != self.defaults).any(0)

    def state_dict(self) -> Dict[str, Any]:
        """All values. Tensors are copies."""
        return {
            "parameter_names": self.names,
            "parameters": self.rows.clone(),
            "pending_parameters": self.pending.clone(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on from saved values, whose names the caller has checked."""
        self.pending = state["pending_parameters"].to(self.device, copy=True)
        self._set(state["parameters"].to(self.device, copy=True))
        self.is_default = torch.equal(self.rows, self.defaults.expand_as(self.rows)) and torch.equal(
            self.pending, self.defaults
        )

    def _set(self, rows: Tensor) -> None:
        self.rows = rows
        self.values = dict(zip(self.names, rows.unbind(0)))
