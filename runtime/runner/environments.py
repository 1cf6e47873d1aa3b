"""What a runner trains in: a task by name, a simulator, or a program's own environments."""

from __future__ import annotations

import copy
import sys
from typing import Any, Callable, Optional, Tuple

import torch

from ..errors import DnneError, ParameterError, RunError
from ..simulators.factory import SIMULATOR_NAMES, available_tasks
from ..simulators.interface import Simulator, SimulatorError
from ..spaces import Box, Discrete, MultiDiscrete
from ..specs import TaskSpec
from ..suggest import did_you_mean
from .vector_simulator import VectorSimulator

MakeSimulator = Callable[[Any, torch.device, torch.Generator], Simulator]

NO_FILE = (
    "a workflow file cannot hold environments that a Python program made: give OnPolicyRunner the name of a task or of "
    "a registered Gymnasium id; docs/own_task.md shows how an environment of your own becomes a task"
)


class NamedEnvironment:
    """A task, or a registered Gymnasium id.

    Attributes:
        class_type, parameters: Of the environment node.
        action_limit: Of the action node.
        object: What the program gave, where that is an object.
    """

    action_limit = 1.0
    object: Any = None

    def __init__(self, name: str, num_envs: Optional[int], simulator: str):
        if simulator not in SIMULATOR_NAMES:
            hint = did_you_mean(simulator, SIMULATOR_NAMES)
            raise ParameterError(f"simulator is {simulator!r}{hint}; expected one of {', '.join(SIMULATOR_NAMES)}")
        self.name = name
        sizes = {} if num_envs is None else {"num_envs": num_envs}
        if simulator == "gymnasium" or (simulator == "auto" and _is_gymnasium(name)):
            self.class_type, self.parameters = "GymnasiumEnvNode", {"env_id": name, **sizes}
        else:
            self.class_type, self.parameters = "IsaacGymEnvNode", {"task": name, "simulator": simulator, **sizes}

    def bind(self, node: Any) -> None:
        """Its node needs nothing more."""

    def for_evaluation(self) -> NamedEnvironment:
        """A fresh graph has fresh environments."""
        return self


class ObjectEnvironment:
    """An object of the program.

    Args:
        env: The object.
        spec: Its sizes.
        make: Makes the simulator that stands for it.
        action_limit: Of the action node; 0 where the object takes any action.
        duplicate: Copies the object.
    """

    class_type = "ObjectEnvNode"

    def __init__(
        self,
        env: Any,
        spec: TaskSpec,
        make: MakeSimulator,
        action_limit: float = 1.0,
        duplicate: Callable[[Any], Any] = copy.deepcopy,
    ):
        self.object, self.spec, self.action_limit = env, spec, action_limit
        self.name = spec.name
        self.parameters = {"num_envs": spec.num_envs}
        self._make, self._duplicate = make, duplicate

    def bind(self, node: Any) -> None:
        """Give the object to its node."""
        node.source = self

    def simulator(self, device: torch.device, generator: torch.Generator) -> Simulator:
        """What the graph steps."""
        return self._make(self.object, device, generator)

    def for_evaluation(self) -> ObjectEnvironment:
        """A copy, whose episodes are none of the training's.

        Raises:
            RunError: The object cannot be copied.
        """
        try:
            duplicate = self._duplicate(self.object)
        except Exception as error:
            raise RunError(
                f"{self.name} cannot be copied for an evaluation ({type(error).__name__}: {error}); give "
                "OnPolicyRunner environments for that, too: eval_env=…"
            ) from error
        if hasattr(duplicate, "desynchronise"):
            duplicate.desynchronise = False
        return ObjectEnvironment(duplicate, self.spec, self._make, self.action_limit, self._duplicate)


def environment_of(env: Any, num_envs: Optional[int], simulator: str) -> Any:
    """What stands for ``env``.

    Args:
        env: A name, a `Simulator`, a ``gymnasium.vector.VectorEnv``, or a vectorised object; see `VectorSimulator`.
        num_envs: Parallel environments of a task by name; of objects only checked.
        simulator: Physics engine of a task by name.

    Raises:
        DnneError: It is none of these; says what is missing.
    """
    if isinstance(env, str):
        return NamedEnvironment(env, num_envs, simulator)
    if simulator != "auto":
        raise ParameterError(f"simulator={simulator!r} is for tasks by name, but env is an object")
    found = _object_environment(env)
    if num_envs not in (None, found.spec.num_envs):
        raise ParameterError(f"num_envs is {num_envs}, but env has {found.spec.num_envs} environments")
    return found


