"""Cartpole: keep a pole upright on a cart by pushing the cart along its rail.

Task rule and figures: Isaac Gym's benchmark task, Makoviychuk et al. 2021, arXiv:2108.10470.
"""

import math
from typing import Dict, NamedTuple, Optional, Union

import torch
from torch import Tensor

from ...spaces import Box
from .physics_state import PhysicsState
from .physics_task import BodyProperties, PhysicsModel, PhysicsTask
from .task import AnalyticTask, Evaluation, ParameterTensors, TaskParameter

GRAVITY = 9.81
"""Unit: m/s²."""
RAIL = 4.0
"""The cart is stopped at this distance from the rail's middle. Unit: m."""
MAX_POLE_SPEED = 8.0
"""Limit of the pole's joint. Unit: rad/s."""
MASS_CENTRE = 0.47
"""Height of the pole's centre of mass above the joint, as a share of its length."""
POLE_WIDTH = 0.06
"""Side of the pole's box that lies in the plane in which it swings. Unit: m."""
POLE_DEPTH = 0.04
"""The other side, along the axis of its joint. Unit: m."""
CART_INERTIA = 0.01
"""Moments of inertia of the cart, which never turns, per kilogram. Unit: m²."""
POSITION_LIMIT = 3.0
"""An episode fails where the cart is further than this from the middle. Unit: m."""
ANGLE_LIMIT = math.pi / 2
"""An episode fails where the pole leans more than this. Unit: rad."""


class CartpoleState(NamedTuple):
    """Joint positions and velocities.

    Attributes:
        x: Position of the cart on the rail. Unit: m. Shape: (N,).
        x_dot: Its velocity. Unit: m/s. Shape: (N,).
        theta: Angle of the pole from upright; a positive one leans towards positive x. Unit: rad. Shape: (N,).
        theta_dot: Its angular velocity. Unit: rad/s. Shape: (N,).
    """

    x: Tensor
    x_dot: Tensor
    theta: Tensor
    theta_dot: Tensor


class CartpoleConstants(NamedTuple):
    """Coefficients of the equations of motion, each row of the mass matrix divided by its diagonal. Shape: (N,).

    With masses M and m of cart and pole, the first moment p = m·l of the pole about its joint, and its moment of
    inertia J = I + m·l² there:

    Attributes:
        push_gain: Acceleration of the cart by an action of 1, effort/(M + m). Unit: m/s².
        cart_coupling: p/(M + m). Unit: m.
        pole_coupling: p/J. Unit: 1/m.
        gravity: g·p/J. Unit: 1/s².
    """

    push_gain: Tensor
    cart_coupling: Tensor
    pole_coupling: Tensor
    gravity: Tensor


