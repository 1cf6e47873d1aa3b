"""MuJoCo Warp beside MuJoCo on the CPU: the same physics, in float32. Its first run compiles kernels for minutes."""

import pytest
import torch

from runtime.simulators.factory import make_simulator
from runtime.simulators.mujoco_engine import make_backend
from runtime.simulators.tasks.ant import Ant
from runtime.simulators.tasks.cartpole import Cartpole, CartpoleState

pytest.importorskip("mujoco_warp")
pytestmark = pytest.mark.filterwarnings("default")

DEVICE = torch.device("cpu")


def make(task, backend="warp", num_envs=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return make_simulator("mujoco", task.name, num_envs, DEVICE, generator, mujoco_backend=backend)


def actions_of(task, steps, num_envs=4):
    draws = torch.rand(steps, num_envs, *task.action_space.shape, generator=torch.Generator().manual_seed(1))
    return draws * 2 - 1


@pytest.mark.parametrize("task", [Cartpole, Ant])
def test_it_moves_as_on_the_cpu(task):
    """Observations are positions, velocities and wrenches; the pole meets its limit of speed."""
    ours, cpu = make(task), make(task, "auto")
    assert torch.equal(ours.reset(), cpu.reset())
    for action in actions_of(task, 8):
        found, expected = ours.step(action), cpu.step(action)
        assert torch.allclose(found.observations, expected.observations, atol=2e-3, rtol=2e-3)
        assert torch.allclose(found.rewards, expected.rewards, atol=5e-3)
        assert torch.equal(found.dones.terminated, expected.dones.terminated)


def test_the_pole_is_no_faster_than_its_limit():
    task = Cartpole(DEVICE)
    backends = [make_backend(task, 2, 1, "warp"), make_backend(task, 2, 1)]
    state = CartpoleState(*torch.tensor([[0.5, 1.0, 3.0, 7.9], [0.0, 0.0, -1.0, -7.5]]).unbind(1))
    for backend in backends:
        backend.place(torch.arange(2), task.physics(state))
    limited = 0
    for step in range(6):
        push = torch.full((2, 1), 400.0 if step < 3 else -400.0)
        found, expected = (backend.advance(push) for backend in backends)
        assert torch.allclose(found.joint_velocities, expected.joint_velocities, atol=1e-3)
        assert torch.allclose(found.joint_positions, expected.joint_positions, atol=1e-4)
        limited += int((expected.joint_velocities[:, 1].abs() == 8).sum())
    assert limited > 3


def test_resume_on_the_cpu_is_bit_exact():
    actions = actions_of(Ant, 9)
    original = make(Ant)
    original.reset()
    for action in actions[:3]:
        original.step(action)
    saved, generator = original.state_dict(), original.generator.get_state()
    resumed = make(Ant, seed=9)
    resumed.load_state_dict(saved)
    resumed.generator.set_state(generator)
    assert torch.equal(resumed.observations(), original.observations())
    for action in actions[3:]:
        first, second = original.step(action), resumed.step(action)
        assert torch.equal(first.observations, second.observations) and torch.equal(first.rewards, second.rewards)


def test_results_do_not_change_afterwards():
    simulator = make(Ant)
    simulator.reset()
    results = [simulator.step(action) for action in actions_of(Ant, 3)]
    kept = [(result.observations.clone(), result.rewards.clone()) for result in results[:2]]
    state = simulator._state.physics.sensor_wrenches.clone()
    before = simulator._state
    simulator.step(actions_of(Ant, 1)[0])
    assert torch.equal(before.physics.sensor_wrenches, state)
    for result, (observations, rewards) in zip(results, kept):
        assert torch.equal(result.observations, observations) and torch.equal(result.rewards, rewards)


def test_masses_of_the_pole_change_at_the_reset():
    simulators = [make(Cartpole), make(Cartpole, "auto")]
    for values in ({"pole_mass": 3.0, "pole_length": 2.0, "cart_mass": 0.5}, {}):
        for simulator in simulators:
            defaults = dict.fromkeys(("pole_mass", "pole_length", "cart_mass"), 1.0)
            simulator.set_task_parameters({**defaults, **values})
        found, expected = (simulator.reset() for simulator in simulators)
        assert torch.equal(found, expected)
        for action in 0.1 * actions_of(Cartpole, 6):
            found, expected = (simulator.step(action).observations for simulator in simulators)
            assert torch.allclose(found, expected, atol=1e-3)


def test_a_viewer_gets_positions_on_the_cpu():
    simulator = make(Ant)
    simulator.reset()
    state = simulator.viewer_state([2, 0])
    assert state.kind == "mujoco" and state.values["qpos"].dtype == torch.float64
    assert state.values["qpos"][:, 2].tolist() == pytest.approx([0.44, 0.44])
