"""Tasks whose physics an engine computes: the model that it loads, and how its measurements become the task's state."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Dict, NamedTuple, Optional, Tuple, Type, Union

import torch
from torch import Tensor

from ...errors import TaskDefinitionError
from .physics_state import PhysicsState, map_tensors
from .task import ParameterTensors, State, Task, TaskParameter

MODELS_FOLDER = Path(__file__).resolve().parents[3] / "resources" / "models"
"""Models of the built-in tasks; in an export it lies beside ``framework``."""

STARTS_KEPT = 64
"""Numbers of environments that begin together for which the start is kept, as views."""


@dataclass(frozen=True)
class PhysicsModel:
    """A robot on the ground, and how it is driven and measured. Up is z.

    Attributes:
        file: MJCF file: its full path, or its name in `MODELS_FOLDER`.
        joints: Names of the hinges and slides whose positions and velocities are measured, D; a free joint of the root
            is not among them.
        actuated_joints: Names of the joints that actions drive, in the order of the actions. The others swing freely.
        root_body: Name of the body that carries all others.
        sensor_bodies: Names of the bodies whose wrenches are measured, S.
        fixed_base: Whether the root cannot move.
        self_collision: Whether the robot's bodies collide with one another.
        local_angular_velocities: Whether ``root_angular_velocities`` are in the root's own frame, as MuJoCo measures
            them, and not in the world's.
        measures_joint_forces: Whether the task reads ``joint_forces``; they are zero where it does not.
        start_position: Of the root, in metres.
        start_rotation: Of the root, as a quaternion x, y, z, w.
        joint_limits: Lower and upper limit of every joint, in metres or radians; infinite where there is none.
        joint_speed_limits: Greatest speed of every joint, in m/s or rad/s; empty where no joint has one.
    """

    file: str
    joints: Tuple[str, ...]
    actuated_joints: Tuple[str, ...]
    root_body: str
    sensor_bodies: Tuple[str, ...] = ()
    fixed_base: bool = False
    self_collision: bool = False
    local_angular_velocities: bool = False
    measures_joint_forces: bool = False
    start_position: Tuple[float, float, float] = (0.0, 0.0, 0.0)
    start_rotation: Tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    joint_limits: Tuple[Tuple[float, float], ...] = ()
    joint_speed_limits: Tuple[float, ...] = ()

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return MODELS_FOLDER / self.file


class BodyProperties(NamedTuple):
    """Mass of a body, one row per environment. Frame: the body's own.

    Attributes:
        masses: Unit: kg. Shape: (N,).
        centres: Centre of mass. Unit: m. Shape: (N, 3).
        inertias: Moments of inertia about the centre of mass, along the body's axes. Unit: kg·m². Shape: (N, 3).
    """

    masses: Tensor
    centres: Tensor
    inertias: Tensor


def start_ranges(position: float = 0.2, velocity: float = 0.1) -> Tuple[TaskParameter, TaskParameter]:
    """The task parameters of `PhysicsTask.initial_physics`, with these defaults."""
    doc = "Joint {} are moved by up to ± this at the start of an episode"
    return (
        TaskParameter("start_position_range", position, 0.0, math.pi, "m or rad", doc.format("positions")),
        TaskParameter("start_velocity_range", velocity, 0.0, 10.0, "m/s or rad/s", doc.format("velocities")),
    )


class ActedState(NamedTuple):
    """State of a task that remembers nothing but its last actions.

    Attributes:
        physics: What the engine measures.
        actions: The last ones, limited to [-1, 1]; zero at the start of an episode. Shape: (N, A).
    """

    physics: PhysicsState
    actions: Tensor


class PhysicsTask(Task):
    """A task for any engine that loads its model.

    The engine begins episodes with `initial_state`, writes its `physics` into the simulation, and after every step
    makes the next state from what it measures with `next_state`. A state is a named tuple, maybe of further ones, of
    tensors with the environments in front. What belongs to the episode (last actions, potentials) is a part of it, so
    that it is saved and resumed with the physics. `observe` and `evaluate` are functions of it alone.

    Attributes:
        model: The robot.
        joint_limits: Lower and upper limits of the joints, infinite where there are none. Shape of each: (D,).
    """

    model: ClassVar[PhysicsModel]
    parameters: ClassVar[Tuple[TaskParameter, ...]] = start_ranges()

    def __init_subclass__(cls, **options: Any) -> None:
        """Check the declarations.

        Raises:
            TaskDefinitionError: Sizes that must agree do not.
        """
        super().__init_subclass__(**options)
        _check_declarations(cls)

    def __init__(self, device: Union[torch.device, str] = "cpu"):
        super().__init__(device)
        limits = self.model.joint_limits or ((-math.inf, math.inf),) * len(self.model.joints)
        lower, upper = torch.tensor(limits, dtype=torch.float32, device=self.device).unbind(1)
        self.joint_limits = lower, upper
        self._start = self._start_row()
        self._starts = lru_cache(maxsize=STARTS_KEPT)(self._expanded_start)

    @classmethod
    def files(cls) -> Tuple[Path, ...]:
        """The model."""
        return (cls.model.path,)

    def initial_physics(self, parameters: ParameterTensors, generator: Optional[torch.Generator]) -> PhysicsState:
        """Draw first positions and velocities of one episode for every row of ``parameters``.

        The model's `start`, with joint positions moved by U(±start_position_range) within their limits, and joint
        velocities from U(±start_velocity_range).
        """
        positions, velocities = parameters["start_position_range"], parameters["start_velocity_range"]
        start = self.start(positions.numel())
        draws = torch.empty(2, *start.joint_positions.shape, device=self.device).uniform_(
            -1.0, 1.0, generator=generator
        )
        joints = start.joint_positions + draws[0] * positions.unsqueeze(1)
        return start._replace(
            joint_positions=torch.clamp(joints, *self.joint_limits),
            joint_velocities=draws[1] * velocities.unsqueeze(1),
        )

    def initial_state(self, parameters: ParameterTensors, generator: Optional[torch.Generator]) -> State:
        """Draw the first state of one episode for every row of ``parameters``."""
        return self.first_state(self.initial_physics(parameters, generator))

    def first_state(self, physics: PhysicsState) -> State:
        """State of episodes that begin with these positions and velocities."""
        return ActedState(physics, physics.joint_positions.new_zeros(len(physics.joint_positions), self.action_count))

    def next_state(self, previous: State, physics: PhysicsState, actions: Tensor) -> State:
        """State after a step.

        Args:
            previous: State before the step; it is left alone.
            physics: What the engine measured after it. Its tensors belong to the new state.
            actions: Limited to [-1, 1]. Shape: (N, A).
        """
        return ActedState(physics, actions)

    def physics(self, state: State) -> PhysicsState:
        """The positions and velocities of a state, for an engine that begins an episode with it."""
        return state.physics

    def efforts(self, parameters: ParameterTensors) -> Tensor:
        """Force (N) or torque (N·m) at an action of 1. Shape: (A,), or (N, A) where a task parameter changes it."""
        return torch.tensor(self.action_effort, dtype=torch.float32, device=self.device)

    def bodies(self, parameters: ParameterTensors) -> Dict[str, BodyProperties]:
        """Bodies whose mass the task parameters set, by name; an engine applies them when it begins an episode."""
        return {}

    @property
    def action_count(self) -> int:
        """Number of actions, A."""
        return len(self.model.actuated_joints)

    def start(self, count: int) -> PhysicsState:
        """The model's start pose at rest, for some environments: joints at 0, or at the limit that is nearest to it.

        The rows may share memory: do not write to them.
        """
        return self._starts(count)

    def _expanded_start(self, count: int) -> PhysicsState:
        return map_tensors(lambda row: row.expand(count, *row.shape[1:]), self._start)

    def _start_row(self) -> PhysicsState:
        model, device = self.model, self.device
        joints = torch.clamp(torch.zeros(1, len(model.joints), device=device), *self.joint_limits)
        return PhysicsState(
            joint_positions=joints,
            joint_velocities=torch.zeros_like(joints),
            root_positions=torch.tensor([model.start_position], dtype=torch.float32, device=device),
            root_rotations=torch.tensor([model.start_rotation], dtype=torch.float32, device=device),
            root_linear_velocities=torch.zeros(1, 3, device=device),
            root_angular_velocities=torch.zeros(1, 3, device=device),
            sensor_wrenches=torch.zeros(1, len(model.sensor_bodies), 6, device=device),
            joint_forces=torch.zeros_like(joints),
        )


def _check_declarations(task: Type[PhysicsTask]) -> None:
    """What must agree in a task that declares a model; one without is a base of others."""
    model = getattr(task, "model", None)
    if model is None:
        return
    joints, actions = len(model.joints), len(model.actuated_joints)
    unknown = [name for name in model.actuated_joints if name not in model.joints]
    findings = [
        (bool(unknown), f"actuated joints {unknown} are not among its joints"),
        (task.action_space.shape != (actions,), f"action_space is {task.action_space.shape}, expected {(actions,)}"),
        (len(task.action_effort) != actions, f"action_effort has {len(task.action_effort)} values, expected {actions}"),
        (len(model.joint_limits) not in (0, joints), f"joint_limits must be {joints} pairs, or none"),
        (len(model.joint_speed_limits) not in (0, joints), f"joint_speed_limits must be {joints} numbers, or none"),
        (not task.parameters, "parameters must hold one at least, such as those of start_ranges()"),
    ]
    for is_wrong, text in findings:
        if is_wrong:
            raise TaskDefinitionError(f"task {task.__name__}: {text}")