class Cartpole(AnalyticTask, PhysicsTask):
    """The cart is pushed with 400 N times the action, along a rail; the pole swings freely on its joint.

    The equations of motion are those of a rigid pole on a frictionless cart, integrated with the semi-implicit Euler
    rule as MuJoCo and PhysX do it. The pole is a box of 0.04 × 0.06 × 1 m and swings about the axis along its 0.04 m
    side, so that its moment of inertia about the centre of mass is I = m·(length² + 0.06²)/12.
    """

    name = "Cartpole"
    viewer_kind = "cartpole"
    state_type = CartpoleState
    observation_space = Box((4,))
    action_space = Box((1,), -1.0, 1.0)
    max_episode_length = 500
    success_return = 475.0  # where Gym's CartPole-v1 of the same length counts as solved
    timestep = 0.0166
    substeps = 2
    action_effort = (400.0,)
    model = PhysicsModel(
        file="cartpole.xml",
        joints=("slider", "hinge"),
        actuated_joints=("slider",),
        root_body="rail",
        fixed_base=True,
        start_position=(0.0, 0.0, 2.0),
        joint_limits=((-RAIL, RAIL), (-math.inf, math.inf)),
        joint_speed_limits=(math.inf, MAX_POLE_SPEED),
    )
    reward_components = ("upright", "cart_velocity", "pole_velocity", "failure")
    parameters = (
        TaskParameter(
            "start_position_range", 0.1, 0.0, 1.5, "m and rad",
            "Cart position and pole angle are drawn from ± this at the start of an episode",
        ),
        TaskParameter(
            "start_velocity_range", 0.25, 0.0, 8.0, "m/s and rad/s",
            "Velocities of cart and pole are drawn from ± this at the start of an episode",
        ),
        TaskParameter("push_effort", 400.0, 1.0, 2000.0, "N", "Force on the cart at an action of 1"),
        TaskParameter("cart_mass", 1.0, 0.1, 10.0, "kg", "Mass of the cart"),
        TaskParameter("pole_mass", 1.0, 0.1, 10.0, "kg", "Mass of the pole"),
        TaskParameter("pole_length", 1.0, 0.2, 4.0, "m", "Length of the pole; its centre of mass is at 0.47 of it"),
    )  # fmt: skip

    def __init__(self, device: Union[torch.device, str] = "cpu"):
        super().__init__(device)
        self.one = self.constant(1.0)
        self.action_range = self.constant(-1.0), self.constant(1.0)
        self.rail_range = self.constant(-RAIL), self.constant(RAIL)
        self.pole_speed_range = self.constant(-MAX_POLE_SPEED), self.constant(MAX_POLE_SPEED)
        self.limits = self.constant([POSITION_LIMIT, math.inf, ANGLE_LIMIT, math.inf])
        # Of x, ẋ, θ and θ̇: a component is offset + linear·|·| + quadratic·|·|², and what it is at a failure.
        self.offsets, self.at_failure = self.constant([0.0, 0.0, 1.0, 0.0]), self.constant([-2.0, 0.0, 0.0, 0.0])
        self.linear, self.quadratic = self.constant([0.0, -0.01, 0.0, -0.005]), self.constant([0.0, 0.0, -1.0, 0.0])

    def observe(self, state: CartpoleState) -> Tensor:
        """Observations, unscaled joint positions and velocities. Shape: (N, 4) float32.

        Index 0: cart position x (m). 1: cart velocity ẋ (m/s). 2: pole angle θ from upright, positive towards positive
        x (rad). 3: pole velocity θ̇ (rad/s). Scale: 1. Source: the joints' positions and velocities.
        """
        return torch.stack(state, dim=1)

    def evaluate(self, state: CartpoleState, observations: Optional[Tensor] = None) -> Evaluation:
        """Reward 1 - θ² - 0.01·|ẋ| - 0.005·|θ̇|, or -2 where |x| > 3 m or |θ| > π/2, which ends the episode.

        Components: ``upright`` 1 - θ², ``cart_velocity`` -0.01·|ẋ|, ``pole_velocity`` -0.005·|θ̇|, ``failure`` -2.
        The first three are 0 at a failure, so that the four always add up to the reward.
        """
        magnitudes = (self.observe(state) if observations is None else observations).abs()
        failed = (magnitudes > self.limits).any(1)
        parts = torch.addcmul(self.offsets, magnitudes, torch.addcmul(self.linear, magnitudes, self.quadratic))
        parts = torch.where(failed.unsqueeze(1), self.at_failure, parts)
        failure, cart_velocity, upright, pole_velocity = parts.unbind(1)
        components = dict(zip(self.reward_components, (upright, cart_velocity, pole_velocity, failure)))
        return Evaluation(parts.sum(1), failed, components)

    def initial_state(self, parameters: ParameterTensors, generator: Optional[torch.Generator]) -> CartpoleState:
        """Positions from U(±start_position_range), velocities from U(±start_velocity_range)."""
        positions, velocities = parameters["start_position_range"], parameters["start_velocity_range"]
        draws = torch.empty(4, positions.numel(), device=positions.device).uniform_(-1.0, 1.0, generator=generator)
        ranges = torch.stack((positions, velocities, positions, velocities))
        return CartpoleState(*(draws * ranges).unbind(0))

    def next_state(self, previous: CartpoleState, physics: PhysicsState, actions: Tensor) -> CartpoleState:
        """The two joints, as an engine measured them."""
        (x, theta), (x_dot, theta_dot) = physics.joint_positions.unbind(1), physics.joint_velocities.unbind(1)
        return CartpoleState(x, x_dot, theta, theta_dot)

    def physics(self, state: CartpoleState) -> PhysicsState:
        """The two joints, for an engine that begins an episode; the rail stays where it is."""
        positions, velocities = torch.stack((state.x, state.theta), 1), torch.stack((state.x_dot, state.theta_dot), 1)
        return PhysicsState(positions, velocities, *self.start(state.x.numel())[2:])

    def efforts(self, parameters: ParameterTensors) -> Tensor:
        """The push at an action of 1. Unit: N. Shape: (N, 1)."""
        return parameters["push_effort"].unsqueeze(1)

    def bodies(self, parameters: ParameterTensors) -> Dict[str, BodyProperties]:
        """Masses of the cart and of the pole, a box that stands on its joint."""
        cart, mass, length = (parameters[name] for name in ("cart_mass", "pole_mass", "pole_length"))
        zero, ones = torch.zeros_like(mass), torch.ones(1, 3, device=self.device)
        depth, width = POLE_DEPTH**2, POLE_WIDTH**2
        sides = torch.stack((length**2 + depth, length**2 + width, zero + (width + depth)), dim=1)
        return {
            "cart": BodyProperties(cart, zero.unsqueeze(1) * ones, CART_INERTIA * cart.unsqueeze(1) * ones),
            "pole": BodyProperties(
                mass, torch.stack((zero, zero, MASS_CENTRE * length), dim=1), mass.unsqueeze(1) * sides / 12
            ),
        }

    def constants(self, parameters: ParameterTensors) -> CartpoleConstants:
        """Masses and moments of cart and pole."""
        mass, length = parameters["pole_mass"], parameters["pole_length"]
        total_mass = parameters["cart_mass"] + mass
        centre = MASS_CENTRE * length
        inertia = mass * ((length**2 + POLE_WIDTH**2) / 12 + centre**2)
        return CartpoleConstants(
            push_gain=parameters["push_effort"] / total_mass,
            cart_coupling=mass * centre / total_mass,
            pole_coupling=mass * centre / inertia,
            gravity=GRAVITY * mass * centre / inertia,
        )

    def advance(self, state: CartpoleState, actions: Tensor, constants: CartpoleConstants) -> CartpoleState:
        """Push the cart for 0.0166 s, in two substeps of semi-implicit Euler.

        Past the end of the rail the cart is put back to it and stopped; its episode has failed before, at 3 m.
        """
        push = torch.clamp(actions.reshape(-1), *self.action_range).mul_(constants.push_gain)
        for _ in range(self.substeps):
            state = self._integrate(state, push, constants, self.timestep / self.substeps)
        off_rail = state.x.abs() > self.rail_range[1]
        x = torch.clamp(state.x, *self.rail_range)
        return state._replace(x=x, x_dot=state.x_dot.masked_fill(off_rail, 0.0))

    def viewer_state(self, state: CartpoleState, parameters: ParameterTensors) -> Dict[str, Tensor]:
        """Cart position (m), pole angle (rad) and pole length (m)."""
        return {"cart_position": state.x, "pole_angle": state.theta, "pole_length": parameters["pole_length"]}

    def _integrate(self, state: CartpoleState, push: Tensor, constants: CartpoleConstants, dt: float) -> CartpoleState:
        """One substep: accelerations at the old state, then velocities, then positions with the new velocities.

        Lagrange's equations of the two joints, each divided by its own inertia (names as in `CartpoleConstants`):

            ẍ + a·θ̈ = push + cart_coupling·sin θ·θ̇² = f,  with a = cart_coupling·cos θ
            b·ẍ + θ̈ = gravity·sin θ = t,                  with b = pole_coupling·cos θ

        so that ẍ = (f - a·t)/(1 - a·b) and θ̈ = (t - b·f)/(1 - a·b).
        """
        sin, cos = state.theta.sin(), state.theta.cos()
        a, b = constants.cart_coupling * cos, constants.pole_coupling * cos
        f = torch.addcmul(push, constants.cart_coupling * sin, state.theta_dot * state.theta_dot)
        t = sin.mul_(constants.gravity)
        determinant = torch.addcmul(self.one, a, b, value=-1.0)
        x_dot = torch.addcdiv(state.x_dot, torch.addcmul(f, a, t, value=-1.0), determinant, value=dt)
        theta_dot = torch.addcdiv(state.theta_dot, torch.addcmul(t, b, f, value=-1.0), determinant, value=dt)
        theta_dot = torch.clamp(theta_dot, *self.pole_speed_range)
        return CartpoleState(state.x.add(x_dot, alpha=dt), x_dot, state.theta.add(theta_dot, alpha=dt), theta_dot)
