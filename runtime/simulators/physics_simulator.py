"""A simulator for tasks with a model: drives a physics engine, and keeps episodes, task memory and task parameters."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..errors import CheckpointError
from .episode_clock import EpisodeClock
from .interface import Dones, Simulator, SimulatorError, StepResult, ViewerState
from .parameter_table import ParameterTable
from .physics_backend import PhysicsBackend
from .tasks.physics_state import map_tensors, replace_rows, tensors_of
from .tasks.physics_task import PhysicsTask
from .tasks.task import Evaluation, ParameterTensors, State

LARGEST = 1e10
"""Physics has gone bad where an observation is not finite or larger than this, MuJoCo's own limit."""
BAD_PHYSICS = ("error", "reset")
"""What may be done then."""


class PhysicsSimulator(Simulator):
    """N environments of a physical task.

    State tensors are replaced, never written to, so that what a step returned stays as it was.

    Args:
        task: The task.
        backend: N copies of its model.
        num_envs: Number of environments, N.
        generator: Source of all randomness, on the task's device.
        desynchronise: `reset` puts every environment at a random step of its episode; see `TorchSimulator`.
        on_bad_physics: Where an action or the physics of an environment is not finite: ``error`` raises, ``reset``
            begins a new episode there. That step gives the reward 0 and truncates, with the last finite observation.
    """

    def __init__(
        self,
        task: PhysicsTask,
        backend: PhysicsBackend,
        num_envs: int,
        generator: torch.Generator,
        desynchronise: bool = False,
        on_bad_physics: str = "error",
    ):
        if on_bad_physics not in BAD_PHYSICS:
            raise SimulatorError(f"on_bad_physics must be one of {', '.join(BAD_PHYSICS)}, got {on_bad_physics!r}")
        self.task = task
        self.backend = backend
        self.num_envs = num_envs
        self.device = task.device
        self.task_spec = task.spec(num_envs)
        self.generator = generator
        self.desynchronise = desynchronise
        self.on_bad_physics = on_bad_physics
        self.bad_physics_resets = 0
        self._action_shape = (num_envs, *task.action_space.shape)
        self._range = task.constant(-1.0), task.constant(1.0)
        self._all = torch.arange(num_envs, device=self.device)
        self._table = ParameterTable(type(task), num_envs, self.device)
        self._state: Optional[State] = None
        self._observations: Optional[Tensor] = None
        self._clock = EpisodeClock(num_envs, task.max_episode_length, self.device)
        self._efforts = task.efforts(self._table.values)

    def reset(self) -> Tensor:
        """Begin a new episode in every environment. Returns the observations. Shape: (N, *observation)."""
        self._state = self._begin_physics(self._all)
        self._observations = self.task.observe(self._state)
        steps = torch.zeros(self.num_envs, dtype=torch.int64, device=self.device)
        if self.desynchronise:
            steps.random_(0, self.task.max_episode_length, generator=self.generator)
        self._clock.restart(steps, steps > 0)
        return self._observations

    def step(self, actions: Tensor) -> StepResult:
        """Advance every environment by one control step; see `Simulator.step`. Gradients do not flow through it."""
        previous, earlier = self._present()
        if actions.shape != self._action_shape:
            raise SimulatorError(
                f"{self.task.name}: actions have the shape {tuple(actions.shape)}, expected {self._action_shape}"
            )
        if actions.requires_grad:
            actions = actions.detach()
        actions = torch.clamp(actions.float(), *self._range)
        physics = self.backend.advance(actions * self._efforts)
        self._state = state = self.task.next_state(previous, physics, actions)
        observations = self.task.observe(state)
        evaluation = self.task.evaluate(state, observations)
        timed_out = self._clock.tick()
        if _is_bad(actions, observations):
            bad = _bad_rows(actions, observations)
            observations, evaluation, timed_out = self._take_out(
                bad, _Step(earlier, observations, evaluation, timed_out)
            )
        rewards, terminated, components = evaluation
        self._observations = observations
        if timed_out is None:
            truncated, ended = torch.zeros_like(terminated), terminated
        else:
            truncated, ended = timed_out > terminated, timed_out | terminated
        env_ids = ended.nonzero()
        if env_ids.numel():
            self._begin_episodes(env_ids.squeeze(1))
        return StepResult(self._observations, rewards, Dones(terminated, truncated, observations), components, {})

    def observations(self) -> Tensor:
        """What the policy sees in the present state. Shape: (N, *observation)."""
        return self._present()[1]

    @property
    def episode_steps(self) -> Tensor:
        """Steps since the present episode of each environment began. Shape: (N,) int64."""
        return self._clock.steps

    @property
    def partial(self) -> Tensor:
        """True where the present episode did not begin at its step 0. Shape: (N,) bool."""
        return self._clock.partial

    def set_task_parameters(self, values: Dict[str, float]) -> None:
        """Change task parameters from each environment's next reset on; see `Simulator.set_task_parameters`."""
        self._table.change(values)

    def task_parameters(self) -> ParameterTensors:
        """The values in force, by name. Shape of each: (N,)."""
        return dict(self._table.values)

    def viewer_state(self, env_ids: Sequence[int]) -> Optional[ViewerState]:
        """What the engine gives to draw its model; None before the first reset, and where it gives nothing."""
        if self._state is None or not self.backend.viewer_kind:
            return None
        rows = torch.as_tensor(list(env_ids), device=self.device, dtype=torch.int64)
        description = {"seconds_per_step": repr(self.task.timestep), **self.backend.viewer_description()}
        return ViewerState(self.backend.viewer_kind, tuple(env_ids), self.backend.viewer_values(rows), description)

    def metrics(self) -> Dict[str, float]:
        """``simulation/bad_physics_resets``, where such resets are asked for."""
        if self.on_bad_physics == "error":
            return {}
        return {"simulation/bad_physics_resets": float(self.bad_physics_resets)}

    def state_dict(self) -> Dict[str, Any]:
        """Physics, task memory, episode counters and task parameters; the generator is saved by its owner."""
        return {
            "task": self.task.name,
            "state": None if self._state is None else [tensor.clone() for tensor in tensors_of(self._state)],
            "observations": None if self._observations is None else self._observations.clone(),
            "physics": self.backend.state_dict(),
            "episode_steps": self._clock.steps,
            "partial": self._clock.partial.clone(),
            "bad_physics_resets": self.bad_physics_resets,
            **self._table.state_dict(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on from a saved state, on this simulator's device; see `Simulator.load_state_dict`."""
        self._check_fits(state)
        self._table.load_state_dict(state)
        if not self._table.is_default:
            self._apply_parameters(self._all)
        self._state = self._observations = None
        if state["state"] is not None:
            self._state = self._rebuilt(state["state"])
            self._observations = self._on_device(state["observations"])
            self.backend.place(self._all, self.task.physics(self._state))
        self.backend.load_state_dict(state["physics"])
        self._clock.restart(self._on_device(state["episode_steps"]), self._on_device(state["partial"]))
        self.bad_physics_resets = int(state["bad_physics_resets"])

    def close(self) -> None:
        """Release the engine's resources."""
        self.backend.close()

    def _present(self) -> Tuple[State, Tensor]:
        if self._state is None or self._observations is None:
            raise SimulatorError(f"{self.task.name}: the simulator must be reset before it is used")
        return self._state, self._observations

    def _rebuilt(self, tensors: List[Tensor]) -> State:
        """A saved state in the task's own types."""
        template = self.task.initial_state(self._table.values, torch.Generator(device=self.device))
        own, saved = [tensor.shape for tensor in tensors_of(template)], [tensor.shape for tensor in tensors]
        if own != saved:
            raise CheckpointError(f"saved simulator state: the task's tensors have the shapes {saved}, expected {own}")
        rows = iter(tensors)
        return map_tensors(lambda _: self._on_device(next(rows)), template)

    def _begin_episodes(self, env_ids: Tensor) -> None:
        _, observations = self._present()
        fresh = self._begin_physics(env_ids)
        self._state = replace_rows(self._state, env_ids, fresh)
        self._observations = observations.index_copy(0, env_ids, self.task.observe(fresh))
        self._clock.begin(env_ids)

    def _begin_physics(self, env_ids: Tensor) -> State:
        """Put environments to their first state; the state. Rows: those of the ids."""
        parameters = self._table.begin(env_ids)
        if not self._table.is_default:
            self._apply_parameters(env_ids)
        fresh = self.task.initial_state(parameters, self.generator)
        self.backend.place(env_ids, self.task.physics(fresh))
        return fresh

    def _apply_parameters(self, env_ids: Tensor) -> None:
        self._efforts = self.task.efforts(self._table.values)
        changed = self._table.differs(env_ids)
        rows = {name: values.index_select(0, env_ids[changed]) for name, values in self._table.values.items()}
        bodies = self.task.bodies(rows)
        if bodies:
            self.backend.set_bodies(env_ids[changed], bodies)
            self.backend.restore_bodies(env_ids[~changed], tuple(bodies))

    def _take_out(self, bad: Tensor, step: "_Step") -> Tuple[Tensor, Evaluation, Tensor]:
        """End the episodes of bad environments as if their time were up, or raise."""
        if self.on_bad_physics == "error":
            self._raise_bad(bad)
        self.bad_physics_resets += int(bad.sum())
        observations = torch.where(bad.unsqueeze(1), step.earlier, step.observations)
        rewards, terminated, components = step.evaluation
        components = {name: values.masked_fill(bad, 0.0) for name, values in components.items()}
        evaluation = Evaluation(rewards.masked_fill(bad, 0.0), terminated & ~bad, components)
        return observations, evaluation, bad if step.timed_out is None else step.timed_out | bad

    def _raise_bad(self, bad: Tensor) -> None:
        env_id = int(bad.nonzero()[0])
        step = int(self._clock.steps[env_id])
        others = int(bad.sum()) - 1
        also = f" (and {others} more environments)" if others else ""
        raise SimulatorError(
            f"{self.task.name}: environment {env_id}{also}, step {step} of its episode: the action or the physics is "
            "not finite; reduce the learning rate or the efforts, or set on_bad_physics to reset, to begin a new "
            "episode there"
        )

    def _on_device(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, copy=True)

    def _check_fits(self, state: Dict[str, Any]) -> None:
        missing = [name for name in self.state_dict() if name not in state]
        if missing:
            raise CheckpointError(f"saved simulator state: {', '.join(missing)} missing")
        found = (state["task"], len(state["episode_steps"]), list(state["parameter_names"]))
        expected = (self.task.name, self.num_envs, self._table.names)
        for what, saved, own in zip(("task", "number of environments", "task parameters"), found, expected):
            if saved != own:
                raise CheckpointError(f"saved simulator state: the {what} is {saved!r}, expected {own!r}")


class _Step(NamedTuple):
    """What a step gave before bad environments are taken out of it."""

    earlier: Tensor
    observations: Tensor
    evaluation: Evaluation
    timed_out: Optional[Tensor]


def _is_bad(actions: Tensor, observations: Tensor) -> bool:
    """Whether any row is bad, by numbers that a GPU is asked for once."""
    numbers: Sequence[Any] = (*torch.aminmax(observations), actions.sum())
    if observations.is_cuda:
        numbers = torch.stack(tuple(numbers)).tolist()
    low, high, total = map(float, numbers)
    return not (low > -LARGEST and high < LARGEST and total < LARGEST)


def _bad_rows(actions: Tensor, observations: Tensor) -> Tensor:
    fine = (observations.flatten(1).abs() < LARGEST).all(1) & actions.flatten(1).isfinite().all(1)
    return ~fine