def _object_environment(env: Any) -> ObjectEnvironment:
    if isinstance(env, Simulator):
        return ObjectEnvironment(env, env.task_spec, lambda simulator, device, generator: _on(simulator, device))
    gymnasium = sys.modules.get("gymnasium")
    if gymnasium is not None and isinstance(env, gymnasium.vector.VectorEnv):
        from .gymnasium_vector import vector_environment

        return vector_environment(env)
    return _vectorised(env)


def _on(simulator: Simulator, device: torch.device) -> Simulator:
    if simulator.device != device:
        raise SimulatorError(f"env is a simulator on {simulator.device}, but the run's device is {device}")
    return simulator


def _vectorised(env: Any) -> ObjectEnvironment:
    name = type(env).__name__
    lacking = [attribute for attribute in ("num_envs", "reset", "step") if not hasattr(env, attribute)]
    if lacking:
        raise ParameterError(
            f"env is {name}, which has no {', '.join(lacking)}; expected the name of a task, a Simulator, a "
            "gymnasium.vector.VectorEnv or a vectorised environment"
        )
    num_envs = int(env.num_envs)
    action_space, to_env, limit = _action_space(env, name)
    spec = TaskSpec(
        name, num_envs, _observation_space(env, name, num_envs), action_space,
        max_episode_length=_whole(getattr(env, "max_episode_length", 0)),
    )  # fmt: skip
    return ObjectEnvironment(
        env, spec, lambda given, device, generator: VectorSimulator(given, spec, to_env(given), device), limit
    )


def _observation_space(env: Any, name: str, num_envs: int) -> Box:
    space = getattr(env, "single_observation_space", getattr(env, "observation_space", None))
    if isinstance(space, Box):
        return space
    shape = tuple(getattr(space, "shape", None) or ())
    if not shape:
        size = getattr(env, "num_obs", None)
        if size is None:
            raise ParameterError(f"env {name}: it needs an observation_space with a shape, or num_obs")
        shape = tuple(size) if isinstance(size, (list, tuple)) else (int(size),)
    elif len(shape) > 1 and shape[0] == num_envs:
        shape = shape[1:]
    if len(shape) == 3 and str(getattr(space, "dtype", "")) == "uint8":
        return Box(shape, 0.0, 255.0)
    return Box(shape)


def _action_space(env: Any, name: str) -> Tuple[Any, Callable[[Any], Callable[[torch.Tensor], Any]], float]:
    """The policy's space, what turns its actions into the object's, and the limit of continuous ones."""
    space = getattr(env, "single_action_space", getattr(env, "action_space", None))
    if space is None and getattr(env, "num_actions", None) is not None:
        space = Box((int(env.num_actions),))
    if isinstance(space, (Discrete, MultiDiscrete)):
        return space, _as_tensor, 1.0
    if isinstance(space, Box):
        return space, _as_tensor, 0.0 if space.low == float("-inf") else 1.0
    if space is None:
        raise ParameterError(f"env {name}: it needs an action_space, or num_actions")
    from ..simulators.gymnasium_spaces import action_codec

    codec = action_codec(name, space)
    bounded = not isinstance(codec.space, Box) or bool(space.is_bounded())
    return codec.space, lambda given: _through_codec(given, codec.to_array), 1.0 if bounded else 0.0


def _as_tensor(env: Any) -> Callable[[torch.Tensor], Any]:
    device = getattr(env, "device", None)
    return lambda actions: actions if device is None else actions.to(device)


def _through_codec(env: Any, to_array: Callable[[torch.Tensor], Any]) -> Callable[[torch.Tensor], Any]:
    """Tensors for an object that names its device, arrays for any other."""
    device = getattr(env, "device", None)
    if device is None:
        return to_array
    return lambda actions: torch.as_tensor(to_array(actions), device=device)


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


def _is_gymnasium(name: str) -> bool:
    """Whether Gymnasium alone has a task of this name.

    Raises:
        SimulatorError: No engine has it.
    """
    try:
        own = name in available_tasks("torch") or name in available_tasks("mujoco")
    except DnneError:
        own = name in available_tasks("torch")
    return not own and name in _gymnasium_tasks()


def _gymnasium_tasks() -> Tuple[str, ...]:
    try:
        return available_tasks("gymnasium")
    except SimulatorError:
        return ()
