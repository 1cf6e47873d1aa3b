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
FACTORS = ((0, 0, 0, 0, 1, 1, 1, 2, 2, 3), (0, 1, 2, 3, 1, 2, 3, 2, 3, 3))
"""The elements k and l of the products q_k·q_l of a quaternion."""


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
        limit_cost: Per joint at its limit, as the task counts them.
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
    limit_cost: ClassVar[float]
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
        self._target, self._horizontally = self.constant([*TARGET, 0.0]), self.constant([-1.0, -1.0, 0.0])
        self._far, self._far_horizontally = self._target.double(), self._horizontally.double()
        self._ones = torch.ones(actions, device=self.device)
        self._seconds = torch.tensor(-self.timestep, dtype=torch.float64, device=self.device)
        self._factors = torch.tensor(FACTORS, device=self.device).unbind(0)
        self._turn_terms = _turn_terms().to(self.device)
        self._from_yaw = self.constant([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        self._low, self._upright, self._straight = map(self.constant, (self.failure_height, UPRIGHT, STRAIGHT))
        # A row per component: its reward is offset + weight × measure, and what it is at a failure.
        weights = (1.0, 0.0, 0.1, 0.5 / STRAIGHT, -self.action_cost, -self.energy_cost, -self.limit_cost, 0.0)
        self._weights = self.constant(weights).unsqueeze(1)
        self._offsets = self.constant([[0.0], [self.alive_reward], *[[0.0]] * 6])
        self._at_failure = self.constant([*[[0.0]] * 7, [self.failure_reward]])

    def first_state(self, physics: PhysicsState) -> LocomotionState:
        """No actions yet, and the potential of the start."""
        potentials = self._potentials(physics)
        actions = torch.zeros(potentials.numel(), self.action_count, device=self.device)
        return LocomotionState(physics, actions, potentials, potentials)

    def next_state(self, previous: LocomotionState, physics: PhysicsState, actions: Tensor) -> LocomotionState:
        """Remember the actions, and both potentials."""
        return LocomotionState(physics, actions, self._potentials(physics), previous.potentials)

    def observe(self, state: LocomotionState) -> Tensor:
        """Observations; every index is in the docstring of the task. Shape: (N, obs)."""
        physics = state.physics
        quaternions = physics.root_rotations
        products = quaternions.index_select(1, self._factors[0]) * quaternions.index_select(1, self._factors[1])
        to_target = torch.addcmul(self._target, physics.root_positions, self._horizontally)
        # R, R₂₂, and where yaw, roll and the way to the target point, by one product: see `_turn_terms`.
        turns = torch.mm(torch.cat((products, to_target), 1), self._turn_terms)
        rotations, ups, y, x = turns.split_with_sizes((9, 1, 3, 3), 1)
        angles = self._wrapped(torch.mm(torch.atan2(y, x), self._from_yaw))
        # Rᵀv: the velocity and the way to the target in the root's frame.
        vectors = torch.cat((physics.root_linear_velocities, to_target), 1).view(-1, 2, 3)
        local = torch.bmm(vectors, rotations.view(-1, 3, 3)).view(-1, 6)
        velocities, ahead, _ = local.split_with_sizes((3, 1, 2), 1)
        headings = ahead / torch.linalg.vector_norm(to_target, dim=1, keepdim=True)
        parts = [physics.root_positions[:, 2:], velocities, physics.root_angular_velocities, angles, ups, headings]
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
        failed = observations[:, 0] < self._low
        progress = (state.potentials - state.previous_potentials).float()
        upright = (observations[:, 10] > self._upright).float()
        heading = torch.minimum(observations[:, 11], self._straight)
        actions = torch.mv(state.actions * state.actions, self._ones)
        energy = self.energy((state.actions * observations[:, self._velocities]).abs_())
        limits = self.past_limits(observations[:, self._positions])
        # Nothing is measured for ``alive`` and ``failure``: their weight is 0, and any measure stands in.
        measures = torch.stack((progress, upright, upright, heading, actions, energy, limits, upright))
        parts = torch.where(failed, self._at_failure, torch.addcmul(self._offsets, measures, self._weights))
        return Evaluation(parts.sum(0), failed, dict(zip(self.reward_components, parts.unbind(0))))

    def energy(self, powers: Tensor) -> Tensor:
        """What `energy_cost` charges, from |action × scaled joint velocity|. Shape of the powers: (N, A)."""
        return torch.mv(powers, self._ones)

    @abstractmethod
    def past_limits(self, positions: Tensor) -> Tensor:
        """What `limit_cost` charges, from joint positions scaled to [-1, 1]. Shape: (N, D)."""

    def _wrapped(self, angles: Tensor) -> Tensor:
        """Yaw, roll, and the angle from yaw to the target, in ±π where the task wants it so. Shape: (N, 3)."""
        if self.wraps_angles:
            angles[:, 2] = torch.remainder(angles[:, 2] + math.pi, 2 * math.pi) - math.pi
        return angles

    def _potentials(self, physics: PhysicsState) -> Tensor:
        to_target = torch.addcmul(self._far, physics.root_positions, self._far_horizontally)
        return torch.linalg.vector_norm(to_target, dim=1).div_(self._seconds)


def _turn_terms() -> Tensor:
    """The matrix M that gives, from the products q_k·q_l of q = (x, y, z, w) and the way (t_x, t_y, 0) to the target:

    | columns | what |
    |---|---|
    | 0-8 | the rotation matrix R, row by row |
    | 9 | R_22 |
    | 10-12 | R_10, R_21 and t_y: the y of yaw, roll and the target's direction |
    | 13-15 | R_00, R_22 and t_x: the x of these |

    R_ij = (w² - |v|²)·δ_ij + 2·v_i·v_j - 2·w·ε_ijk·v_k for the unit quaternion with the vector part v. Shape: (13, 16).
    """
    rotation = torch.zeros(4, 4, 3, 3)
    for i in range(3):
        rotation[3, 3, i, i] += 1.0
        for k in range(3):
            rotation[k, k, i, i] -= 1.0
        for j in range(3):
            rotation[min(i, j), max(i, j), i, j] += 2.0
        j, k = (i + 1) % 3, (i + 2) % 3
        rotation[k, 3, i, j] -= 2.0
        rotation[k, 3, j, i] += 2.0
    terms = torch.zeros(13, 16)
    terms[:10, :9] = torch.stack([rotation[k, m].view(9) for k, m in zip(*FACTORS)])
    terms[:10, [9, 10, 11, 13, 14]] = terms[:10, [8, 3, 7, 0, 8]]
    terms[10, 15] = terms[11, 12] = 1.0
    return terms
