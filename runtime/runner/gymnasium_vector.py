"""A ``gymnasium.vector.VectorEnv`` that a program made."""

from __future__ import annotations

import copy
from typing import Any

from ..simulators.gymnasium_simulator import GymnasiumSimulator
from ..simulators.gymnasium_spaces import action_codec, observation_codec, time_limit
from ..simulators.interface import SimulatorError
from ..specs import TaskSpec
from .environments import ObjectEnvironment


def vector_environment(env: Any) -> ObjectEnvironment:
    """What stands for it. The automatic reset is done here, within the step, so that no transition is lost.

    Raises:
        SimulatorError: Single environments of it cannot be reset, or a policy cannot deal with its spaces.
    """
    from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

    name = getattr(env.spec, "id", None) or type(env.unwrapped).__name__
    if not isinstance(env.unwrapped, (SyncVectorEnv, AsyncVectorEnv)):
        raise SimulatorError(
            f"{name}: single environments of {type(env.unwrapped).__name__} cannot be reset; make it with "
            "gymnasium.make_vec(ID, num_envs, vectorization_mode='sync'), or give the id itself"
        )
    if env.metadata.get("autoreset_mode") is AutoresetMode.SAME_STEP:
        raise SimulatorError(
            f"{name}: its autoreset_mode is SAME_STEP; leave it at NEXT_STEP or set DISABLED: ended environments are "
            "reset within the step in any case"
        )
    observation = observation_codec(name, env.single_observation_space)
    if observation.flatten:
        raise SimulatorError(
            f"{name}: its observations are {env.single_observation_space}; make it with "
            "wrappers=[gymnasium.wrappers.FlattenObservation]"
        )
    action = action_codec(name, env.single_action_space)
    spec = TaskSpec(
        name, env.num_envs, observation.space, action.space, max_episode_length=time_limit(getattr(env, "spec", None))
    )
    codecs = (observation, action)
    return ObjectEnvironment(
        env, spec, lambda given, device, generator: GymnasiumSimulator(given, spec, codecs, device, generator),
        duplicate=_duplicate,
    )  # fmt: skip


def _duplicate(env: Any) -> Any:
    """A deep copy, but for the functions that made the single environments: they are needed no more.

    Raises:
        SimulatorError: The environments live in processes, whose pipes a copy would share.
    """
    from gymnasium.vector import AsyncVectorEnv

    if isinstance(env.unwrapped, AsyncVectorEnv):
        raise SimulatorError("its environments live in processes of their own")
    makers = getattr(env.unwrapped, "env_fns", None)
    return copy.deepcopy(env, {} if makers is None else {id(makers): makers})
