"""Cartpole's equations of motion, observations, rewards and first states."""

import math

import pytest
import torch

from runtime.simulators.tasks.cartpole import Cartpole, CartpoleState


def state_of(*rows, dtype=torch.float32):
    """A state from rows of (x, x_dot, theta, theta_dot), one per environment."""
    return CartpoleState(*torch.tensor(rows, dtype=dtype).unbind(1))


def parameters(count, dtype=torch.float32, **values):
    return {
        parameter.name: torch.full((count,), values.get(parameter.name, parameter.default), dtype=dtype)
        for parameter in Cartpole.parameters
    }


def with_timestep(seconds):
    """The task with one substep of the given length."""
    return type("OneSubstep", (Cartpole,), {"substeps": 1, "timestep": seconds})()


def lagrangian(positions, velocities, cart_mass=1.0, pole_mass=1.0, length=1.0, width=0.06):
    """T - V of cart and pole, from the velocity of the pole's centre of mass. Positions: (x, theta)."""

    def centre(q):
        return torch.stack((q[0] + 0.47 * length * torch.sin(q[1]), 0.47 * length * torch.cos(q[1])))

    centre_velocity = torch.autograd.functional.jacobian(centre, positions, create_graph=True) @ velocities
    inertia = pole_mass * (length**2 + width**2) / 12
    kinetic = cart_mass * velocities[0] ** 2 + pole_mass * centre_velocity.square().sum() + inertia * velocities[1] ** 2
    return kinetic / 2 - pole_mass * 9.81 * centre(positions)[1]


def accelerations(positions, velocities, force, **masses):
    """Euler-Lagrange equations, d/dt dL/dq' - dL/dq = Q, by automatic differentiation and a linear solver."""

    def momentum(q, v):
        return torch.autograd.grad(lagrangian(q, v, **masses), v, create_graph=True)[0]

    q, v = positions.clone().requires_grad_(), velocities.clone().requires_grad_()
    by_position, mass_matrix = torch.autograd.functional.jacobian(momentum, (q, v))
    (conservative,) = torch.autograd.grad(lagrangian(q, v, **masses), q)
    generalised = torch.tensor([force, 0.0], dtype=positions.dtype)
    return torch.linalg.solve(mass_matrix, generalised + conservative - by_position @ velocities)


@pytest.mark.parametrize("masses", [{}, {"cart_mass": 2.5, "pole_mass": 0.4, "pole_length": 1.7}])
def test_accelerations_are_those_of_the_lagrangian(masses):
    dt = 0.0083
    task = with_timestep(dt)
    generator = torch.Generator().manual_seed(3)
    rows = (torch.rand(20, 4, generator=generator, dtype=torch.float64) * 2 - 1) * torch.tensor([2.0, 5.0, 1.5, 6.0])
    actions = torch.rand(20, 1, generator=generator, dtype=torch.float64) * 0.02
    before = CartpoleState(*rows.unbind(1))
    after = task.advance(before, actions, task.constants(parameters(20, torch.float64, **masses)))
    names = {"cart_mass": "cart_mass", "pole_mass": "pole_mass", "pole_length": "length"}
    expected_masses = {names[name]: value for name, value in masses.items()}
    for row in range(20):
        x, x_dot, theta, theta_dot = rows[row]
        expected = accelerations(
            torch.stack((x, theta)), torch.stack((x_dot, theta_dot)), 400 * float(actions[row]), **expected_masses
        )
        assert float(after.x_dot[row] - x_dot) / dt == pytest.approx(float(expected[0]), rel=1e-5, abs=1e-6)
        assert float(after.theta_dot[row] - theta_dot) / dt == pytest.approx(float(expected[1]), rel=1e-5, abs=1e-6)
        assert float(after.x[row]) == pytest.approx(float(x + dt * after.x_dot[row]))
        assert float(after.theta[row]) == pytest.approx(float(theta + dt * after.theta_dot[row]))


def energy_drift(dt, seconds=0.4):
    task = with_timestep(dt)
    constants = task.constants(parameters(1, torch.float64))
    state = state_of((0.0, 0.5, 0.5, -0.3), dtype=torch.float64)

    def energy(s):
        velocities = torch.cat((s.x_dot, s.theta_dot)).requires_grad_()
        value = lagrangian(torch.cat((s.x, s.theta)), velocities)
        (momentum,) = torch.autograd.grad(value, velocities)
        return float((momentum @ velocities - value).detach())

    start, push = energy(state), torch.zeros(1, 1, dtype=torch.float64)
    for _ in range(round(seconds / dt)):
        state = task.advance(state, push, constants)
    assert abs(float(state.theta)) > 0.7
    return abs(energy(state) - start)


def test_energy_is_conserved_without_push_in_the_limit_of_small_steps():
    coarse, fine = energy_drift(4e-4), energy_drift(1e-4)
    assert fine < 2e-3
    assert coarse / fine == pytest.approx(4.0, rel=0.1)


MUJOCO = {
    1: [0.1037633, 0.2355966, -0.0491791, 0.0326379],
    20: [0.5141002, 1.6248579, -0.6672432, -3.2997056],
    40: [0.7270968, -0.037085, -2.2032886, -6.8441924],
}
"""State of the same model after that many control steps in MuJoCo 4.0 (Euler, no constraints)."""


