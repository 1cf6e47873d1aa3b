"""The built-in engine: tasks with their own equations of motion, as vectorised torch on CPU or CUDA."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..specs import TaskSpec
from .engine import Engine
from .interface import Dones, Simulator, SimulatorError, StepResult, ViewerState
from .tasks.catalogue import analytic_tasks
from .tasks.task import AnalyticTask, ParameterTensors, State


class TorchSimulator(Simulator):
    """N environments of an analytic task.

    State tensors are replaced, never written to, so that what a step returned stays as it was.

    Args:
        task: The task and its equations of motion.
        num_envs: Number of environments, N.
        device: Where the tensors live; the generator must be on the same device.
        generator: Source of all randomness.
        desynchronise: `reset` puts every environment at a random step of its episode, so that the episodes do not all
            end in the same step (rsl_rl's ``init_at_random_ep_len``); these first episodes are `partial`.
    """

    def __init__(
        self,
        task: AnalyticTask,
        num_envs: int,
        device: torch.device,
        generator: torch.Generator,
        desynchronise: bool = False,
    ):
        self.task = task
        self.num_envs = num_envs
        self.device = torch.device(device)
        self.task_spec = task.spec(num_envs)
        self.generator = generator
        self.desynchronise = desynchronise
        self._action_shape = (num_envs, *task.action_space.shape)
        # Asking a GPU whether any episode ended would make it wait; there first states are drawn in every step.
        self._asks_first = self.device.type == "cpu"
        self._time_limit = torch.tensor(task.max_episode_length, device=self.device)
        self._one = torch.tensor(1, device=self.device)
        self._state: Optional[State] = None
        self._episode_steps = torch.zeros(num_envs, dtype=torch.int64, device=self.device)
        self._partial = torch.zeros(num_envs, dtype=torch.bool, device=self.device)
        defaults = torch.tensor([[parameter.default] for parameter in task.parameters], device=self.device)
        self._pending = defaults
        self._set_parameters(defaults.repeat(1, num_envs))
        self._outdated = False

    def reset(self) -> Tensor:
        """Begin a new episode in every environment. Returns the observations. Shape: (N, *observation)."""
        self._set_parameters(self._pending.repeat(1, self.num_envs))
        self._outdated = False
        self._state = self.task.initial_state(self._parameters, self.generator)
        self._episode_steps = torch.zeros_like(self._episode_steps)
        if self.desynchronise:
            self._episode_steps.random_(0, self.task.max_episode_length, generator=self.generator)
        self._partial = self._episode_steps > 0
        return self.observations()

    def step(self, actions: Tensor) -> StepResult:
        """Advance every environment by one control step; see `Simulator.step`. Gradients do not flow through it."""
        state = self._present_state()
        if actions.shape != self._action_shape:
            raise SimulatorError(
                f"{self.task.name}: actions have the shape {tuple(actions.shape)}, expected {self._action_shape}"
            )
        task = self.task
        self._state = state = task.advance(state, actions.detach().float(), self._constants)
        self._episode_steps = self._episode_steps + self._one
        observations = final_observations = task.observe(state)
        rewards, terminated, components = task.evaluate(state, observations)
        timed_out = self._episode_steps >= self._time_limit
        truncated = timed_out > terminated
        ended = timed_out | terminated
        if not self._asks_first or ended.any():
            self._state = self._begin_episodes(ended, state)
            observations = task.observe(self._state)
        return StepResult(observations, rewards, Dones(terminated, truncated, final_observations), components, {})

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
        self._outdated = True

    def task_parameters(self) -> ParameterTensors:
        """The values in force, by name. Shape of each: (N,)."""
        return dict(self._parameters)

    def viewer_state(self, env_ids: Sequence[int]) -> Optional[ViewerState]:
        """What the task's `viewer_state` gives, on the CPU, one row per environment in ``env_ids``."""
        if not self.task.viewer_kind or self._state is None:
            return None
        rows = torch.as_tensor(list(env_ids), device=self.device, dtype=torch.int64)
        quantities = self.task.viewer_state(self._present_state(), self._parameters)
        values = {name: quantity[..., rows].cpu() for name, quantity in quantities.items()}
        description = {"seconds_per_step": repr(self.task.timestep)}
        return ViewerState(self.task.viewer_kind, tuple(env_ids), values, description)

    def state_dict(self) -> Dict[str, Any]:
        """Physics, episode counters and task parameters; the generator is saved by its owner."""
        return {
            "task": self.task.name,
            "state": None if self._state is None else [row.clone() for row in self._state],
            "episode_steps": self._episode_steps.clone(),
            "partial": self._partial.clone(),
            "parameter_names": self._parameter_names,
            "parameters": self._parameter_rows.clone(),
            "pending_parameters": self._pending.clone(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on from a saved state, on this simulator's device; see `Simulator.load_state_dict`."""
        self._check_fits(state)
        rows = state["state"]
        self._state = None if rows is None else self.task.state_type(*(self._on_device(row) for row in rows))
        self._episode_steps = self._on_device(state["episode_steps"])
        self._partial = self._on_device(state["partial"])
        self._pending = self._on_device(state["pending_parameters"])
        self._set_parameters(self._on_device(state["parameters"]))
        self._outdated = True

    @property
    def _parameter_names(self) -> List[str]:
        return [parameter.name for parameter in self.task.parameters]

    def _set_parameters(self, rows: Tensor) -> None:
        self._parameter_rows = rows
        self._parameters = dict(zip(self._parameter_names, rows.unbind(0)))
        self._constants = self.task.constants(self._parameters)

    def _present_state(self) -> State:
        if self._state is None:
            raise SimulatorError(f"{self.task.name}: the simulator must be reset before it is used")
        return self._state

    def _begin_episodes(self, ended: Tensor, state: State) -> State:
        if self._outdated:
            self._set_parameters(torch.where(ended, self._pending, self._parameter_rows))
            if self._asks_first:
                self._outdated = not torch.equal(self._parameter_rows, self._pending.expand_as(self._parameter_rows))
        fresh = self.task.initial_state(self._parameters, self.generator)
        self._episode_steps = self._episode_steps.masked_fill(ended, 0)
        self._partial = self._partial.masked_fill(ended, False)
        return self.task.state_type(*(torch.where(ended, new, old) for new, old in zip(fresh, state)))

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


class TorchEngine(Engine):
    """Every analytic task, wherever torch runs. Option: ``desynchronise``."""

    name = "torch"
    option_names = ("desynchronise",)

    def is_available(self) -> bool:
        """Always: torch is all that it needs."""
        return True

    def task_names(self) -> Tuple[str, ...]:
        """The analytic ones."""
        return tuple(analytic_tasks())

    def task_spec(self, task: str, num_envs: int, **options: Any) -> TaskSpec:
        """Spaces and sizes, from the task's declarations."""
        return analytic_tasks()[task].spec(num_envs)

    def make(
        self, task: str, num_envs: int, device: torch.device, generator: torch.Generator, **options: Any
    ) -> TorchSimulator:
        """A simulator that was not reset yet."""
        return TorchSimulator(analytic_tasks()[task](device), num_envs, device, generator, **options)
