"""Ant: a body on four legs with two joints each runs as fast as it can."""

import math
from typing import Union

import torch
from torch import Tensor

from ...spaces import Box
from .locomotion import Locomotion, LocomotionState
from .physics_task import PhysicsModel

LEGS = (1, 2, 3, 4)
HIP = (-40.0, 40.0)
"""Unit: degrees."""
ANKLES = ((30.0, 100.0), (-100.0, -30.0), (-100.0, -30.0), (30.0, 100.0))
"""Per leg. Unit: degrees."""
NEAR_LIMIT = 0.99
"""A joint is charged where its position is above this share of its range."""


class Ant(Locomotion):
    """Eight joints, each with a torque of 15 N·m times its action; the ant fails where its torso is below 0.31 m.

    Joints, and so actions, stand in the order hip 1, ankle 1, hip 2, … ankle 4. The legs go around the torso: front
    left, back left, back right, front right.
    """

    name = "Ant"
    observation_space = Box((60,))
    action_space = Box((8,), -1.0, 1.0)
    action_effort = (15.0,) * 8
    model = PhysicsModel(
        file="ant.xml",
        joints=tuple(f"{joint}_{leg}" for leg in LEGS for joint in ("hip", "ankle")),
        actuated_joints=tuple(f"{joint}_{leg}" for leg in LEGS for joint in ("hip", "ankle")),
        root_body="torso",
        sensor_bodies=tuple(f"foot_{leg}" for leg in LEGS),
        local_angular_velocities=True,
        start_position=(0.0, 0.0, 0.44),
        joint_limits=tuple((math.radians(low), math.radians(high)) for ankle in ANKLES for low, high in (HIP, ankle)),
    )
    alive_reward = 0.5
    action_cost = 0.005
    limit_cost = 0.1
    failure_reward = -2.0
    failure_height = 0.31
    joint_velocity_scale = 0.2
    wrench_scale = 0.1

    def __init__(self, device: Union[torch.device, str] = "cpu"):
        super().__init__(device)
        self._near_limit = self.constant(NEAR_LIMIT)

    def observe(self, state: LocomotionState) -> Tensor:
        """Observations. Shape: (N, 60).

        | index | what | scale | source |
        |---|---|---|---|
        | 0 | height of the torso (m) | 1 | root position, z |
        | 1-3 | linear velocity in the torso's frame (m/s) | 1 | root velocity, rotated |
        | 4-6 | angular velocity in the torso's frame (rad/s) | 1 | root angular velocity |
        | 7 | yaw (rad), in ±π | 1 | root rotation |
        | 8 | roll (rad), in ±π | 1 | root rotation |
        | 9 | angle from yaw to the target (rad), in ±2π | 1 | root rotation and position |
        | 10 | up projection: z of the torso's z axis | 1 | root rotation |
        | 11 | heading projection: cos(torso's x axis, target) | 1 | root rotation and position |
        | 12-19 | joint positions, hip 1, ankle 1, hip 2, … | (2q - u - l)/(u - l) for limits l, u | joints |
        | 20-27 | joint velocities (rad/s) | 0.2 | joints |
        | 28-51 | force (N) and torque (N·m) at feet 1 to 4, 6 each | 0.1 | sensors |
        | 52-59 | last actions | 1 | actions |

        Yaw and roll are atan2(R₁₀, R₀₀) and atan2(R₂₁, R₂₂) of the rotation matrix R. Isaac Gym's own task gives them
        modulo 2π, with a jump at 0, where the ant begins.
        """
        return super().observe(state)

    def past_limits(self, positions: Tensor) -> Tensor:
        """The joints above 0.99 of their range."""
        return torch.mv((positions > self._near_limit).float(), self._ones)
