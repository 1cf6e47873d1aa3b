"""A program's own environments: transitions, time-outs, final observations, components and logs."""

import logging

import pytest
import torch

from runtime.errors import ParameterError, RunError
from runtime.runner.environments import environment_of
from runtime.simulators.factory import make_simulator
from runtime.simulators.interface import SimulatorError
from tests.runtime.runner.environments import Reaching
from tests.runtime.runner.test_on_policy_runner import runner


def simulator(env):
    return environment_of(env, None, "auto").simulator(torch.device("cpu"), torch.Generator())


def test_a_step_tells_failures_from_time_outs_and_keeps_the_true_successor():
    env = Reaching()
    sim = simulator(env)
    sim.reset()
    push = torch.tensor([[4.0], [0.0], [0.0], [0.0]])
    result = sim.step(push)
    assert result.dones.terminated.tolist() == [True, False, False, False] and not result.dones.truncated.any()
    assert result.dones.final_observations[0, 0] > 2.0 > 1.0 > result.observations[0, 0]
    assert torch.equal(result.dones.final_observations[1:], result.observations[1:])
    for _ in range(5):
        result = sim.step(torch.zeros(4, 1))
    assert result.dones.truncated.tolist() == [False, True, True, True] and not result.dones.terminated.any()
    assert sim.episode_steps.tolist() == [5, 0, 0, 0]
    parts = result.reward_components
    torch.testing.assert_close(parts["near"] + parts["effort"], result.rewards)


def test_without_final_observations_the_last_one_stands_in_and_a_warning_says_so(caplog):
    sim = simulator(Reaching(final=False))
    before = sim.reset()
    with caplog.at_level(logging.WARNING):
        for _ in range(12):
            last, result = before, sim.step(torch.zeros(4, 1))
            before = result.observations
            if result.dones.ended.any():
                assert torch.equal(result.dones.final_observations, last)
    assert caplog.text.count("gives no final_observations") == 1


def test_results_do_not_change_with_the_buffers_of_the_environment():
    class Buffered(Reaching):
        def step(self, actions):
            observations, *others = super().step(actions)
            self.buffer = getattr(self, "buffer", torch.zeros(4, 2))
            self.buffer.copy_(observations)
            return (self.buffer, *others)

    sim = simulator(Buffered())
    sim.reset()
    first = sim.step(torch.ones(4, 1))
    kept = first.observations.clone()
    sim.step(torch.ones(4, 1))
    assert torch.equal(first.observations, kept)


def test_unbounded_actions_reach_the_environment_as_they_are():
    env = Reaching()
    runner(env, cfg={"horizon_length": 8, "initial_log_std": 1.0}).learn(32)
    assert torch.cat(env.actions).abs().max() > 1.5


def test_bounded_spaces_are_spread_over_their_range():
    spaces = pytest.importorskip("gymnasium").spaces

    class Bounded(Reaching):
        action_space = spaces.Box(-3.0, 1.0, (1,))
        observation_space = spaces.Box(-9.0, 9.0, (4, 2))

    env = Bounded()
    made = runner(env, cfg={"horizon_length": 8, "initial_log_std": 3.0})
    made.learn(64)
    actions = torch.cat(env.actions)
    assert (float(actions.min()), float(actions.max())) == (-3.0, 1.0)


def test_gymnasiums_five_values_and_observations_by_name_are_taken():
    class Five(Reaching):
        def reset(self):
            return {"policy": super().reset()[0], "critic": None}

        def step(self, actions):
            observations, rewards, dones, extras = super().step(actions)
            late = extras.pop("time_outs")
            return {"policy": observations}, rewards, dones & ~late, late, extras

    made, plain = runner(Five()), runner(Reaching())
    made.learn(64)
    plain.learn(64)
    assert made.published == plain.published != []


