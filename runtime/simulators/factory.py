"""Simulators by name: which engines there are, which tasks they have, and how a simulator is made."""

from typing import Any, Iterable, List, Optional, Tuple, Union

import torch

from ..specs import TaskSpec
from ..suggest import did_you_mean
from .engine import Engine
from .gymnasium_engine import GymnasiumEngine
from .interface import Simulator, SimulatorError
from .isaacgym_engine import IsaacGymEngine
from .isaacgymenvs_engine import IsaacGymEnvsEngine
from .mujoco_engine import MujocoEngine
from .torch_engine import TorchEngine

ENGINES: Tuple[Engine, ...] = (
    IsaacGymEngine(),
    MujocoEngine(),
    TorchEngine(),
    GymnasiumEngine(),
    IsaacGymEnvsEngine(),
)
"""The engines of this version, in the order in which ``auto`` prefers them: Isaac Gym, then MuJoCo, then torch.

Gymnasium and IsaacGymEnvs have tasks of their own, and stand last.
"""

LISTED = 30
"""Engines with more tasks than this do not list them in errors."""

SIMULATOR_NAMES = ("auto", "isaacgym", "isaacgymenvs", "mujoco", "gymnasium", "torch")
"""What a workflow file may name; those without an engine in this version are refused when a simulator is made."""


def available_simulators() -> Tuple[str, ...]:
    """Names of the engines that can be used here and now, in the order in which ``auto`` prefers them."""
    return tuple(engine.name for engine in ENGINES if engine.is_available())


def available_tasks(simulator: str = "auto") -> Tuple[str, ...]:
    """Names of the tasks of an engine, or of all engines together.

    Raises:
        SimulatorError: The engine is unknown or cannot be used.
    """
    return tuple(sorted({task for engine in _engines(simulator) for task in engine.task_names()}))


def task_spec(task: str, num_envs: int, simulator: str = "auto", **options: Any) -> TaskSpec:
    """Spaces and sizes of a task, without making a simulator.

    Args:
        task, num_envs, simulator: As for `make_simulator`.
        options: Those options of the engine that its spaces depend on.

    Raises:
        SimulatorError: The task or the engine is unknown, or ``num_envs`` is not a positive number.
    """
    _check_num_envs(num_envs)
    return _engine_for(simulator, task).task_spec(task, num_envs, **options)


def make_simulator(
    simulator: str,
    task: str,
    num_envs: int,
    device: Union[torch.device, str],
    generator: torch.Generator,
    **options: Any,
) -> Simulator:
    """Make a simulator; it must be reset, or loaded with a state, before its first step.

    Args:
        simulator: An engine's name, or ``auto`` for the first engine of `ENGINES` that is available and has the task.
        task: Name of a task.
        num_envs: Number of environments, N.
        device: Where the tensors live.
        generator: Source of all randomness, on the same device; its state is saved by the caller.
        options: Options of the engine; see `option_names`.

    Raises:
        SimulatorError: An argument is wrong; the message says what would be right.
    """
    _check_num_envs(num_envs)
    device = torch.device(device)
    if generator.device.type != device.type:
        raise SimulatorError(
            f"the generator is on {generator.device}, the simulator on {device}: they must be the same"
        )
    engine = _engine_for(simulator, task)
    for name in options:
        if name not in engine.option_names:
            hint = did_you_mean(name, engine.option_names)
            raise SimulatorError(f"simulator {engine.name!r} has no option {name!r}{hint}")
    return engine.make(task, num_envs, device, generator, **options)


def requirements(simulator: str, task: str) -> Tuple[str, ...]:
    """What must be installed for a task on an engine, see `Engine.requirements`; nothing certain for ``auto``."""
    engine = _named_engine(simulator)
    return engine.requirements(task) if engine is not None else ()


def option_names(simulator: str, task: str) -> Tuple[str, ...]:
    """Names of the options that the engine of a task takes.

    Raises:
        SimulatorError: The task or the engine is unknown, or cannot be used.
    """
    return _engine_for(simulator, task).option_names


def _engine_for(simulator: str, task: str) -> Engine:
    engines = _engines(simulator)
    for engine in engines:
        if task in engine.task_names():
            return engine
    names = {name for engine in engines for name in engine.task_names()}
    few = {name for engine in engines if len(engine.task_names()) <= LISTED for name in engine.task_names()}
    hint = (_elsewhere(task) if simulator == "auto" else "") or did_you_mean(task, names)
    where = "no simulator has" if simulator == "auto" else f"simulator {simulator!r} does not have"
    raise SimulatorError(f"{where} a task {task!r}{hint}{_listing(few)}")


def _elsewhere(task: str) -> str:
    """Engines that have the task, but cannot be used."""
    unusable = [engine for engine in ENGINES if not engine.is_available() and task in engine.task_names()]
    return "".join(f"; simulator {engine.name!r} has it, but {engine.unavailable_reason()}" for engine in unusable)


def _listing(names: Iterable[str]) -> str:
    listed = ", ".join(sorted(names))
    return f"; there are: {listed}; a task of your own is found with --nodes-dir DIR" if listed else ""


def _engines(simulator: str) -> List[Engine]:
    """The engine of that name, or all that are available."""
    if simulator == "auto":
        return [engine for engine in ENGINES if engine.is_available()]
    engine = _named_engine(simulator)
    usable = ", ".join(repr(name) for name in ("auto", *available_simulators()))
    if engine is None:
        if simulator in SIMULATOR_NAMES:
            raise SimulatorError(f"simulator {simulator!r} is not part of this version of DNNE; use one of {usable}")
        hint = did_you_mean(simulator, SIMULATOR_NAMES)
        raise SimulatorError(f"there is no simulator {simulator!r}{hint}; use one of {usable}")
    reason = engine.unavailable_reason()
    if reason:
        raise SimulatorError(f"simulator {simulator!r} {reason}; use one of {usable}")
    return [engine]


def _named_engine(name: str) -> Optional[Engine]:
    return next((engine for engine in ENGINES if engine.name == name), None)


def _check_num_envs(num_envs: int) -> None:
    if isinstance(num_envs, bool) or not isinstance(num_envs, int) or num_envs < 1:
        raise SimulatorError(f"num_envs must be a whole number of at least 1, got {num_envs!r}")
