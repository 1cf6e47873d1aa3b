"""Episodes of a physical task on any engine: automatic resets, time limits, task parameters and saved state."""

from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional

import torch
from torch import Tensor

from ..errors import CheckpointError
from .interface import Dones, Simulator, SimulatorError, StepResult
from .tasks.physics_state import PhysicsState, map_tensors, replace_rows, tensors_of
from .tasks.physics_task import PhysicsTask
from .tasks.task import ParameterTensors, State


class PhysicsBackend(ABC):
    """What an engine does for N environments: put robots somewhere, drive them, and measure."""

    @abstractmethod
    def place(self, env_ids: Tensor, physics: PhysicsState) -> None:
        """Put the robots of some environments somewhere, without a step.

        Args:
            env_ids: Shape: (K,) int64.
            physics: Positions and velocities, one row per id; sensors and forces are not used.
        """

    @abstractmethod
    def advance(self, efforts: Tensor) -> PhysicsState:
        """Apply forces and torques for one control step, and measure. The result is never written to again.

        Args:
            efforts: Of the actuated joints. Unit: N or N·m. Shape: (N, A).
        """


class PhysicsSimulator(Simulator):
    """N environments of a physical task on a backend.

    Args:
        task: What is observed and rewarded.
        backend: The physics.
        num_envs: Number of environments, N.
        generator: Source of all randomness, on the same device.
        desynchronise: `reset` puts every environment at a random step of its episode; these first episodes are
            `partial`.
    """

    def __init__(
        self,
        task: PhysicsTask,
        backend: PhysicsBackend,
        num_envs: int,
        generator: torch.Generator,
        desynchronise: bool = False,
    ):
        self.task, self.backend = task, backend
        self.num_envs, self.device = num_envs, task.device
        self.task_spec = task.spec(num_envs)
        self.generator = generator
        self.desynchronise = desynchronise
        self._action_shape = (num_envs, *task.action_space.shape)
        self._all_ids = torch.arange(num_envs, device=self.device)
        self._state: Optional[State] = None
        self._episode_steps = torch.zeros(num_envs, dtype=torch.int64, device=self.device)
        self._partial = torch.zeros(num_envs, dtype=torch.bool, device=self.device)
        self._pending = torch.tensor([[parameter.default] for parameter in task.parameters], device=self.device)
        self._set_parameters(self._pending.repeat(1, num_envs))

    def reset(self) -> Tensor:
        """Begin a new episode in every environment. Returns the observations. Shape: (N, *observation)."""
        self._set_parameters(self._pending.repeat(1, self.num_envs))
        self._state = self.task.initial_state(self._parameters, self.generator)
        self.backend.place(self._all_ids, self.task.physics(self._state))
        self._episode_steps = torch.zeros_like(self._episode_steps)
        if self.desynchronise:
            self._episode_steps.random_(0, self.task.max_episode_length, generator=self.generator)
        self._partial = self._episode_steps > 0
        return self.observations()

    def step(self, actions: Tensor) -> StepResult:
        """Advance every environment by one control step; see `Simulator.step`. Gradients do not flow through it."""
        previous = self._present_state()
        if actions.shape != self._action_shape:
            raise SimulatorError(
                f"{self.task.name}: actions have the shape {tuple(actions.shape)}, expected {self._action_shape}"
            )
        actions = actions.detach().to(torch.float32).clamp(-1.0, 1.0)
        physics = self.backend.advance(actions * self._efforts)
        self._state = state = self.task.next_state(previous, physics, actions)
        self._episode_steps = self._episode_steps + 1
        observations = final_observations = self.task.observe(state)
        rewards, terminated, components = self.task.evaluate(state, observations)
        timed_out = self._episode_steps >= self.task.max_episode_length
        env_ids = (timed_out | terminated).nonzero().squeeze(1)
        if len(env_ids):
            self._begin_episodes(env_ids)
            observations = self.observations()
        dones = Dones(terminated, timed_out & ~terminated, final_observations)
        return StepResult(observations, rewards, dones, components, {})

    def observations(self) -> Tensor:
        """What the policy sees in the present state. Shape: (N, *observation)."""
        return self.task.observe(self._present_state())

    @property
    def episode_steps(self) -> Tensor:
        """Steps since the present episode of each environment began. Shape: (N,) int64."""
        return self._episode_steps

    @property
    def partial(self) -> Tensor:
        """True where the present episode did not begin at its step 0. Shape: (N,) bool."""
        return self._partial

    def set_task_parameters(self, values: Dict[str, float]) -> None:
        """Change task parameters from each environment's next reset on; see `Simulator.set_task_parameters`."""
        self.task.check_parameters(values)
        pending = self._pending.clone()
        for row, parameter in enumerate(self.task.parameters):
            if parameter.name in values:
                pending[row] = float(values[parameter.name])
        self._pending = pending

    def task_parameters(self) -> ParameterTensors:
        """The values in force, by name. Shape of each: (N,)."""
        return dict(self._parameters)

    def state_dict(self) -> Dict[str, Any]:
        """What the task knows of every environment, episode counters and parameters. Tensors are copies."""
        return {
            "task": self.task.name,
            "state": None if self._state is None else [tensor.clone() for tensor in tensors_of(self._state)],
            "episode_steps": self._episode_steps.clone(),
            "partial": self._partial.clone(),
            "parameter_names": self._parameter_names,
            "parameters": self._parameter_rows.clone(),
            "pending_parameters": self._pending.clone(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Put every robot where it was; see `Simulator.load_state_dict`."""
        self._check_fits(state)
        self._episode_steps = self._on_device(state["episode_steps"])
        self._partial = self._on_device(state["partial"])
        self._pending = self._on_device(state["pending_parameters"])
        self._set_parameters(self._on_device(state["parameters"]))
        self._state = None if state["state"] is None else self._rebuilt(state["state"])
        if self._state is not None:
            self.backend.place(self._all_ids, self.task.physics(self._state))

    @property
    def _parameter_names(self) -> List[str]:
        return [parameter.name for parameter in self.task.parameters]

    def _set_parameters(self, rows: Tensor) -> None:
        self._parameter_rows = rows
        self._parameters = dict(zip(self._parameter_names, rows.unbind(0)))
        self._efforts = self.task.efforts(self._parameters)

    def _present_state(self) -> State:
        if self._state is None:
            raise SimulatorError(f"{self.task.name}: the simulator must be reset before it is used")
        return self._state

    def _begin_episodes(self, env_ids: Tensor) -> None:
        """Begin new episodes in some environments. Shape of the ids: (K,) int64."""
        rows = self._pending.expand(-1, len(env_ids))
        self._set_parameters(self._parameter_rows.index_copy(1, env_ids, rows))
        fresh = self.task.initial_state(dict(zip(self._parameter_names, rows.unbind(0))), self.generator)
        self.backend.place(env_ids, self.task.physics(fresh))
        self._state = replace_rows(self._state, env_ids, fresh)
        self._episode_steps = self._episode_steps.index_fill(0, env_ids, 0)
        self._partial = self._partial.index_fill(0, env_ids, False)

    def _rebuilt(self, tensors: List[Tensor]) -> State:
        """A saved state in the task's own types."""
        template = self.task.initial_state(self._parameters, torch.Generator(device=self.device))
        own, saved = [tensor.shape for tensor in tensors_of(template)], [tensor.shape for tensor in tensors]
        if own != saved:
            raise CheckpointError(f"saved simulator state: the task's tensors have the shapes {saved}, expected {own}")
        rows = iter(tensors)
        return map_tensors(lambda _: self._on_device(next(rows)), template)

    def _on_device(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, copy=True)

    def _check_fits(self, state: Dict[str, Any]) -> None:
        missing = [name for name in self.state_dict() if name not in state]
        if missing:
            raise CheckpointError(f"saved simulator state: {', '.join(missing)} missing")
        found = (state["task"], len(state["episode_steps"]), list(state["parameter_names"]))
        expected = (self.task.name, self.num_envs, self._parameter_names)
        for what, saved, own in zip(("task", "number of environments", "task parameters"), found, expected):
            if saved != own:
                raise CheckpointError(f"saved simulator state: the {what} is {saved!r}, expected {own!r}")
