"""What is known of a value before a run: shapes, dtypes and the task that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, Optional, Tuple

from .suggest import did_you_mean

Shape = Tuple[Optional[int], ...]


@dataclass(frozen=True)
class TaskSpec:
    """The spaces and sizes of a task, as an environment node announces them.

    Attributes:
        name: Task name, for errors ("Cartpole").
        num_envs: Number of parallel environments, N.
        observation_space: A `runtime.spaces` space of one environment's observation.
        action_space: A `runtime.spaces` space of one environment's action.
        critic_observation_space: Privileged observations of the critic, where the task has them.
        max_episode_length: Steps after which an episode is truncated.
        action_effort: Physical force or torque that an action of 1 stands for, per action. Unit: N or N·m.
        task_parameters: Names of the difficulty settings that a curriculum may write.
        reward_components: Names of the parts that the reward is made of.
        success_return: An episode with this return or more is a success, where the task defines one.
    """

    name: str
    num_envs: int
    observation_space: Any
    action_space: Any
    critic_observation_space: Any = None
    max_episode_length: int = 0
    action_effort: Tuple[float, ...] = ()
    task_parameters: Tuple[str, ...] = ()
    reward_components: Tuple[str, ...] = ()
    success_return: Optional[float] = None


@dataclass(frozen=True)
class Spec:
    """Shape, dtype and task of a port's values; ``None`` where it is not known.

    Attributes:
        shape: Whole shape with the batch in front; an unknown length is ``None``.
        dtype: ``float32``, ``int64``, ``bool``, … or ``""``.
        task: The task whose data this is, carried along from the environment.
        transformed: Names of the observation transforms (normaliser, frame stack) that the value went through.
        keys: Names of the entries of a dictionary, where they are known.
    """

    shape: Optional[Shape] = None
    dtype: str = ""
    task: Optional[TaskSpec] = None
    transformed: Tuple[str, ...] = field(default=())
    keys: Tuple[str, ...] = ()

    def with_shape(self, shape: Optional[Shape]) -> Spec:
        """A copy with another shape."""
        return replace(self, shape=shape)

    @property
    def text(self) -> str:
        """For wires and errors: ``float32 (64, 4)``."""
        if self.shape is None:
            return self.dtype
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        comma = "," if len(self.shape) == 1 else ""
        return f"{self.dtype} ({sizes}{comma})".strip()


UNKNOWN = Spec()


class Specs(Dict[str, Spec]):
    """Specs by port; nothing is known of a port that is not connected."""

    def __missing__(self, port: str) -> Spec:
        return UNKNOWN


def check_task_parameters(task: TaskSpec, names: Iterable[str], port: str) -> Iterable[Tuple[str, str, str]]:
    """Findings of a node's check: names that are no settings of the task."""
    for name in names:
        if name not in task.task_parameters:
            known = ", ".join(task.task_parameters) or "none"
            hint = did_you_mean(name, task.task_parameters)
            yield port, f"{task.name} has no task parameter {name!r}{hint}", f"it has {known}"


def shapes_agree(first: Optional[Shape], second: Optional[Shape]) -> bool:
    """True unless two known lengths, or two known ranks, differ."""
    if first is None or second is None:
        return True
    if len(first) != len(second):
        return False
    return all(a is None or b is None or a == b for a, b in zip(first, second))