def test_trajectory_of_mujoco():
    task, constants = Cartpole(), Cartpole().constants(parameters(1))
    state = state_of((0.1, 0.2, -0.05, 0.1))
    for step in range(1, 41):
        action = 0.03 * math.sin(0.2 * step)
        state = task.advance(state, torch.tensor([[action]]), constants)
        if step in MUJOCO:
            assert [float(value) for value in state] == pytest.approx(MUJOCO[step], abs=2e-5)


def test_one_control_step_is_two_substeps_of_0_0083_s():
    half = with_timestep(0.0083)
    constants = half.constants(parameters(2))
    before, push = state_of((0.1, 0.2, 0.3, 0.4), (-1.0, 3.0, -0.7, -2.0)), torch.tensor([[0.3], [-1.0]])
    twice = half.advance(half.advance(before, push, constants), push, constants)
    once = Cartpole().advance(before, push, constants)
    assert all(torch.equal(a, b) for a, b in zip(once, twice))


def test_actions_are_clamped_and_nan_stays():
    task, constants = Cartpole(), Cartpole().constants(parameters(5))
    before = state_of(*[(0.0, 0.0, 0.1, 0.0)] * 5)
    after = task.advance(before, torch.tensor([[1.0], [7.0], [math.inf], [math.nan], [-9.0]]), constants)
    assert after.x[0] == after.x[1] == after.x[2] > 0
    assert after.x[4] < 0
    assert all(value[3].isnan() for value in after)


def test_the_poles_speed_is_limited_and_the_cart_stops_at_the_rails_end():
    task, constants = with_timestep(0.0166), Cartpole().constants(parameters(2))
    after = task.advance(state_of((2.9, 70.0, 0.0, 0.0), (-2.9, -70.0, 0.0, 20.0)), torch.zeros(2, 1), constants)
    assert after.x.tolist() == [4.0, -4.0]
    assert after.x_dot.tolist() == [0.0, 0.0]
    assert after.theta_dot[1] == 8.0


def test_observations_are_the_joint_state():
    observations = Cartpole().observe(state_of((1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)))
    assert observations.tolist() == [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
    assert observations.is_contiguous()
    assert observations.dtype == torch.float32


def test_rewards_by_hand():
    result = Cartpole().evaluate(state_of((0.5, -2.0, 0.3, 4.0), (-3.5, 1.0, 0.1, 1.0), (0.0, 0.0, -1.6, 0.0)))
    # 1 - 0.3² - 0.01·2 - 0.005·4, and two failures.
    assert result.rewards.tolist() == pytest.approx([0.87, -2.0, -2.0])
    assert result.terminated.tolist() == [False, True, True]
    components = {name: values.tolist() for name, values in result.components.items()}
    assert components["upright"] == pytest.approx([0.91, 0.0, 0.0])
    assert components["cart_velocity"] == pytest.approx([-0.02, 0.0, 0.0])
    assert components["pole_velocity"] == pytest.approx([-0.02, 0.0, 0.0])
    assert components["failure"] == [0.0, -2.0, -2.0]
    assert tuple(components) == Cartpole.reward_components


def test_components_add_up_to_the_reward_exactly():
    rows = torch.randn(4, 1000, generator=torch.Generator().manual_seed(1)) * 1.5
    result = Cartpole().evaluate(CartpoleState(*rows.unbind(0)))
    assert 0 < int(result.terminated.sum()) < 1000
    total = torch.zeros(1000)
    for values in result.components.values():
        total = total + values
    assert torch.equal(total, result.rewards)


def test_failure_lies_just_beyond_the_limits():
    beyond = torch.nextafter(torch.tensor([3.0, math.pi / 2]), torch.tensor(9.0))
    rows = [(3.0, 0, 0, 0), (beyond[0], 0, 0, 0), (-beyond[0], 0, 0, 0)]
    rows += [(0, 0, math.pi / 2, 0), (0, 0, beyond[1], 0), (0, 0, -beyond[1], 0)]
    assert Cartpole().evaluate(state_of(*rows)).terminated.tolist() == [False, True, True, False, True, True]


def test_first_states_fill_the_ranges():
    first = Cartpole().initial_state(parameters(5000), torch.Generator().manual_seed(0))
    for name, limit in (("x", 0.1), ("theta", 0.1), ("x_dot", 0.25), ("theta_dot", 0.25)):
        values = getattr(first, name)
        assert values.abs().max() <= limit
        assert values.min() < -0.98 * limit
        assert values.max() > 0.98 * limit
        assert abs(float(values.mean())) < 0.05 * limit
    assert not torch.equal(first.x, first.theta)


def test_first_states_use_each_environments_own_range():
    ranges = parameters(3, start_velocity_range=0.0)
    ranges["start_position_range"] = torch.tensor([0.0, 0.5, 1.5])
    widest = [0.0, 0.0, 0.0]
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        first = Cartpole().initial_state(ranges, generator)
        widest = [max(a, abs(float(b))) for a, b in zip(widest, first.theta)]
        assert not first.x_dot.any()
    assert widest == [0.0, pytest.approx(0.5, rel=0.05), pytest.approx(1.5, rel=0.05)]


def test_viewer_state_names_what_is_drawn():
    state = state_of((1.0, 0, 0.2, 0))
    drawn = Cartpole().viewer_state(state, parameters(1, pole_length=2.0))
    assert {name: values.tolist() for name, values in drawn.items()} == {
        "cart_position": [1.0], "pole_angle": [pytest.approx(0.2)], "pole_length": [2.0],
    }  # fmt: skip
