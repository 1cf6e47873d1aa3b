"""What a task declares and computes. A task holds no state: every engine drives the same functions.

Tensors of analytic tasks have the environments, N, in their last dimension unless a docstring says otherwise; those
of physical tasks have them in front.
"""

import math
import numbers
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Dict, Mapping, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor

from ...errors import ParameterError
from ...spaces import Box
from ...specs import TaskSpec
from ...suggest import did_you_mean

State = Any
"""The state that a task works on: a NamedTuple of tensors of its own, maybe nested."""

ParameterTensors = Dict[str, Tensor]
"""Values of the task parameters by name, one per environment. Shape of each: (N,)."""


@dataclass(frozen=True)
class TaskParameter:
    """A setting of a task that a curriculum may write, in force at each environment's next reset.

    Attributes:
        name: Its name, a Python identifier.
        default: Value of the task as it is published.
        low, high: Range, both ends included.
        unit: Unit of the value.
        doc: What it changes.
    """

    name: str
    default: float
    low: float
    high: float
    unit: str
    doc: str


class Evaluation(NamedTuple):
    """Reward of one step and whether the task ended the episode.

    Attributes:
        rewards: Shape: (N,).
        terminated: Shape: (N,) bool.
        components: Parts of the reward by name; their sum is ``rewards``, to the rounding. Shape of each: (N,).
    """

    rewards: Tensor
    terminated: Tensor
    components: Dict[str, Tensor]


class Task(ABC):
    """One task: declarations as class attributes, and pure functions.

    Args:
        device: Where the tensors of the simulation live.

    Attributes:
        name: Name in workflow files.
        observation_space, action_space: Of one environment.
        max_episode_length: Steps after which an episode is truncated.
        timestep: Seconds that one action is applied for.
        substeps: Integration steps of the physics per action.
        action_effort: Force (N) or torque (N·m) that an action of 1 stands for, per action.
        parameters: The settings that a curriculum may write.
        reward_components: Names of the parts of the reward, in their order.
        success_return: An episode with this return or more is a success; ``None`` where there is no such thing.
    """

    name: ClassVar[str]
    observation_space: ClassVar[Box]
    action_space: ClassVar[Box]
    max_episode_length: ClassVar[int]
    timestep: ClassVar[float]
    substeps: ClassVar[int]
    action_effort: ClassVar[Tuple[float, ...]]
    parameters: ClassVar[Tuple[TaskParameter, ...]]
    reward_components: ClassVar[Tuple[str, ...]]
    success_return: ClassVar[Optional[float]] = None

    def __init__(self, device: Union[torch.device, str] = "cpu"):
        self.device = torch.device(device)

    def constant(self, value: Any) -> Tensor:
        """A number, or rows of them, as a tensor: half the cost of Python numbers in operations on small tensors."""
        return torch.tensor(value, dtype=torch.float32, device=self.device)

    @classmethod
    def spec(cls, num_envs: int) -> TaskSpec:
        """Spaces and sizes of N environments of this task; needs no engine."""
        return TaskSpec(
            name=cls.name,
            num_envs=num_envs,
            observation_space=cls.observation_space,
            action_space=cls.action_space,
            max_episode_length=cls.max_episode_length,
            action_effort=cls.action_effort,
            task_parameters=tuple(parameter.name for parameter in cls.parameters),
            reward_components=cls.reward_components,
            success_return=cls.success_return,
        )

    @classmethod
    def files(cls) -> Tuple[Path, ...]:
        """Files that it reads, which an export carries beside its own."""
        return ()

    @classmethod
    def check_parameters(cls, values: Mapping[str, float]) -> None:
        """Check names and values of task parameters.

        Raises:
            ParameterError: A name is unknown, or a value is not a finite number in its range.
        """
        known = {parameter.name: parameter for parameter in cls.parameters}
        for name, value in values.items():
            if name not in known:
                hint = did_you_mean(str(name), known)
                raise ParameterError(f"{cls.name} has no task parameter {name!r}{hint}; it has {', '.join(known)}")
            _check_range(cls.name, known[name], value)

    @abstractmethod
    def observe(self, state: State) -> Tensor:
        """Observations of a state; the docstring gives every index, scale and source.

        Returns:
            Shape: (N, *observation) float32, contiguous.
        """

    @abstractmethod
    def evaluate(self, state: State, observations: Optional[Tensor] = None) -> Evaluation:
        """Reward of the step that led to a state, and whether the episode ends there.

        Args:
            observations: What `observe` gives for the state, where the caller has it: a task whose reward is made of
                observations need not compute them twice. The result is the same without.
        """

    @abstractmethod
    def initial_state(self, parameters: ParameterTensors, generator: Optional[torch.Generator]) -> State:
        """Draw the first state of one episode for every row of ``parameters``."""


class AnalyticTask(Task):
    """A task that brings its own equations of motion, and so needs no physics engine.

    Attributes:
        state_type: The NamedTuple of its physical state.
        viewer_kind: How a viewer draws it (see `ViewerState`); empty where it cannot be drawn.
    """

    state_type: ClassVar[type]
    viewer_kind: ClassVar[str] = ""

    @abstractmethod
    def constants(self, parameters: ParameterTensors) -> Any:
        """What the equations of motion need of the parameters, computed once per change."""

    @abstractmethod
    def advance(self, state: State, actions: Tensor, constants: Any) -> State:
        """Advance the physics by one control step; new tensors, the given state is left alone.

        Args:
            actions: Clamped to [-1, 1]; NaN stays NaN. Shape: (N, *action), environments first.
        """

    def viewer_state(self, state: State, parameters: ParameterTensors) -> Dict[str, Tensor]:
        """What a viewer of the kind ``viewer_kind`` needs to draw the environments. Shape of each: (N,)."""
        return {}


def _check_range(task: str, parameter: TaskParameter, value: Any) -> None:
    expected = f"a number from {parameter.low:g} to {parameter.high:g} ({parameter.unit})"
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not parameter.low <= value <= parameter.high:
        raise ParameterError(f"{task}: task parameter {parameter.name!r} must be {expected}, got {value!r}")
