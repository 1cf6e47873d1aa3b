"""Tasks of IsaacGymEnvs: no transition crosses an episode's end, and nothing that is returned changes afterwards."""

import sys

import pytest
import torch

from runtime.errors import CheckpointError, ParameterError
from runtime.simulators import isaacgymenvs_engine
from runtime.simulators.factory import available_tasks, make_simulator
from runtime.simulators.interface import SimulatorError
from runtime.simulators.isaacgymenvs_engine import IsaacGymEnvsEngine, make_env
from runtime.simulators.isaacgymenvs_simulator import IsaacGymEnvsSimulator
from runtime.spaces import Box
from runtime.specs import TaskSpec

N, POSITION, PROGRESS, EPISODE, ACTION = 6, 0, 1, 2, 3
CPU = torch.device("cpu")
SIZES = {"observations": [4], "actions": [1], "max_episode_length": 20}


@pytest.fixture
def installed(isaacgym, monkeypatch):
    """The doubles of Isaac Gym, IsaacGymEnvs and Hydra; the sizes need no second process."""
    monkeypatch.setattr(isaacgymenvs_engine, "probe", lambda task: SIZES)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in ("isaacgymenvs", "hydra")]:
        del sys.modules[name]


@pytest.fixture
def simulator(installed):
    return make()


def make(visual=False):
    spec = TaskSpec("Line", N, Box((4,)), Box((1,), -1.0, 1.0), max_episode_length=20)
    return IsaacGymEnvsSimulator(make_env("Line", N, CPU, 0, visual), spec, CPU)


def pushes(steps):
    """Every environment at its own pace, so that some fail and some run out of time."""
    pace = torch.linspace(-1.0, 1.0, N).unsqueeze(1)
    return [pace for _ in range(steps)]


def test_the_first_observations_are_those_of_a_first_state(simulator):
    observations = simulator.reset()
    assert observations[:, POSITION].tolist() == pytest.approx([0.01] * N)
    assert not observations[:, PROGRESS].any()
    assert observations[:, EPISODE].tolist() == [1.0] * N
    assert simulator.env.simulated == 1


def test_every_transition_lies_within_one_episode(simulator):
    """Position, reward, age and action of every transition follow from the observation before and the action."""
    before, failures, time_outs = simulator.reset(), 0, 0
    for actions in pushes(100):
        result = simulator.step(actions)
        final, dones = result.dones.final_observations, result.dones
        expected = before[:, POSITION] + 0.1 * actions[:, 0]
        assert torch.allclose(final[:, POSITION], expected, atol=1e-6)
        assert torch.allclose(result.rewards, expected, atol=1e-6)
        assert torch.equal(final[:, PROGRESS], before[:, PROGRESS] + 1)
        assert torch.equal(final[:, EPISODE], before[:, EPISODE])
        assert torch.equal(final[:, ACTION], actions[:, 0])
        failed, timed_out = final[:, POSITION].abs() > 1.0, final[:, PROGRESS] >= 19
        assert torch.equal(dones.ended, failed | timed_out)
        assert torch.equal(dones.truncated, timed_out)
        assert torch.equal(dones.terminated, failed & ~timed_out)
        ended = dones.ended
        assert torch.equal(result.observations[~ended], final[~ended])
        fresh = result.observations[ended]
        assert torch.equal(fresh[:, EPISODE], before[ended, EPISODE] + 1)
        assert torch.allclose(fresh[:, POSITION], 0.01 * fresh[:, EPISODE])
        assert not fresh[:, PROGRESS].any()
        assert torch.equal(simulator.episode_steps, result.observations[:, PROGRESS].long())
        before = result.observations
        failures, time_outs = failures + int(dones.terminated.sum()), time_outs + int(dones.truncated.sum())
    assert failures > 5
    assert time_outs > 5


def test_no_step_of_the_simulation_is_spent_on_resets(simulator):
    simulator.reset()
    for actions in pushes(50):
        simulator.step(actions)
    assert simulator.env.simulated == 1 + 50


def test_results_never_change_afterwards(simulator):
    kept = [simulator.reset()]
    for actions in pushes(30):
        result = simulator.step(actions)
        kept += [result.observations, result.rewards, *result.dones[:3], simulator.episode_steps]
    copies = [tensor.clone() for tensor in kept]
    for actions in pushes(30):
        simulator.step(-actions)
    assert all(torch.equal(a, b) for a, b in zip(kept, copies))
    assert kept[0].dtype == kept[2].dtype == torch.float32
    assert kept[3].dtype == kept[4].dtype == torch.bool


