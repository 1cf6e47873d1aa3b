"""The same state gives the same observation, reward and reset on every engine, index by index."""

import dataclasses

import pytest
import torch

from runtime.simulators import isaacgym_scene
from runtime.simulators.factory import make_simulator
from runtime.simulators.tasks import TASKS
from runtime.simulators.tasks.physics_state import map_tensors
from runtime.simulators.tasks.physics_task import PhysicsTask
from runtime.simulators.tasks.task import AnalyticTask

N = 32
TOLERANCE = 1e-5
PHYSICAL = [task for task in TASKS if issubclass(task, PhysicsTask)]


def make(engine, task):
    return make_simulator(engine, task.name, N, "cpu", torch.Generator().manual_seed(3))


def engines_of(task):
    return ["isaacgym", "mujoco"] + (["torch"] if issubclass(task, AnalyticTask) else [])


def actions_of(task, seed):
    """Random ones, from weak to the strongest; Cartpole's pole reaches its limit of speed with the strong ones."""
    scale = torch.logspace(-2, 0, N).unsqueeze(1)
    return (torch.rand(N, *task.action_space.shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1) * scale


def reached(task):
    """A state in the midst of episodes, with contacts and joints at their limits, as tensors."""
    simulator = make("isaacgym", task)
    simulator.reset()
    for step in range(12):
        simulator.step(actions_of(task, step))
    saved = simulator.state_dict()["state"]
    simulator.close()
    return saved


def stepped(engine, task, saved):
    """One step from a state. Nearly all of its observation is measured by the engine."""
    simulator = make(engine, task)
    simulator.reset()
    rows = iter(saved)
    simulator._state = map_tensors(lambda _: next(rows).clone(), simulator._state)
    if engine != "torch":
        simulator._observations = simulator.task.observe(simulator._state)
        simulator.backend.place(torch.arange(N), simulator.task.physics(simulator._state))
    before = simulator.observations()
    result = simulator.step(actions_of(task, 99))
    simulator.close()
    return before, result


@pytest.mark.parametrize("task", PHYSICAL, ids=lambda task: task.name)
def test_the_same_state_gives_the_same_step_on_every_engine(task, isaacgym):
    """Positions, velocities, wrenches and joint forces, index by index; reward; end."""
    pytest.importorskip("mujoco")
    saved = reached(task)
    found = {engine: stepped(engine, task, saved) for engine in engines_of(task)}
    first, expected = found["isaacgym"]
    assert expected.dones.final_observations.abs().max() > 0.1
    for engine, (before, result) in found.items():
        pairs = [(before, first), (result.dones.final_observations, expected.dones.final_observations)]
        for observed, wanted in pairs:
            for index in range(wanted.shape[1]):
                close = torch.allclose(observed[:, index], wanted[:, index], atol=TOLERANCE, rtol=TOLERANCE)
                assert close, (engine, index)
        assert torch.allclose(result.rewards, expected.rewards, atol=TOLERANCE), engine
        for name, values in result.reward_components.items():
            assert torch.allclose(values, expected.reward_components[name], atol=TOLERANCE), (engine, name)
        assert torch.equal(result.dones.terminated, expected.dones.terminated), engine


@pytest.mark.parametrize("is_local", [True, False], ids=["root frame", "world frame"])
@pytest.mark.parametrize("task", PHYSICAL, ids=lambda task: task.name)
def test_a_placed_state_is_measured_as_it_was_placed(task, is_local, isaacgym, monkeypatch):
    """Through the engine and back: positions and velocities of every joint and of the root."""
    pytest.importorskip("mujoco")
    monkeypatch.setattr(task, "model", dataclasses.replace(task.model, local_angular_velocities=is_local))
    measured = {}
    physics = make("isaacgym", task).task.start(N)
    generator = torch.Generator().manual_seed(5)
    rotations = torch.nn.functional.normalize(torch.randn(N, 4, generator=generator), dim=1)
    physics = physics._replace(
        joint_positions=physics.joint_positions + 0.05 * torch.rand(physics.joint_positions.shape, generator=generator),
        joint_velocities=torch.randn(physics.joint_velocities.shape, generator=generator),
    )
    if not task.model.fixed_base:
        physics = physics._replace(
            root_positions=physics.root_positions + torch.rand(N, 3, generator=generator),
            root_rotations=rotations,
            root_linear_velocities=torch.randn(N, 3, generator=generator),
            root_angular_velocities=torch.randn(N, 3, generator=generator),
        )
    isaacgym_scene.destroy_scene()
    for engine in ("isaacgym", "mujoco"):
        simulator = make(engine, task)
        simulator.backend.place(torch.arange(N), physics)
        if engine == "isaacgym":
            simulator.backend._refresh()
            measured[engine] = simulator.backend._measure()
        else:
            measured[engine] = simulator.backend.measure()
    for name in ("joint_positions", "joint_velocities", "root_positions", "root_rotations", "root_linear_velocities",
                 "root_angular_velocities"):  # fmt: skip
        placed = getattr(physics, name)
        for engine, state in measured.items():
            assert torch.allclose(getattr(state, name), placed, atol=TOLERANCE), (engine, name)
