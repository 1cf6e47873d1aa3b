"""Episode ends, automatic resets, task parameters, resume and determinism of the torch engine."""

import pytest
import torch

from runtime.errors import CheckpointError, ParameterError
from runtime.simulators.interface import SimulatorError
from runtime.simulators.tasks.cartpole import Cartpole
from runtime.simulators.torch_engine import TorchSimulator


class Still(Cartpole):
    """A cart-pole that does not move, so that only the time limit ends its episodes."""

    def advance(self, state, actions, constants):
        return state


def make(num_envs=8, task=Cartpole, seed=0, desynchronise=False, asks_first=True):
    generator = torch.Generator().manual_seed(seed)
    simulator = TorchSimulator(task(), num_envs, torch.device("cpu"), generator, desynchronise)
    simulator._asks_first = asks_first  # False is what a GPU does
    return simulator


def actions_of(steps, num_envs, seed=1):
    return (torch.rand(steps, num_envs, 1, generator=torch.Generator().manual_seed(seed)) - 0.5) * 0.2


def tensors_of(result):
    dones = result.dones
    return [result.observations, result.rewards, dones.terminated, dones.truncated, dones.final_observations,
            *result.reward_components.values()]  # fmt: skip


def run(simulator, actions):
    return [tensors_of(simulator.step(action)) for action in actions]


def same(first, second):
    return all(torch.equal(a, b) for xs, ys in zip(first, second) for a, b in zip(xs, ys))


def at(simulator, env, step=0, **state):
    """Put one environment into a state and at a step of its episode."""
    saved = simulator.state_dict()
    for name, value in state.items():
        saved["state"][simulator.task.state_type._fields.index(name)][env] = value
    saved["episode_steps"][env] = step
    simulator.load_state_dict(saved)


both_paths = pytest.mark.parametrize("asks_first", [True, False], ids=["cpu", "gpu"])


def test_reset_gives_first_observations():
    simulator = make(3)
    observations = simulator.reset()
    assert observations.shape == (3, 4)
    assert torch.equal(simulator.observations(), observations)
    assert simulator.episode_steps.tolist() == [0, 0, 0]
    assert not simulator.partial.any()
    assert simulator.task_spec.num_envs == 3
    assert simulator.critic_observations() is None


@both_paths
def test_an_episode_is_truncated_after_exactly_500_steps(asks_first):
    simulator = make(2, Still, asks_first=asks_first)
    simulator.reset()
    for _ in range(499):
        assert not simulator.step(torch.zeros(2, 1)).dones.ended.any()
    assert simulator.episode_steps.tolist() == [499, 499]
    dones = simulator.step(torch.zeros(2, 1)).dones
    assert dones.truncated.tolist() == [True, True]
    assert not dones.terminated.any()
    assert simulator.episode_steps.tolist() == [0, 0]


def test_a_failure_in_the_last_step_is_no_truncation():
    simulator = make(3, Still)
    simulator.reset()
    at(simulator, 0, step=499, x=3.01)
    at(simulator, 1, step=499, x=3.0)
    at(simulator, 2, step=7, theta=1.6)
    result = simulator.step(torch.zeros(3, 1))
    assert result.dones.terminated.tolist() == [True, False, True]
    assert result.dones.truncated.tolist() == [False, True, False]
    assert result.rewards[0] == result.rewards[2] == -2.0


@both_paths
def test_same_step_reset_keeps_the_true_successor(asks_first):
    simulator = make(64, desynchronise=True, asks_first=asks_first)
    simulator.reset()
    task, ends = simulator.task, 0
    constants = task.constants(simulator.task_parameters())
    for action in actions_of(120, 64):
        before, steps = task.state_type(*simulator.state_dict()["state"]), simulator.episode_steps
        result = simulator.step(action)
        ended = result.dones.ended
        assert torch.equal(result.dones.final_observations, task.observe(task.advance(before, action, constants)))
        assert torch.equal(result.observations[~ended], result.dones.final_observations[~ended])
        assert (result.observations[ended].abs() <= torch.tensor([0.1, 0.25, 0.1, 0.25])).all()
        assert torch.equal(simulator.episode_steps, torch.where(ended, 0, steps + 1))
        assert torch.equal(simulator.observations(), result.observations)
        ends += int(ended.sum())
    assert ends > 64


