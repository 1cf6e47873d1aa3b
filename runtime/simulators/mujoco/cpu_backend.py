"""What MuJoCo's two ways of stepping on the CPU have in common: states in live rows of float64."""

import math
from abc import abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .layout import Layout
from .model_backend import ModelBackend


class _LimitedJoint(NamedTuple):
    """Live columns of a joint whose speed has a limit. Shape of each: (N,) float64.

    ``array`` is numpy's view of the speeds, which it compares in a third of the time.
    """

    positions: Tensor
    speeds: Tensor
    array: Any
    limit: float

    @property
    def is_within(self) -> bool:
        """Whether every speed is a number within the limit."""
        return bool(self.array.max() <= self.limit and self.array.min() >= -self.limit)


class CpuBackend(ModelBackend):
    """N simulations of a model whose state lies in rows of float64.

    Attributes:
        states: All that the next step depends on, a row per simulation; live. Shape: (N, W) float64.
        motion: qpos, then qvel, in these rows. Shape: (N, nq + nv).
    """

    states: Tensor
    motion: Tensor

    def __init__(self, layout: Layout, num_envs: int):
        super().__init__(layout, num_envs, torch.float64)

    def take(self, states: Tensor, controls: Tensor, sensors: Tensor) -> None:
        """Take the engine's live rows; those of the state hold the time first, then qpos and qvel.

        The first of them shows how every simulation begins.
        """
        model = self.layout.model
        self.states = states
        self.motion = motion = states[:, 1 : 1 + model.nq + model.nv]
        speeds = motion[:, model.nq :]
        self.attach(motion[:, : model.nq], controls, sensors)
        self.first_rows(states[:1].clone(), 1)
        limits = self.layout.task.model.joint_speed_limits
        self._limited = [
            _LimitedJoint(motion[:, position], speeds[:, velocity], speeds[:, velocity].numpy(), limit)
            for position, velocity, limit in zip(*self.layout.joint_columns(), limits)
            if math.isfinite(limit)
        ]

    def make_substeps(self) -> None:
        """At once; with limits of speed one by one, and speeds limited before they move a joint, as PhysX does it."""
        if not self._limited:
            self.run(self.substeps)
            return
        for _ in range(self.substeps):
            self.run(1)
            for joint in self._limited:
                if not joint.is_within:
                    excess = joint.speeds - joint.speeds.clamp(-joint.limit, joint.limit)
                    joint.speeds.sub_(excess)
                    joint.positions.sub_(excess, alpha=self.substep)

    @abstractmethod
    def run(self, substeps: int) -> None:
        """Make some substeps with the controls, and renew ``states`` and ``sensors``."""

    def write(self, env_ids: Tensor, rows: Tensor) -> None:
        """Whole rows of the state."""
        self.states.index_copy_(0, env_ids, rows)

    def motion_copy(self) -> Tensor:
        """A copy of the rows."""
        return self.motion.float()
