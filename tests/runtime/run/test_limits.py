import math

import pytest

from runtime.context import RunContext
from runtime.run.limits import Limits
from runtime.run.settings import RunSettings


@pytest.fixture
def limits():
    def make(**settings):
        return Limits(RunSettings(**settings), RunContext())

    return make


def _iterate(limits, *rewards):
    """Finish an iteration with each reward; the reasons to stop after each."""
    reasons = []
    for reward in rewards:
        limits.context.progress.iterations += 1
        limits.on_iteration({} if reward is None else {"episode/mean_reward": reward})
        reasons.append(limits.reached())
    return reasons


def test_without_limits_a_run_goes_on(limits):
    assert set(_iterate(limits(), None, 1.0, math.nan, -5.0)) == {None}


def test_steps_and_iterations(limits):
    by_steps = limits(total_timesteps=1000)
    by_steps.context.progress.environment_steps = 999
    assert by_steps.reached() is None
    by_steps.context.progress.environment_steps = 1024
    assert by_steps.reached() == "1,024 of 1,000 steps"
    assert _iterate(limits(iterations=2), None, None) == [None, "2 of 2 iterations"]


def test_the_clock(limits):
    made = limits(timeout=90.0)
    assert made.reached() is None
    made.context.started_at -= 90.0
    assert made.reached() == "time-out after 1m30s"


def test_the_reward(limits):
    assert _iterate(limits(stop_reward=2.0), None, 1.9, math.nan, 2.0) == [
        None, None, None, "episode/mean_reward reached 2 (asked for 2)",
    ]  # fmt: skip


def test_patience_counts_iterations_since_the_best(limits):
    reasons = _iterate(limits(patience=3), 1.0, 2.0, 1.0, 2.0, 1.5)
    assert reasons[:-1] == [None] * 4
    assert reasons[-1] == "no improvement for 3 iterations (best episode/mean_reward 2)"


def test_patience_is_reset_by_an_improvement_and_does_not_count_before_the_first_episode(limits):
    assert set(_iterate(limits(patience=2), None, None, None, None, 1.0, 0.0, 1.1, 0.0)) == {None}


def test_nan_is_no_improvement(limits):
    assert _iterate(limits(patience=2), 1.0, math.nan, math.nan)[-1] is not None


def test_the_best_reward_survives_a_stop(limits):
    first = limits(patience=3)
    _iterate(first, 5.0, 1.0)
    second = limits(patience=3)
    second.load_state_dict(first.state_dict())
    second.context.progress.iterations = 2
    assert _iterate(second, 4.0, 4.0) == [None, "no improvement for 3 iterations (best episode/mean_reward 5)"]
