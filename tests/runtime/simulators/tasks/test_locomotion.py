"""Ant and Humanoid: every observation index and every term of the reward, by hand and against numpy."""

import math

import pytest
import torch

from runtime.simulators.tasks.ant import Ant
from runtime.simulators.tasks.humanoid import JOINTS, Humanoid
from runtime.simulators.tasks.locomotion import LocomotionState
from runtime.simulators.tasks.physics_state import PhysicsState

numpy = pytest.importorskip("numpy")
from tests.runtime.simulators.tasks import locomotion_numpy as reference  # noqa: E402

COUNT = 200
SCALES = {"Ant": (1.0, 0.2, None, 0.1), "Humanoid": (0.25, 0.1, 0.01, 0.01)}


def random_physics(task, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape, scale=1.0):
        return torch.randn(COUNT, *shape, generator=generator) * scale

    joints = len(task.model.joints)
    positions = draw(3, scale=4.0)
    positions[:, 2] = torch.rand(COUNT, generator=generator) * 1.5
    lower, upper = task.joint_limits
    middle, half = (upper + lower) / 2, (upper - lower) / 2
    return PhysicsState(
        joint_positions=middle + half * 1.1 * (torch.rand(COUNT, joints, generator=generator) * 2 - 1),
        joint_velocities=draw(joints, scale=5.0),
        root_positions=positions,
        root_rotations=torch.nn.functional.normalize(draw(4), dim=1),
        root_linear_velocities=draw(3, scale=2.0),
        root_angular_velocities=draw(3, scale=2.0),
        sensor_wrenches=draw(len(task.model.sensor_bodies), 6, scale=10.0),
        joint_forces=draw(joints, scale=30.0),
    )


def one(physics, row):
    names = ("joints", "speeds", "position", "rotation", "linear", "angular", "wrenches", "forces")
    return {name: tensor[row].double().numpy() for name, tensor in zip(names, physics)}


@pytest.mark.parametrize(("task", "reward"), [(Ant(), reference.ant), (Humanoid(), reference.humanoid)])
def test_observations_and_rewards_agree_with_the_second_implementation(task, reward):
    before, after = random_physics(task, 1), random_physics(task, 2)
    after = after._replace(root_positions=before.root_positions + 0.05 * before.root_angular_velocities)
    actions = torch.rand(COUNT, task.action_count, generator=torch.Generator().manual_seed(3)) * 2 - 1
    state = task.next_state(task.first_state(before), after, actions)
    observations = task.observe(state)
    rewards, terminated, components = task.evaluate(state, observations)
    assert observations.shape == (COUNT, *task.observation_space.shape)
    assert observations.dtype == rewards.dtype == torch.float32
    assert 20 < int(terminated.sum()) < COUNT - 20
    for row in range(COUNT):
        scales = SCALES[task.name]
        measured, acted = one(after, row), actions[row].double().numpy()
        seen = reference.observe(measured, acted, task.model.joint_limits, scales, task.wraps_angles)
        assert numpy.abs(observations[row].numpy() - seen).max() < 1e-5 * max(1.0, numpy.abs(seen).max())
        expected, failed = reward(seen, acted, one(before, row)["position"], measured["position"])
        assert bool(terminated[row]) is failed
        assert float(rewards[row]) == pytest.approx(expected, abs=1e-4, rel=1e-5)
    assert tuple(components) == task.reward_components
    total = torch.zeros(COUNT)
    for values in components.values():
        total = total + values
    assert torch.allclose(total, rewards, rtol=1e-6, atol=1e-5)
    alone = task.evaluate(state)
    assert torch.equal(alone.rewards, rewards) and torch.equal(alone.terminated, terminated)


def standing(task, **values):
    """One environment at the start pose, with some measurements put in place."""
    start = task.start(1)
    put = {name: torch.tensor([value], dtype=torch.float32) for name, value in values.items()}
    return start._replace(**put)


def quarter_turn(axis):
    """90° about an axis, as x, y, z, w."""
    return [math.sqrt(0.5) if index in (axis, 3) else 0.0 for index in range(4)]


def test_ant_index_by_index():
    task = Ant()
    wrenches = [[100.0 * foot + axis for axis in range(6)] for foot in range(4)]
    hip, ankle = math.radians(20.0), math.radians(100.0)
    physics = standing(
        task,
        root_positions=[0.0, 0.0, 0.5],
        root_rotations=quarter_turn(2),
        root_linear_velocities=[1.0, 2.0, 3.0],
        root_angular_velocities=[4.0, 5.0, 6.0],
        joint_positions=[hip, ankle, 0, -math.radians(100.0), 0, -math.radians(30.0), 0, math.radians(65.0)],
        joint_velocities=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        sensor_wrenches=wrenches,
    )
    actions = torch.tensor([[0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8]])
    seen = task.observe(task.next_state(task.first_state(task.start(1)), physics, actions))[0].tolist()
    assert seen[0] == 0.5
    # Turned by 90° about z: the torso's x axis points along the world's y, its y axis along -x.
    assert seen[1:4] == pytest.approx([2.0, -1.0, 3.0], abs=1e-6)
    assert seen[4:7] == [4.0, 5.0, 6.0]  # measured in the torso's frame
    assert seen[7:12] == pytest.approx([math.pi / 2, 0.0, -math.pi / 2, 1.0, 0.0], abs=1e-6)
    assert seen[12:20] == pytest.approx([0.5, 1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0], abs=1e-6)
    assert seen[20:28] == pytest.approx([0.2 * speed for speed in range(1, 9)])
    assert seen[28:52] == pytest.approx([0.1 * value for foot in wrenches for value in foot])
    assert seen[52:60] == pytest.approx(actions[0].tolist())


