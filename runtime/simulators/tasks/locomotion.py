"""What the walking tasks share: they run towards a far target, and are paid for the way that they make.

Task rules and figures: Isaac Gym's benchmark tasks, Makoviychuk et al. 2021, arXiv:2108.10470.
"""

import math
from abc import abstractmethod
from typing import ClassVar, List, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor

from .physics_state import PhysicsState
from .physics_task import PhysicsTask
from .task import Evaluation

TARGET = (1000.0, 0.0)
"""Where the robot should go. Unit: m."""
UPRIGHT = 0.93
"""The up projection above which the torso counts as upright."""
STRAIGHT = 0.8
"""The heading projection from which the heading is paid in full."""


class LocomotionState(NamedTuple):
    """Measurements, and what the episode remembers.

    Attributes:
        physics: What the engine measured.
        actions: The last ones, limited to [-1, 1]; zero at the start of an episode. Shape: (N, A).
        potentials: -(horizontal distance to the target)/dt. Shape: (N,) float64, as their differences are small.
        previous_potentials: Likewise, before the last step; at the start of an episode the same. Shape: (N,) float64.
    """

    physics: PhysicsState
    actions: Tensor
    potentials: Tensor
    previous_potentials: Tensor


class Locomotion(PhysicsTask):
    """A robot with a free root that runs in the direction of positive x.

    Attributes:
        alive_reward: For every step in which it stands.
        action_cost: Per squared action.
        energy_cost: Per |action × scaled joint velocity|.
        failure_reward: Of the step in which it falls.
        failure_height: It has fallen where its root is lower. Unit: m.
        angular_velocity_scale, joint_velocity_scale, joint_force_scale, wrench_scale: Of these observations.
        wraps_angles: Whether the angle to the target lies in ±π.
    """

    timestep = 0.0166
    substeps = 2
    max_episode_length = 1000
    reward_components = ("progress", "alive", "upright", "heading", "actions", "energy", "joint_limits", "failure")
    alive_reward: ClassVar[float]
    action_cost: ClassVar[float]
    energy_cost: ClassVar[float] = 0.05
    failure_reward: ClassVar[float]
    failure_height: ClassVar[float]
    angular_velocity_scale: ClassVar[float] = 1.0
    joint_velocity_scale: ClassVar[float]
    joint_force_scale: ClassVar[float] = 0.0
    wrench_scale: ClassVar[float]
    wraps_angles: ClassVar[bool] = False

    def __init__(self, device: Union[torch.device, str] = "cpu"):
        super().__init__(device)
        joints, actions, sensors = len(self.model.joints), self.action_count, len(self.model.sensor_bodies)
        self.reads_forces = self.joint_force_scale != 0.0
        self._positions, self._velocities = slice(12, 12 + joints), slice(12 + joints, 12 + 2 * joints)
        lower, upper = self.joint_limits
        scales: List[Tuple[float, int]] = [(1.0, 4), (self.angular_velocity_scale, 3), (1.0, 5 + joints)]
        scales += [(self.joint_velocity_scale, joints), (self.joint_force_scale, joints * self.reads_forces)]
        scales += [(self.wrench_scale, 6 * sensors), (1.0, actions)]
        self._scale = torch.tensor([scale for scale, count in scales for _ in range(count)], device=self.device)
        self._scale[self._positions] = 2.0 / (upper - lower)
        self._offset = torch.zeros_like(self._scale)
        self._offset[self._positions] = -(upper + lower) / (upper - lower)
        self._target = torch.tensor(TARGET, device=self.device)
        self._rotation_terms = _rotation_terms().to(self.device)
        self._numerators = torch.tensor([3, 7, 10], device=self.device)
        self._denominators = torch.tensor([0, 8, 9], device=self.device)
        self._zero, self._alive = self.constant(0.0), self.constant(self.alive_reward)
        self._failure, self._action_reward = self.constant(self.failure_reward), self.constant(-self.action_cost)
        self._upright, self._upright_reward = self.constant(UPRIGHT), self.constant(0.1)
        self._straight, self._heading_reward = self.constant(STRAIGHT), self.constant(0.5 / STRAIGHT)

    def first_state(self, physics: PhysicsState) -> LocomotionState:
        """No actions yet, and the potential of the start."""
        potentials = self._potentials(physics)
        actions = torch.zeros(len(potentials), self.action_count, device=self.device)
        return LocomotionState(physics, actions, potentials, potentials)

    def next_state(self, previous: LocomotionState, physics: PhysicsState, actions: Tensor) -> LocomotionState:
        """Remember the actions, and both potentials."""
        return LocomotionState(physics, actions, self._potentials(physics), previous.potentials)

    def observe(self, state: LocomotionState) -> Tensor:
        """Observations; every index is in the docstring of the task. Shape: (N, obs)."""
        physics = state.physics
        count = len(state.actions)
        quaternions = physics.root_rotations
        # R = M (q qᵀ): the rotation matrix, row by row, is linear in the products of the quaternion's elements.
        rotations = torch.mm(
            (quaternions.unsqueeze(2) * quaternions.unsqueeze(1)).view(count, 16), self._rotation_terms
        )
        matrices = rotations.view(count, 3, 3)
        velocities = torch.cat((physics.root_linear_velocities, physics.root_angular_velocities), 1).view(count, 2, 3)
        local_velocities = torch.bmm(velocities, matrices).view(count, 6)
        to_target = self._target - physics.root_positions[:, :2]
        angles = self._angles(rotations, to_target)
        # cos of the angle between the root's x axis and the direction of the target.
        heading = (matrices[:, :2, 0] * to_target).sum(1, keepdim=True) / to_target.norm(dim=1, keepdim=True)
        parts = [physics.root_positions[:, 2:], local_velocities, angles, rotations[:, 8:], heading]
        parts += [physics.joint_positions, physics.joint_velocities]
        if self.reads_forces:
            parts.append(physics.joint_forces)
        raw = torch.cat((*parts, physics.sensor_wrenches.flatten(1), state.actions), 1)
        return torch.addcmul(self._offset, raw, self._scale)

    def evaluate(self, state: LocomotionState, observations: Optional[Tensor] = None) -> Evaluation:
        """Reward of the step, and -- where the root is too low -- the end of the episode.

        Components: ``progress`` Δpotential, ``alive``, ``upright`` 0.1 where obs₁₀ > 0.93, ``heading``
        0.5·min(obs₁₁/0.8, 1), ``actions`` -action_cost·Σa², ``energy`` and ``joint_limits`` as the task defines them,
        ``failure``. All but the last are 0 at a failure, so that they always add up to the reward.
        """
        if observations is None:
            observations = self.observe(state)
        failed = state.physics.root_positions[:, 2] < self.failure_height
        progress = (state.potentials - state.previous_potentials).float()
        upright = torch.where(observations[:, 10] > self._upright, self._upright_reward, self._zero)
        heading = torch.minimum(observations[:, 11], self._straight).mul_(self._heading_reward)
        actions = (state.actions * state.actions).sum(1).mul_(self._action_reward)
        energy = self.energy((state.actions * observations[:, self._velocities]).abs_())
        limits = self.limit_cost(observations[:, self._positions])
        parts = torch.stack((progress, self._alive.expand_as(progress), upright, heading, actions, energy, limits))
        components = (*parts.masked_fill_(failed, 0.0).unbind(0), torch.where(failed, self._failure, self._zero))
        rewards = components[0] + components[1]
        for component in components[2:]:
            rewards += component
        return Evaluation(rewards, failed, dict(zip(self.reward_components, components)))

    def energy(self, powers: Tensor) -> Tensor:
        """Reward for |action × scaled joint velocity|. Shape of the powers: (N, A)."""
        return powers.sum(1) * -self.energy_cost

    @abstractmethod
    def limit_cost(self, positions: Tensor) -> Tensor:
        """Reward for joints at their limits, from joint positions scaled to [-1, 1]. Shape: (N, D)."""

    def _angles(self, rotations: Tensor, to_target: Tensor) -> Tensor:
        """Yaw, roll, and the angle from yaw to the target. Shape: (N, 3)."""
        terms = torch.cat((rotations, to_target), 1)
        angles = torch.atan2(terms.index_select(1, self._numerators), terms.index_select(1, self._denominators))
        angles[:, 2] -= angles[:, 0]
        if self.wraps_angles:
            angles[:, 2] = torch.remainder(angles[:, 2] + math.pi, 2 * math.pi) - math.pi
        return angles

    def _potentials(self, physics: PhysicsState) -> Tensor:
        to_target = physics.root_positions[:, :2].double() - self._target
        return to_target.norm(dim=1).mul_(-1.0 / self.timestep)


def _rotation_terms() -> Tensor:
    """The matrix M of R = M (q qᵀ): column 3i + j holds what R_ij takes of the products q_k·q_l, q = (x, y, z, w).

    R_ij = (w² - |v|²)·δ_ij + 2·v_i·v_j - 2·w·ε_ijk·v_k for the unit quaternion with the vector part v. Shape: (16, 9).
    """
    terms = torch.zeros(4, 4, 3, 3)
    for i in range(3):
        terms[3, 3, i, i] += 1.0
        for k in range(3):
            terms[k, k, i, i] -= 1.0
        for j in range(3):
            terms[i, j, i, j] += 2.0
        j, k = (i + 1) % 3, (i + 2) % 3
        terms[3, k, i, j] -= 2.0
        terms[3, k, j, i] += 2.0
    return terms.view(16, 9)