def test_results_never_change_afterwards():
    simulator = make(16, desynchronise=True)
    simulator.reset()
    actions = actions_of(80, 16)
    kept, copies = [], []
    for action in actions:
        steps, partial = simulator.episode_steps, simulator.partial
        kept.append([*tensors_of(simulator.step(action)), steps, partial])
        copies.append([value.clone() for value in kept[-1]])
    assert same(kept, copies)


@both_paths
def test_desynchronised_episodes_start_anywhere_and_are_partial_once(asks_first):
    simulator = make(2000, Still, desynchronise=True, asks_first=asks_first)
    simulator.reset()
    steps = simulator.episode_steps
    assert steps.min() >= 0
    assert steps.max() <= 499
    assert steps.float().mean() == pytest.approx(249.5, abs=15)
    assert torch.equal(simulator.partial, steps > 0)
    for step in range(1, 501):
        dones = simulator.step(torch.zeros(2000, 1)).dones
        assert torch.equal(dones.truncated, steps + step == 500)
        assert torch.equal(simulator.partial, (steps > 0) & (steps + step < 500))


def test_the_seed_alone_decides():
    actions = actions_of(100, 8)
    first, again, other = make(seed=5), make(seed=5), make(seed=6)
    assert torch.equal(first.reset(), again.reset())
    other.reset()
    trace = run(first, actions)
    assert any(tensors[2].any() for tensors in trace)
    assert same(trace, run(again, actions))
    assert not same(trace, run(other, actions))


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    simulator = make(desynchronise=True)
    simulator.reset()
    assert any(tensors[2].any() for tensors in run(simulator, actions_of(100, 8)))
    assert torch.equal(torch.get_rng_state(), before)


@both_paths
@pytest.mark.parametrize("cut", [0, 1, 33])
def test_resume_is_bit_exact(cut, asks_first, tmp_path):
    actions = actions_of(cut + 150, 8)
    original = make(desynchronise=True, asks_first=asks_first)
    original.reset()
    original.set_task_parameters({"pole_mass": 1.5, "start_position_range": 0.3})
    run(original, actions[:cut])
    original.set_task_parameters({"push_effort": 350.0})
    saved = {"simulator": original.state_dict(), "generator": original.generator.get_state()}
    torch.save(saved, tmp_path / "state.pt")
    expected = run(original, actions[cut:])
    assert sum(int(tensors[2].sum()) for tensors in expected) > 8

    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    resumed = make(seed=99, asks_first=asks_first)
    resumed.load_state_dict(saved["simulator"])
    resumed.generator.set_state(saved["generator"])
    for name in ("partial", "episode_steps", "parameters", "pending_parameters"):
        assert torch.equal(resumed.state_dict()[name], saved["simulator"][name])
    assert same(expected, run(resumed, actions[cut:]))
    assert torch.equal(original.partial, resumed.partial)
    assert torch.equal(original.episode_steps, resumed.episode_steps)
    final, found = original.task_parameters(), resumed.task_parameters()
    assert all(torch.equal(final[name], found[name]) for name in final)


def test_a_saved_state_does_not_change_with_the_simulator():
    simulator = make()
    simulator.reset()
    saved, copy = simulator.state_dict(), simulator.state_dict()
    run(simulator, actions_of(50, 8))
    assert all(torch.equal(a, b) for a, b in zip(saved["state"], copy["state"]))
    assert torch.equal(saved["episode_steps"], copy["episode_steps"])


def test_a_state_of_another_simulation_is_refused():
    simulator = make(8)
    saved = make(4).state_dict()
    with pytest.raises(CheckpointError, match="number of environments is 4, expected 8"):
        simulator.load_state_dict(saved)
    with pytest.raises(CheckpointError, match="task is 'Ant', expected 'Cartpole'"):
        simulator.load_state_dict({**make(8).state_dict(), "task": "Ant"})
    saved = make(8).state_dict()
    del saved["partial"]
    with pytest.raises(CheckpointError, match="partial missing"):
        simulator.load_state_dict(saved)


