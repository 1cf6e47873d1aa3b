"""What simulators share that drive environments of others."""

from __future__ import annotations

from typing import Any, Dict, Optional

import torch
from torch import Tensor

from ..errors import CheckpointError, ParameterError
from ..specs import TaskSpec
from .interface import Simulator, SimulatorError


class ForeignSimulator(Simulator):
    """Environments whose inside is their own affair: it can neither be saved nor changed during a run.

    After a resume every episode begins anew. A subclass keeps `_present`, `_episode_steps` and `_partial` up to date.

    Args:
        task_spec: Spaces and sizes.
        device: Where the tensors live.
    """

    exact_resume = False
    episodes_resume = False

    def __init__(self, task_spec: TaskSpec, device: torch.device):
        self.task_spec, self.device = task_spec, device
        self.num_envs = task_spec.num_envs
        self._action_shape = (self.num_envs, *task_spec.action_space.shape)
        self._present: Optional[Tensor] = None
        self._episode_steps = torch.zeros(self.num_envs, dtype=torch.int64, device=device)
        self._partial = torch.zeros(self.num_envs, dtype=torch.bool, device=device)

    def observations(self) -> Tensor:
        """What the policy sees in the present state. Shape: (N, *observation)."""
        if self._present is None:
            raise SimulatorError(f"{self.task_spec.name}: the simulator must be reset before it is used")
        return self._present

    @property
    def episode_steps(self) -> Tensor:
        """Steps since the present episode of each environment began. Shape: (N,) int64."""
        return self._episode_steps

    @property
    def partial(self) -> Tensor:
        """True where the present episode did not begin at its step 0, as far as that is known. Shape: (N,) bool."""
        return self._partial

    def check_actions(self, actions: Tensor) -> None:
        """Raise SimulatorError unless the actions have the task's shape."""
        if tuple(actions.shape) != self._action_shape:
            raise SimulatorError(
                f"{self.task_spec.name}: actions have the shape {tuple(actions.shape)}, expected {self._action_shape}"
            )

    def set_task_parameters(self, values: Dict[str, float]) -> None:
        """There are none.

        Raises:
            ParameterError: A parameter is given.
        """
        if values:
            raise ParameterError(f"{self.task_spec.name} has no task parameters, got {', '.join(sorted(values))}")

    def state_dict(self) -> Dict[str, Any]:
        """Which environments these are; what goes on in them cannot be read."""
        return {"task": self.task_spec.name, "num_envs": self.num_envs}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Check that it is a state of such environments; it holds nothing to go on from.

        Raises:
            CheckpointError: The state belongs to another task or another number of environments.
        """
        found, expected = (state.get("num_envs"), state.get("task")), (self.num_envs, self.task_spec.name)
        if found != expected:
            raise CheckpointError(
                f"saved simulator state: it is of {found[0]} environments of {found[1]!r}, expected {expected[0]} of "
                f"{expected[1]!r}"
            )
