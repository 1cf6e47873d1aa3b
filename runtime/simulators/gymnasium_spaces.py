"""Between Gymnasium's spaces and arrays and the tensors that nodes exchange."""

from __future__ import annotations

import math
from typing import Any, Callable, NamedTuple, Tuple

import torch
from torch import Tensor

from ..spaces import Box, Discrete, MultiDiscrete, Space
from .interface import SimulatorError


class ObservationCodec(NamedTuple):
    """How observations of an environment become tensors.

    Attributes:
        space: What the policy sees of one environment.
        flatten: Dictionaries, tuples and choices are flattened to a vector by Gymnasium's ``FlattenObservation``.
        to_tensor: Array of all environments -> tensor that shares no memory with it. Shape: (N, *observation).
    """

    space: Box
    flatten: bool
    to_tensor: Callable[[Any], Tensor]


class ActionCodec(NamedTuple):
    """How actions of a policy become those of an environment.

    Attributes:
        space: What the policy chooses for one environment; continuous actions lie in [-1, 1].
        to_array: Actions of all environments, on any device, -> array in the environment's own range.
    """

    space: Space
    to_array: Callable[[Tensor], Any]


def observation_codec(env_id: str, space: Any) -> ObservationCodec:
    """The codec of a single environment's observation space.

    Images (H, W, C) of uint8 become (C, H, W); every other Box becomes float32 of its own shape.

    Raises:
        SimulatorError: The space has no fixed size, or is empty.
    """
    from gymnasium import spaces

    if not isinstance(space, spaces.Box):
        if not space.is_np_flattenable:
            raise SimulatorError(f"{env_id}: observations of {space} have no fixed size, which a network needs")
        return ObservationCodec(Box((spaces.flatdim(space),)), True, _float_tensor)
    shape = tuple(space.shape)
    if len(shape) == 3 and space.dtype == "uint8":
        height, width, channels = shape
        return ObservationCodec(Box((channels, height, width), 0.0, 255.0), False, _image_tensor)
    if not shape:
        return ObservationCodec(Box((1,)), False, lambda array: _float_tensor(array)[:, None])
    if 0 in shape:
        raise SimulatorError(f"{env_id}: its observations are empty: {space}")
    return ObservationCodec(Box(shape), False, _float_tensor)


def _float_tensor(array: Any) -> Tensor:
    return torch.from_numpy(array).to(torch.float32, copy=True)


def _image_tensor(array: Any) -> Tensor:
    return torch.from_numpy(array).permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)


def action_codec(env_id: str, space: Any) -> ActionCodec:
    """The codec of a single environment's action space.

    [-1, 1] is spread over the range of each continuous action; where that has no end, actions are taken as they are.

    Raises:
        SimulatorError: A policy of this version cannot choose such actions.
    """
    from gymnasium import spaces

    if isinstance(space, spaces.Box) and space.shape:
        return ActionCodec(Box(tuple(space.shape), -1.0, 1.0), _rescale(space))
    if isinstance(space, spaces.Discrete):
        return ActionCodec(Discrete(int(space.n)), _choices(int(space.start)))
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return ActionCodec(MultiDiscrete(tuple(space.nvec.tolist())), _choices(space.start))
    if isinstance(space, spaces.MultiBinary) and len(space.shape) == 1:
        return ActionCodec(MultiDiscrete((2,) * space.shape[0]), lambda actions: _numpy(actions).astype(space.dtype))
    raise SimulatorError(
        f"{env_id}: its actions are {space}; a policy chooses those of Box, Discrete, MultiDiscrete or MultiBinary"
    )


def _rescale(space: Any) -> Callable[[Tensor], Any]:
    import numpy as np

    bounded = np.isfinite(space.low) & np.isfinite(space.high)
    low = np.where(bounded, space.low, -1.0)
    half = np.where(bounded, (space.high - low) / 2.0, 1.0)

    def to_array(actions: Tensor) -> Any:
        values = _numpy(actions.float())
        return np.where(bounded, low + (np.clip(values, -1.0, 1.0) + 1.0) * half, values).astype(space.dtype)

    return to_array


def _choices(start: Any) -> Callable[[Tensor], Any]:
    return lambda actions: _numpy(actions) + start


def _numpy(actions: Tensor) -> Any:
    return actions.detach().cpu().numpy()


def time_limit(spec: Any) -> int:
    """Steps after which an environment truncates an episode; 0 where its registration names none."""
    return int(getattr(spec, "max_episode_steps", None) or 0)


def mean_figures(infos: Any, num_envs: int) -> Tuple[Tuple[str, float], ...]:
    """Means of the numbers that a step's ``infos`` give for every environment, such as ``x_velocity``."""
    figures = []
    for name, values in infos.items():
        if name.startswith("_") or getattr(values, "shape", None) != (num_envs,) or values.dtype.kind not in "fiu":
            continue
        given = infos.get(f"_{name}")
        mean = float(values.mean()) if given is None or given.all() else math.nan
        if math.isfinite(mean):
            figures.append((name, mean))
    return tuple(figures)