def test_a_second_reset_begins_all_episodes_anew(simulator):
    simulator.reset()
    for actions in pushes(3):
        simulator.step(actions)
    observations = simulator.reset()
    assert observations[:, EPISODE].tolist() == [2.0] * N
    assert not simulator.episode_steps.any()


def test_escape_in_the_window_ends_the_run_after_a_whole_step(installed):
    simulator = make(visual=True)
    assert simulator.has_viewer
    before = simulator.reset()
    simulator.step(torch.zeros(N, 1))
    simulator.env.viewer.escape = True
    result = simulator.step(torch.ones(N, 1))
    assert simulator.stop_reason == "ESC in the viewer, or it was closed"
    assert torch.allclose(result.rewards, before[:, POSITION] + 0.1)
    assert simulator.env.simulated == 3
    gym = simulator.env.gym
    simulator.close()
    simulator.close()
    assert gym.destroyed == ["viewer", "sim"]


def test_observations_are_limited_as_there(simulator):
    simulator.reset()
    simulator.env.episodes += 2000.0
    assert simulator.step(torch.zeros(N, 1)).observations[:, EPISODE].tolist() == [1000.0] * N


def test_a_task_without_a_reset_of_rows_is_refused(installed, monkeypatch):
    env = make_env("Line", N, CPU, 0, False)
    monkeypatch.delattr(type(env), "reset_idx")
    with pytest.raises(SimulatorError, match="Line of IsaacGymEnvs has no reset_idx"):
        IsaacGymEnvsSimulator(env, TaskSpec("Line", N, Box((4,)), Box((1,))), CPU)


def test_what_it_refuses(simulator):
    with pytest.raises(SimulatorError, match="must be reset"):
        simulator.step(torch.zeros(N, 1))
    simulator.reset()
    with pytest.raises(SimulatorError, match=r"shape \(6, 2\), expected \(6, 1\)"):
        simulator.step(torch.zeros(N, 2))
    with pytest.raises(ParameterError, match="no task parameters, got gravity"):
        simulator.set_task_parameters({"gravity": 1.0})
    with pytest.raises(CheckpointError, match="7 environments of 'Line', expected 6"):
        simulator.load_state_dict({"task": "Line", "num_envs": 7})
    assert not simulator.episodes_resume


def test_the_engine_makes_any_task_by_name(installed):
    assert available_tasks("isaacgymenvs") == ("Broken", "Line")
    made = make_simulator("isaacgymenvs", "Line", 3, "cpu", torch.Generator())
    assert made.reset().shape == (3, 4)
    assert (made.task_spec.name, made.task_spec.max_episode_length) == ("Line", 20)
    with pytest.raises(SimulatorError, match="gave up while making Broken"):
        make_simulator("isaacgymenvs", "Broken", 3, "cpu", torch.Generator())
    with pytest.raises(SimulatorError, match="does not have a task 'Lime'; did you mean 'Line'"):
        make_simulator("isaacgymenvs", "Lime", 3, "cpu", torch.Generator())


def test_sizes_are_asked_in_a_process_of_its_own(isaacgym, monkeypatch):
    from .isaacgym_double import DOUBLES

    monkeypatch.setenv("PYTHONPATH", str(DOUBLES))
    assert isaacgymenvs_engine.probe("Line") == SIZES
    with pytest.raises(SimulatorError, match="cannot make Broken: .*gave up while making Broken"):
        isaacgymenvs_engine.probe("Broken")


def test_a_task_that_cannot_be_asked_is_asked_once(monkeypatch):
    asked = []

    def fail(task):
        asked.append(task)
        raise SimulatorError("no GPU")

    monkeypatch.setattr(isaacgymenvs_engine, "probe", fail)
    engine = IsaacGymEnvsEngine()
    for _ in range(3):
        with pytest.raises(SimulatorError, match="no GPU"):
            engine.task_spec("Line", 2)
    assert asked == ["Line"]


def test_not_installed():
    assert "pip install -e IsaacGymEnvs" in IsaacGymEnvsEngine().unavailable_reason()
    with pytest.raises(SimulatorError, match="'isaacgymenvs' is not installed: git clone"):
        make_simulator("isaacgymenvs", "Anymal", 3, "cpu", torch.Generator())
