"""Every environment that is registered with Gymnasium (https://gymnasium.farama.org)."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from functools import lru_cache, partial
from typing import Any, Dict, NamedTuple, Optional, Tuple

import torch

from ..specs import TaskSpec
from ..suggest import did_you_mean
from .engine import Engine
from .gymnasium_simulator import GymnasiumSimulator
from .gymnasium_spaces import action_codec, observation_codec, time_limit
from .interface import SimulatorError
from .mujoco.warnings import log_warnings

VECTORIZATIONS = ("sync", "async")
"""All environments in this process, one after another, or each in a process of its own."""

EXTRAS = ("mujoco", "box2d")
"""Folders of Gymnasium's own environments that need an extra of the same name."""


class Probe(NamedTuple):
    """What one environment of an id tells."""

    observation_space: Any
    action_space: Any
    max_episode_length: int
    render_mode: Optional[str]


class GymnasiumEngine(Engine):
    """Registered ids such as ``CartPole-v1``.

    Options: ``desynchronise``; ``vectorization``, ``sync`` or ``async``; ``env_options``, keyword arguments of
    ``gymnasium.make``.
    """

    name = "gymnasium"
    option_names = ("desynchronise", "vectorization", "env_options")

    def is_available(self) -> bool:
        """Whether Gymnasium is installed."""
        return importlib.util.find_spec("gymnasium") is not None

    def unavailable_reason(self) -> str:
        """Why it cannot be used, and what to do."""
        return "" if self.is_available() else "is not installed: pip install gymnasium"

    def requirements(self, task: str) -> Tuple[str, ...]:
        """Gymnasium, with the extra of the environment's physics or the library that it is from."""
        if not self.is_available():
            return ("gymnasium",)
        import gymnasium

        spec = gymnasium.registry.get(task.rpartition(":")[2])
        module = spec.entry_point.partition(":")[0].split(".") if spec and isinstance(spec.entry_point, str) else []
        if module[:2] == ["gymnasium", "envs"]:
            return (f"gymnasium[{module[2]}]" if module[2] in EXTRAS else "gymnasium",)
        return ("gymnasium", *module[:1])

    def task_names(self) -> Tuple[str, ...]:
        """All registered ids; none where Gymnasium is not installed."""
        if not self.is_available():
            return ()
        import gymnasium

        return tuple(gymnasium.registry)

    def task_spec(self, task: str, num_envs: int, **options: Any) -> TaskSpec:
        """Spaces and sizes, from one environment that is made once for this. Option: ``env_options``.

        Raises:
            SimulatorError: The environment cannot be made, or a policy cannot deal with its spaces.
        """
        probe = _probe(task, tuple(sorted(options.get("env_options", {}).items())))
        return TaskSpec(
            name=task,
            num_envs=num_envs,
            observation_space=observation_codec(task, probe.observation_space).space,
            action_space=action_codec(task, probe.action_space).space,
            max_episode_length=probe.max_episode_length,
        )

    def make(
        self,
        task: str,
        num_envs: int,
        device: torch.device,
        generator: torch.Generator,
        **options: Any,
    ) -> GymnasiumSimulator:
        """A simulator that was not reset yet.

        Raises:
            SimulatorError: The environments cannot be made.
        """
        vectorization, env_options = options.get("vectorization", "sync"), options.get("env_options", {})
        if vectorization not in VECTORIZATIONS:
            hint = did_you_mean(vectorization, VECTORIZATIONS)
            raise SimulatorError(f"vectorization is {vectorization!r}{hint}; expected sync or async")
        spec = self.task_spec(task, num_envs, env_options=env_options)
        probe = _probe(task, tuple(sorted(env_options.items())))
        codecs = (observation_codec(task, probe.observation_space), action_codec(task, probe.action_space))
        vector = _make_vector(task, num_envs, vectorization, codecs[0].flatten, probe.render_mode, env_options)
        desynchronise = options.get("desynchronise", False)
        return GymnasiumSimulator(vector, spec, codecs, device, generator, desynchronise, env_options)


@lru_cache(maxsize=128)
def _probe(task: str, options: Tuple[Tuple[str, Any], ...]) -> Probe:
    import gymnasium

    render_mode = _made(task, lambda: _render_mode(task))
    keywords = {"render_mode": render_mode} if render_mode else {}
    env = _made(task, lambda: gymnasium.make(task, **keywords, **dict(options)))
    try:
        return Probe(env.observation_space, env.action_space, time_limit(env.spec), render_mode)
    finally:
        env.close()


def _render_mode(task: str) -> Optional[str]:
    """``rgb_array`` where the environment's class offers it; asking costs no environment."""
    import gymnasium

    creator = _creator(task, gymnasium.spec(task).entry_point)
    return "rgb_array" if "rgb_array" in getattr(creator, "metadata", {}).get("render_modes", ()) else None


def _make_vector(
    task: str, num_envs: int, vectorization: str, flatten: bool, render_mode: Optional[str], options: Dict[str, Any]
) -> Any:
    import gymnasium
    from gymnasium.vector import AutoresetMode
    from gymnasium.wrappers import FlattenObservation

    environment: Any = task
    vector_options: Dict[str, Any] = {"autoreset_mode": AutoresetMode.DISABLED, "copy": False}
    if vectorization == "async":
        spec = gymnasium.spec(task)
        environment = dataclasses.replace(spec, entry_point=partial(_create, task, spec.entry_point))
        # A fork of a process with threads, as the editor and torch have them, may hang.
        vector_options["context"] = "forkserver"
    keywords = {"render_mode": render_mode} if render_mode else {}
    return _made(
        task,
        lambda: gymnasium.make_vec(
            environment, num_envs, vectorization_mode=vectorization, vector_kwargs=vector_options,
            wrappers=(FlattenObservation,) if flatten else None, **keywords, **options,
        ),
    )  # fmt: skip


def _creator(task: str, entry_point: Any) -> Any:
    """The environment's class; MuJoCo's warnings, also those of loading a model, go to this process's log."""
    import gymnasium

    is_name = isinstance(entry_point, str)
    creator = gymnasium.envs.registration.load_env_creator(entry_point) if is_name else entry_point
    if "mujoco" in sys.modules:
        log_warnings(sys.modules["mujoco"], task, repeat=False)
    return creator


def _create(task: str, entry_point: Any, **options: Any) -> Any:
    return _creator(task, entry_point)(**options)


def _made(task: str, make: Any) -> Any:
    """What ``make`` gives, with Gymnasium's errors as ours.

    Raises:
        SimulatorError: It failed; a missing package is named together with the command that installs it.
    """
    from gymnasium.error import DependencyNotInstalled, Error

    try:
        return make()
    except DependencyNotInstalled as error:
        raise SimulatorError(f"{task} needs a package that is not installed: {error}") from error
    except ImportError as error:
        raise SimulatorError(f"{task} needs a package that is not installed: {error}{_install(error)}") from error
    except (Error, TypeError, ValueError, AssertionError, EOFError, ConnectionError) as error:
        raise SimulatorError(f"{task} cannot be made: {error}") from error


def _install(error: ImportError) -> str:
    package = (error.name or "").partition(".")[0]
    is_missing = bool(package) and importlib.util.find_spec(package) is None
    return f": pip install {package}" if is_missing else ""