def test_humanoid_index_by_index():
    task = Humanoid()
    joints = len(JOINTS)
    physics = standing(
        task,
        root_positions=[0.0, 0.0, 1.2],
        root_rotations=quarter_turn(0),
        root_angular_velocities=[4.0, 8.0, 12.0],
        joint_positions=[high for _, high in task.model.joint_limits],
        joint_velocities=[float(number) for number in range(joints)],
        joint_forces=[100.0 * number for number in range(joints)],
        sensor_wrenches=[[100.0 * foot + axis for axis in range(6)] for foot in range(2)],
    )
    actions = torch.linspace(-1, 1, joints).unsqueeze(0)
    seen = task.observe(task.next_state(task.first_state(task.start(1)), physics, actions))[0].tolist()
    assert seen[0] == pytest.approx(1.2)
    assert seen[4:7] == pytest.approx([1.0, 2.0, 3.0], abs=1e-6)  # measured in the torso's frame
    # Rolled by 90° about x: the torso's y axis points up, its z axis along -y.
    assert seen[7:12] == pytest.approx([0.0, math.pi / 2, 0.0, 0.0, 1.0], abs=1e-6)
    assert seen[12:33] == pytest.approx([1.0] * joints, abs=1e-6)
    assert seen[33:54] == pytest.approx([0.1 * number for number in range(joints)])
    assert seen[54:75] == pytest.approx([float(number) for number in range(joints)])
    assert seen[75:87] == pytest.approx([0.01 * (100 * foot + axis) for foot in range(2) for axis in range(6)])
    assert seen[87:108] == pytest.approx(actions[0].tolist())


def test_the_angle_to_the_target_is_wrapped_for_the_humanoid_alone():
    behind = [0.0, 0.0, math.sin(1.5), math.cos(1.5)]  # yaw 3 rad
    for task, expected in ((Ant(), -3.0 - 0.2), (Humanoid(), -3.2 + 2 * math.pi)):
        physics = standing(task, root_positions=[0.0, 1000 * math.tan(0.2), 1.0], root_rotations=behind)
        assert float(task.observe(task.first_state(physics))[0, 9]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("task", [Ant(), Humanoid()])
def test_a_step_forward_is_paid_by_its_speed(task):
    before, after = standing(task), standing(task, root_positions=[0.0166 * 3, 0.0, task.model.start_position[2]])
    state = task.next_state(task.first_state(before), after, torch.zeros(1, task.action_count))
    evaluation = task.evaluate(state)
    assert float(evaluation.components["progress"]) == pytest.approx(3.0, abs=1e-4)
    assert float(evaluation.components["heading"]) == pytest.approx(0.5)
    assert float(evaluation.components["upright"]) == pytest.approx(0.1)
    assert float(evaluation.components["alive"]) == task.alive_reward
    again = task.next_state(state, after, torch.zeros(1, task.action_count))
    assert float(task.evaluate(again).components["progress"]) == 0.0
    assert isinstance(again, LocomotionState) and again.potentials.dtype == torch.float64


@pytest.mark.parametrize(("task", "height", "reward"), [(Ant(), 0.31, -2.0), (Humanoid(), 0.8, -1.0)])
def test_a_fall_ends_the_episode(task, height, reward):
    for z, falls in ((height - 1e-3, True), (height + 1e-3, False)):
        state = task.first_state(standing(task, root_positions=[0.0, 0.0, z]))
        rewards, terminated, components = task.evaluate(state)
        assert bool(terminated) is falls
        if falls:
            assert float(rewards) == reward == float(components["failure"])


def test_first_states_are_those_of_the_rules():
    task = Ant()
    parameters = {parameter.name: torch.full((3000,), parameter.default) for parameter in Ant.parameters}
    state = task.initial_state(parameters, torch.Generator().manual_seed(0))
    lower, upper = task.joint_limits
    start = task.start(1).joint_positions[0]
    assert start.tolist() == pytest.approx([math.radians(angle) for angle in (0, 30, 0, -30, 0, -30, 0, 30)])
    positions = state.physics.joint_positions
    assert (positions >= lower).all() and (positions <= upper).all()
    assert (positions - start).abs().max() <= 0.2 and (positions - start).abs().max() > 0.199
    assert 0.099 < state.physics.joint_velocities.abs().max() <= 0.1
    assert torch.equal(state.potentials, state.previous_potentials) and not state.actions.any()
    assert float(state.potentials[0]) == pytest.approx(-1000 / 0.0166)


def test_the_efforts_are_the_published_ones():
    assert Ant.action_effort == (15.0,) * 8
    assert Humanoid.action_effort == tuple(reference.EFFORTS)
    assert (Ant.max_episode_length, Ant.timestep, Ant.substeps) == (1000, 0.0166, 2)