def test_components_and_logs_become_metrics():
    made, without = runner(Reaching()), runner(Reaching(), log_reward_components=False)
    made.learn(64)
    without.learn(64)
    values = made.published[-1][1]
    assert values["env/const"] == 2.0 and -2.0 < values["env/robot/position_mean"] < 2.0
    total = values["episode/reward_near"] + values["episode/reward_effort"]
    assert total == pytest.approx(values["episode/mean_reward"], abs=1e-5)
    names = {"episode/reward_near", "episode/reward_effort"}
    assert without.published[-1] == (64, {name: value for name, value in values.items() if name not in names})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o, r, d, e: (o, r, d), "step gave 3 values"),
        (lambda o, r, d, e: (o[:, :1], r, d, e), r"observations of the shape \(4, 1\); expected \(4, 2\)"),
        (lambda o, r, d, e: (o, r[:3], d, e), r"rewards have the shape \(3,\)"),
        (lambda o, r, d, e: ({"critic": o}, r, d, e), "by the names"),
        (lambda o, r, d, e: (o, r, d, {**e, "log": {"heights": torch.ones(3)}}), r"'heights'\] has the shape \(3,\)"),
    ],
)
def test_what_an_environment_gives_wrongly_is_named(change, message):
    class Wrong(Reaching):
        def step(self, actions):
            return change(*super().step(actions))

    sim = simulator(Wrong())
    sim.reset()
    with pytest.raises(SimulatorError, match=message):
        sim.step(torch.zeros(4, 1))


def test_sizes_must_be_known_and_agree():
    class Unknown(Reaching):
        num_actions = None

    with pytest.raises(ParameterError, match="it needs an action_space, or num_actions"):
        environment_of(Unknown(), None, "auto")
    with pytest.raises(ParameterError, match="num_envs is 5, but env has 4"):
        environment_of(Reaching(), 5, "auto")


def test_gymnasiums_vector_environments_are_taken_or_refused_with_what_to_do():
    gymnasium = pytest.importorskip("gymnasium")
    modes = gymnasium.vector.AutoresetMode
    same = gymnasium.make_vec("CartPole-v1", 2, "sync", vector_kwargs={"autoreset_mode": modes.SAME_STEP})
    with pytest.raises(SimulatorError, match="leave it at NEXT_STEP or set DISABLED"):
        environment_of(same, None, "auto")
    with pytest.raises(SimulatorError, match="cannot be reset; make it with gymnasium.make_vec"):
        environment_of(gymnasium.make_vec("CartPole-v1", 2, "vector_entry_point"), None, "auto")
    with pytest.raises(ParameterError, match="which has no num_envs"):
        environment_of(gymnasium.make("CartPole-v1"), None, "auto")
    sync = gymnasium.make_vec("CartPole-v1", 2, "sync", vector_kwargs={"autoreset_mode": modes.DISABLED})
    sim = simulator(sync)
    first = sim.reset()
    ended = None
    while ended is None or not ended.any():
        result = sim.step(torch.zeros(2, dtype=torch.int64))
        ended = result.dones.ended
    row = int(ended.nonzero()[0])
    assert result.dones.final_observations[row, 2].abs() > 0.2 > result.observations[row, 2].abs()
    assert first.shape == result.observations.shape == (2, 4)


def test_environments_in_processes_are_never_copied():
    gymnasium = pytest.importorskip("gymnasium")

    class Pretended(gymnasium.vector.AsyncVectorEnv):
        def __init__(self):
            self.num_envs, self.spec, self.metadata = 2, None, {}
            self.single_observation_space = gymnasium.spaces.Box(-1.0, 1.0, (3,))
            self.single_action_space = gymnasium.spaces.Discrete(2)

        def __del__(self):
            """Nothing was started."""

    with pytest.raises(RunError, match="cannot be copied .*its environments live in processes of their own.*eval_env="):
        environment_of(Pretended(), None, "auto").for_evaluation()


def test_a_simulator_of_ours_is_taken_as_it_is():
    sim = make_simulator("torch", "Cartpole", 8, "cpu", torch.Generator(), desynchronise=True)
    plain = make_simulator("torch", "Cartpole", 8, "cpu", torch.Generator(), desynchronise=True)
    evaluated, other = runner(sim), runner(plain)
    evaluated.learn(64)
    assert evaluated.eval(4)["eval/episodes"] == 4
    evaluated.learn(64)
    other.learn(128)
    assert evaluated.published == other.published != []
    assert evaluated.env is sim
