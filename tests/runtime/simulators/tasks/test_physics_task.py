"""What tasks on physics engines have in common."""

import math

import pytest
import torch

from runtime.errors import TaskDefinitionError
from runtime.simulators.tasks.cartpole import Cartpole, CartpoleState
from runtime.simulators.tasks.physics_state import map_tensors, replace_rows, select_rows, tensors_of
from runtime.simulators.tasks.physics_task import ActedState, PhysicsModel, PhysicsTask
from runtime.simulators.tasks.task import Evaluation
from runtime.spaces import Box


class Arm(PhysicsTask):
    """Two joints; the second one cannot reach 0."""

    name = "Arm"
    observation_space = Box((2,))
    action_space = Box((1,), -1.0, 1.0)
    max_episode_length = 10
    timestep, substeps = 0.02, 2
    action_effort = (3.0,)
    reward_components = ("alive",)
    model = PhysicsModel(
        "arm.xml", ("a", "b"), ("b",), "base", ("hand",), joint_limits=((-1.0, 1.0), (0.5, 2.0)),
        start_position=(1.0, 2.0, 3.0),
    )  # fmt: skip

    def observe(self, state):
        return state.physics.joint_positions

    def evaluate(self, state, observations=None):
        ones = torch.ones(len(state.actions))
        return Evaluation(ones, ones < 0, {"alive": ones})


def parameters(count, **values):
    return {one.name: torch.full((count,), values.get(one.name, one.default)) for one in Arm.parameters}


def test_the_start_is_at_rest_with_joints_at_zero_or_their_nearest_limit():
    start = Arm().start(3)
    assert start.joint_positions.tolist() == [[0.0, 0.5]] * 3
    assert start.root_positions.tolist() == [[1.0, 2.0, 3.0]] * 3
    assert start.root_rotations.tolist() == [[0.0, 0.0, 0.0, 1.0]] * 3
    assert start.sensor_wrenches.shape == (3, 1, 6)
    assert not any(part.any() for part in (start.joint_velocities, start.sensor_wrenches, start.joint_forces))
    assert all(part.dtype == torch.float32 for part in start)


def test_first_states_lie_in_their_ranges_and_limits():
    ranges = parameters(4000, start_position_range=0.4, start_velocity_range=0.3)
    state = Arm().initial_state(ranges, torch.Generator().manual_seed(1))
    first, second = state.physics.joint_positions.unbind(1)
    assert -0.4 <= first.min() < -0.39 and 0.39 < first.max() <= 0.4
    assert second.min() == 0.5 and 0.89 < second.max() <= 0.9
    assert (second == 0.5).float().mean() == pytest.approx(0.5, abs=0.03)
    assert 0.299 < state.physics.joint_velocities.abs().max() <= 0.3
    assert state.actions.tolist() == [[0.0]] * 4000


def test_the_next_state_keeps_what_was_measured_and_done():
    task = Arm()
    measured, actions = task.start(2), torch.tensor([[0.5], [-1.0]])
    state = task.next_state(task.first_state(task.start(2)), measured, actions)
    assert isinstance(state, ActedState)
    assert task.physics(state) is measured and state.actions is actions
    assert task.efforts(parameters(2)).tolist() == [3.0]


def test_rows_of_nested_states():
    task = Arm()
    old = task.first_state(task.start(4))
    new = map_tensors(lambda tensor: tensor + 1, select_rows(old, torch.tensor([2, 0])))
    replaced = replace_rows(old, torch.tensor([2, 0]), new)
    for before, after in zip(tensors_of(old), tensors_of(replaced)):
        assert torch.equal(after[[1, 3]], before[[1, 3]])
        assert torch.equal(after[[0, 2]], before[[0, 2]] + 1)
    assert len(tensors_of(old)) == 9


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"action_effort": (1.0, 2.0)}, "action_effort has 2 values, expected 1"),
        ({"action_space": Box((2,))}, r"action_space is \(2,\), expected \(1,\)"),
        ({"parameters": ()}, "parameters must hold one at least"),
        ({"model": PhysicsModel("a.xml", ("a",), ("c",), "base")}, r"actuated joints \['c'\] are not among"),
        ({"model": PhysicsModel("a.xml", ("a", "b"), ("a",), "base", joint_limits=((0, 1),))}, "must be 2 pairs"),
        ({"model": PhysicsModel("a.xml", ("a",), ("a",), "base", joint_speed_limits=(1, 2))}, "must be 1 numbers"),
    ],
)
def test_declarations_that_disagree_are_refused(declared, text):
    with pytest.raises(TaskDefinitionError, match=f"task Wrong: .*{text}"):
        type("Wrong", (Arm,), declared)


def test_cartpole_is_the_same_task_on_a_physics_engine():
    task = Cartpole()
    state = CartpoleState(*torch.tensor([[0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 1.5, -4.0]]).unbind(1))
    physics = task.physics(state)
    assert physics.joint_positions[1].tolist() == [1.0, 1.5]
    assert physics.joint_velocities[1].tolist() == [2.0, -4.0]
    assert physics.root_positions.tolist() == [[0.0, 0.0, 2.0]] * 2
    again = task.next_state(state, physics, torch.zeros(2, 1))
    assert torch.equal(task.observe(again), task.observe(state))
    defaults = {one.name: torch.full((2,), one.default) for one in Cartpole.parameters}
    assert task.efforts(defaults).tolist() == [[400.0]] * 2
    pole = task.bodies({**defaults, "pole_mass": torch.tensor([1.0, 2.0]), "pole_length": torch.tensor([1.0, 3.0])})[
        "pole"
    ]
    assert pole.masses.tolist() == [1.0, 2.0]
    assert torch.allclose(pole.centres, torch.tensor([[0, 0, 0.47], [0, 0, 1.41]]))
    expected = [(1 + 0.0016) / 12, (1 + 0.0036) / 12, 0.0052 / 12], [(9.0016) / 6, (9.0036) / 6, 0.0052 / 6]
    assert torch.allclose(pole.inertias, torch.tensor(expected))
    assert math.isinf(float(task.joint_limits[1][1]))
