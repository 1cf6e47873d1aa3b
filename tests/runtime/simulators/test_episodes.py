"""Episode statistics against a slow reference in plain Python."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import CheckpointError
from runtime.simulators.episodes import EpisodeTracker
from runtime.simulators.interface import SimulatorError

NAMES = ("upright", "failure")


class Reference:
    """Keeps every episode as a list of its rewards."""

    def __init__(self, num_envs, window, quota=None):
        self.running = [[] for _ in range(num_envs)]
        self.finished = []
        self.window = window
        self.quotas = None if quota is None else [(quota + num_envs - 1 - env) // num_envs for env in range(num_envs)]
        self.counts = [0] * num_envs

    def add(self, rewards, ended, components, partial):
        for env, episode in enumerate(self.running):
            episode.append((rewards[env], *(values[env] for values in components)))
            if not ended[env]:
                continue
            if not partial[env] and (self.quotas is None or self.counts[env] < self.quotas[env]):
                self.counts[env] += 1
                self.finished.append(episode)
            self.running[env] = []

    def kept(self):
        return self.finished if self.quotas is not None else self.finished[-self.window :]

    def metrics(self):
        kept = self.kept()
        if not kept:
            return {}
        sums = [[sum(float(row[column]) for row in episode) for episode in kept] for column in range(3)]
        return {
            "episode/mean_reward": sum(sums[0]) / len(kept),
            "episode/mean_length": sum(len(episode) for episode in kept) / len(kept),
            "episode/count": float(len(self.finished)),
            "episode/reward_upright": sum(sums[1]) / len(kept),
            "episode/reward_failure": sum(sums[2]) / len(kept),
        }


def make(num_envs, window=64, asks_first=True, quota=None):
    tracker = EpisodeTracker(num_envs, "cpu", window)
    tracker._asks_first = asks_first  # False is what a GPU does
    if quota is not None:
        tracker.quota(quota)
    return tracker


def steps_of(seed, count, num_envs, rate):
    """Random rewards, components, ends, and episodes that began in the middle."""
    generator = torch.Generator().manual_seed(seed)
    partial = torch.rand(num_envs, generator=generator) < 0.5
    steps = []
    for _ in range(count):
        components = torch.randn(2, num_envs, generator=generator)
        ended = torch.rand(num_envs, generator=generator) < rate
        steps.append((components.sum(0), ended, dict(zip(NAMES, components)), partial))
        partial = partial & ~ended
    return steps


def feed(tracker, steps):
    for step in steps:
        tracker.add(*step)


def assert_same_state(first, second):
    one, other = first.state_dict(), second.state_dict()
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name], name


scenarios = given(
    seed=st.integers(0, 2**31),
    count=st.integers(0, 40),
    num_envs=st.integers(1, 9),
    rate=st.sampled_from([0.02, 0.3, 0.9]),
    window=st.integers(1, 12),
    quota=st.one_of(st.none(), st.integers(1, 30)),
    asks_first=st.booleans(),
    cut=st.integers(0, 40),
)


@settings(max_examples=150, deadline=None)
@scenarios
def test_as_the_reference(seed, count, num_envs, rate, window, quota, asks_first, cut):
    tracker, reference = make(num_envs, window, asks_first, quota), Reference(num_envs, window, quota)
    for rewards, ended, components, partial in steps_of(seed, count, num_envs, rate):
        tracker.add(rewards, ended, components, partial)
        reference.add(rewards.tolist(), ended.tolist(), [v.tolist() for v in components.values()], partial.tolist())
    expected = reference.metrics()
    found = tracker.metrics()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9)
    returns = [sum(row[0] for row in episode) for episode in reference.kept()]
    assert tracker.returns() == pytest.approx(returns, rel=1e-9, abs=1e-9)
    assert tracker.count == len(reference.finished)
    assert tracker.complete == (quota is not None and reference.counts == reference.quotas)


@settings(max_examples=80, deadline=None)
@scenarios
def test_resume_is_bit_exact(seed, count, num_envs, rate, window, quota, asks_first, cut):
    steps = steps_of(seed, count, num_envs, rate)
    whole, first = make(num_envs, window, asks_first, quota), make(num_envs, window, asks_first, quota)
    feed(whole, steps)
    feed(first, steps[:cut])
    second = make(num_envs, window, asks_first, quota)
    second.load_state_dict(first.state_dict())
    assert_same_state(first, second)
    feed(second, steps[cut:])
    assert_same_state(whole, second)
    assert whole.metrics() == second.metrics()


def one_step(*rewards, ended):
    values = torch.tensor(rewards)
    return values, torch.tensor(ended), {"all": values}


def test_by_hand():
    tracker = make(2)
    assert tracker.metrics() == {}
    assert tracker.summary() == {"episodes": 0.0}
    tracker.add(*one_step(1.0, 10.0, ended=[False, True]))
    tracker.add(*one_step(2.0, 20.0, ended=[True, False]))
    tracker.add(*one_step(4.0, 40.0, ended=[False, True]))
    assert tracker.returns() == [10.0, 3.0, 60.0]
    assert tracker.metrics() == {
        "episode/mean_reward": pytest.approx(73 / 3),
        "episode/mean_length": pytest.approx(5 / 3),
        "episode/count": 3.0,
        "episode/reward_all": pytest.approx(73 / 3),
    }
    assert tracker.summary() == {
        "episodes": 3.0,
        "mean_reward": pytest.approx(73 / 3),
        "std_reward": pytest.approx(math.sqrt((10**2 + 3**2 + 60**2) / 3 - (73 / 3) ** 2)),
        "min_reward": 3.0,
        "max_reward": 60.0,
        "mean_length": pytest.approx(5 / 3),
    }


@pytest.mark.parametrize("asks_first", [True, False], ids=["cpu", "gpu"])
def test_within_a_step_the_order_is_that_of_the_environments(asks_first):
    tracker = make(4, window=2, asks_first=asks_first)
    tracker.add(*one_step(1.0, 2.0, 3.0, 4.0, ended=[True, True, True, False]))
    assert tracker.returns() == [2.0, 3.0]
    assert tracker.count == 3
    tracker.add(*one_step(5.0, 6.0, 7.0, 8.0, ended=[False, False, False, True]))
    assert tracker.returns() == [3.0, 12.0]


def test_quotas_do_not_favour_short_episodes():
    """One environment's episodes take 1 step, the other's 10: each gives two of the four."""
    tracker = make(2, quota=4)
    for step in range(1, 21):
        assert not tracker.complete
        tracker.add(*one_step(1.0, 1.0, ended=[True, step % 10 == 0]))
    assert tracker.complete
    assert tracker.returns() == [1.0, 1.0, 10.0, 10.0]
    tracker.add(*one_step(1.0, 1.0, ended=[True, True]))
    assert tracker.count == 4


def test_a_quota_that_does_not_divide_goes_to_the_first_environments():
    tracker = make(4, quota=6)
    for _ in range(3):
        tracker.add(*one_step(1.0, 2.0, 3.0, 4.0, ended=[True] * 4))
    assert tracker.returns() == [1.0, 2.0, 3.0, 4.0, 1.0, 2.0]


def test_without_a_quota_nothing_is_complete():
    tracker = make(1)
    tracker.add(*one_step(1.0, ended=[True]))
    assert not tracker.complete


def test_sums_are_double_precision():
    tracker = make(1)
    for _ in range(3000):
        tracker.add(*one_step(0.1, ended=[False]))
    tracker.add(*one_step(0.0, ended=[True]))
    assert tracker.returns() == pytest.approx([3000 * float(torch.tensor(0.1))], rel=1e-12)


def test_rewards_are_not_kept_by_reference():
    tracker = make(1)
    step = one_step(1.0, ended=[False])
    tracker.add(*step)
    step[0].zero_()
    saved = tracker.state_dict()
    tracker.add(*one_step(2.0, ended=[True]))
    assert tracker.returns() == [3.0]
    assert saved["totals"].tolist() == [[1.0], [1.0], [1.0]]


def test_a_smaller_window_keeps_the_latest():
    tracker, smaller = make(1, window=5), make(1, window=2)
    for value in range(7):
        tracker.add(*one_step(float(value), ended=[True]))
    smaller.load_state_dict(tracker.state_dict())
    assert smaller.returns() == [5.0, 6.0]
    smaller.add(*one_step(7.0, ended=[True]))
    assert smaller.returns() == [6.0, 7.0]
    assert smaller.count == 8


def test_misuse_is_named():
    with pytest.raises(SimulatorError, match="window"):
        EpisodeTracker(2, "cpu", window=0)
    with pytest.raises(SimulatorError, match="at least 1, got 0"):
        make(2).quota(0)
    tracker = make(1)
    tracker.add(*one_step(1.0, ended=[False]))
    with pytest.raises(SimulatorError, match="before the first step"):
        tracker.quota(4)
    with pytest.raises(SimulatorError, match="reward components changed"):
        tracker.add(torch.ones(1), torch.zeros(1, dtype=torch.bool), {"other": torch.ones(1)})


def test_a_state_that_does_not_fit_is_refused():
    saved = make(3).state_dict()
    with pytest.raises(CheckpointError, match="number of environments is 3, expected 2"):
        make(2).load_state_dict(saved)
    with pytest.raises(CheckpointError, match="quota is None, expected 5"):
        make(3, quota=5).load_state_dict(saved)
    del saved["totals"]
    with pytest.raises(CheckpointError, match="totals missing"):
        make(3).load_state_dict(saved)
