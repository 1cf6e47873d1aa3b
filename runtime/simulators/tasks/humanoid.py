"""Humanoid: a body with arms and legs, 21 joints, runs as fast as it can."""

import math
from typing import Dict, Tuple, Union

import torch
from torch import Tensor

from ...spaces import Box
from .locomotion import Locomotion, LocomotionState
from .physics_task import PhysicsModel

STRONGEST = 135.0
"""Effort of the strongest joints, the hips' y. Unit: N·m."""
NEAR_LIMIT = 0.98
"""A joint is charged where its position is beyond this share of its range."""


def _sided(joints: Dict[str, Tuple[float, Tuple[float, float]]]) -> Dict[str, Tuple[float, Tuple[float, float]]]:
    return {f"{side}_{name}": values for side in ("right", "left") for name, values in joints.items()}


# Effort (N·m) and limits (degrees) of every joint, in order.
JOINTS: Dict[str, Tuple[float, Tuple[float, float]]] = {
    "abdomen_z": (67.5, (-45.0, 45.0)),
    "abdomen_y": (67.5, (-75.0, 30.0)),
    "abdomen_x": (67.5, (-35.0, 35.0)),
    **_sided(
        {
            "hip_x": (45.0, (-45.0, 15.0)),
            "hip_z": (45.0, (-60.0, 35.0)),
            "hip_y": (135.0, (-120.0, 45.0)),
            "knee": (90.0, (-160.0, 2.0)),
            "ankle_y": (22.5, (-50.0, 50.0)),
            "ankle_x": (22.5, (-50.0, 50.0)),
        }
    ),
    **_sided(
        {
            "shoulder1": (67.5, (-90.0, 70.0)),
            "shoulder2": (67.5, (-90.0, 70.0)),
            "elbow": (45.0, (-90.0, 50.0)),
        }
    ),
}


class Humanoid(Locomotion):
    """Joints driven with the torques of `JOINTS` times the actions; it fails where its torso is below 0.8 m."""

    name = "Humanoid"
    observation_space = Box((108,))
    action_space = Box((21,), -1.0, 1.0)
    action_effort = tuple(effort for effort, _ in JOINTS.values())
    model = PhysicsModel(
        file="humanoid.xml",
        joints=tuple(JOINTS),
        actuated_joints=tuple(JOINTS),
        root_body="torso",
        sensor_bodies=("right_foot", "left_foot"),
        self_collision=True,
        measures_joint_forces=True,
        local_angular_velocities=True,
        start_position=(0.0, 0.0, 1.34),
        joint_limits=tuple((math.radians(low), math.radians(high)) for _, (low, high) in JOINTS.values()),
    )
    alive_reward = 2.0
    action_cost = 0.01
    limit_cost = 0.25
    failure_reward = -1.0
    failure_height = 0.8
    angular_velocity_scale = 0.25
    joint_velocity_scale = 0.1
    joint_force_scale = 0.01
    wrench_scale = 0.01
    wraps_angles = True

    def __init__(self, device: Union[torch.device, str] = "cpu"):
        super().__init__(device)
        self._shares = self.constant(self.action_effort) / STRONGEST
        self._limit_shares = self._shares / (1.0 - NEAR_LIMIT)
        self._near_limit = self.constant(NEAR_LIMIT)

    def observe(self, state: LocomotionState) -> Tensor:
        """Observations. Shape: (N, 108).

        | index | what | scale | source |
        |---|---|---|---|
        | 0 | height of the torso (m) | 1 | root position, z |
        | 1-3 | linear velocity in the torso's frame (m/s) | 1 | root velocity, rotated |
        | 4-6 | angular velocity in the torso's frame (rad/s) | 0.25 | root angular velocity |
        | 7 | yaw (rad), in ±π | 1 | root rotation |
        | 8 | roll (rad), in ±π | 1 | root rotation |
        | 9 | angle from yaw to the target (rad), in ±π | 1 | root rotation and position |
        | 10 | up projection: z of the torso's z axis | 1 | root rotation |
        | 11 | heading projection: cos(torso's x axis, target) | 1 | root rotation and position |
        | 12-32 | joint positions in the order of `JOINTS` | (2q - u - l)/(u - l) for limits l, u | joints |
        | 33-53 | joint velocities (rad/s) | 0.1 | joints |
        | 54-74 | joint forces (N·m) | 0.01 | joint force sensors |
        | 75-86 | force (N) and torque (N·m) at right and left foot, 6 each | 0.01 | sensors |
        | 87-107 | last actions | 1 | actions |
        """
        return super().observe(state)

    def energy(self, powers: Tensor) -> Tensor:
        """Σ|action × scaled joint velocity|·ρ, with the joint's share ρ = effort/135 N·m."""
        return torch.mv(powers, self._shares)

    def past_limits(self, positions: Tensor) -> Tensor:
        """Σ (|position| - 0.98)/0.02·ρ over the joints beyond 0.98 of their range."""
        return torch.mv((positions.abs() - self._near_limit).clamp_(min=0.0), self._limit_shares)