@both_paths
def test_task_parameters_wait_for_each_environments_reset(asks_first):
    simulator = make(4, Still, asks_first=asks_first)
    simulator.reset()
    for env, step in enumerate([499, 498, 497, 0]):
        at(simulator, env, step=step)
    simulator.set_task_parameters({"pole_mass": 2.0})
    seen = []
    for _ in range(3):
        simulator.step(torch.zeros(4, 1))
        seen.append(simulator.task_parameters()["pole_mass"].tolist())
    assert seen == [[2.0, 1.0, 1.0, 1.0], [2.0, 2.0, 1.0, 1.0], [2.0, 2.0, 2.0, 1.0]]
    assert simulator.task_parameters()["cart_mass"].tolist() == [1.0] * 4
    simulator.set_task_parameters({"pole_mass": 3.0})
    for _ in range(497):
        simulator.step(torch.zeros(4, 1))
    assert simulator.task_parameters()["pole_mass"].tolist() == [2.0, 2.0, 2.0, 3.0]


def test_task_parameters_act_on_the_physics_after_the_reset_only():
    simulator = make(2)
    simulator.reset()
    plain = simulator.task.constants(simulator.task_parameters())
    simulator.set_task_parameters({"push_effort": 100.0, "start_velocity_range": 0.0})
    at(simulator, 0, x=3.5)
    simulator.step(torch.zeros(2, 1))
    assert not simulator.observations()[0, 1::2].any()
    before = simulator.task.state_type(*simulator.state_dict()["state"])
    changed = simulator.step(torch.full((2, 1), 0.01)).observations
    expected = simulator.task.observe(simulator.task.advance(before, torch.tensor([[0.0025], [0.01]]), plain))
    assert torch.allclose(changed, expected, atol=1e-6)
    assert not torch.allclose(changed, simulator.task.observe(before), atol=1e-6)


def test_task_parameters_set_before_the_first_reset_act_from_the_start():
    simulator = make(500)
    simulator.set_task_parameters({"start_position_range": 1.0, "start_velocity_range": 0.0})
    observations = simulator.reset()
    assert not observations[:, 1::2].any()
    assert observations[:, 2].abs().max() > 0.9


def test_a_wrong_task_parameter_changes_nothing():
    simulator = make(4)
    simulator.reset()
    before = simulator.state_dict()
    with pytest.raises(ParameterError, match="pole_length"):
        simulator.set_task_parameters({"push_effort": 100.0, "pole_length": 50.0})
    assert torch.equal(simulator.state_dict()["pending_parameters"], before["pending_parameters"])


@both_paths
def test_nan_actions_show_in_their_environment_alone(asks_first):
    clean, broken = make(4, asks_first=asks_first), make(4, asks_first=asks_first)
    assert torch.equal(clean.reset(), broken.reset())
    actions = torch.zeros(4, 1)
    expected = clean.step(actions)
    actions[1] = float("nan")
    found = broken.step(actions)
    assert found.observations[1].isnan().all()
    assert found.rewards[1].isnan()
    assert not found.dones.ended[1]
    others = [0, 2, 3]
    assert torch.equal(found.observations[others], expected.observations[others])
    assert torch.equal(found.rewards[others], expected.rewards[others])
    assert broken.step(torch.zeros(4, 1)).rewards[1].isnan()


def test_actions_of_half_precision_and_with_gradients_are_taken():
    exact, other = make(2), make(2)
    exact.reset(), other.reset()
    action = torch.tensor([[0.5], [-0.25]])
    expected = exact.step(action)
    found = other.step(action.half().requires_grad_())
    assert torch.equal(found.observations, expected.observations)
    assert found.observations.dtype == torch.float32
    assert not found.rewards.requires_grad


def test_misuse_is_named():
    simulator = make(4)
    with pytest.raises(SimulatorError, match="must be reset"):
        simulator.step(torch.zeros(4, 1))
    with pytest.raises(SimulatorError, match="must be reset"):
        simulator.observations()
    simulator.reset()
    with pytest.raises(SimulatorError, match=r"actions have the shape \(4,\), expected \(4, 1\)"):
        simulator.step(torch.zeros(4))
    simulator.close()
    simulator.close()


def test_viewer_state_picks_environments():
    simulator = make(4)
    observations = simulator.reset()
    state = simulator.viewer_state([2, 0])
    assert (state.kind, state.env_ids, state.description) == ("cartpole", (2, 0), {"seconds_per_step": "0.0166"})
    drawn = state.values
    assert torch.equal(drawn["cart_position"], observations[[2, 0], 0])
    assert torch.equal(drawn["pole_angle"], observations[[2, 0], 2])
    assert drawn["pole_length"].tolist() == [1.0, 1.0]
