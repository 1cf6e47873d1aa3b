import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.checkpoints import BestMetric, CheckpointTrigger
from runtime.errors import CheckpointError

REWARD = "episode/mean_reward"


def due_at(trigger, moments):
    return [moment for moment in moments if trigger.due(moment, {}, float(moment))]


@pytest.mark.parametrize("value", [10, "10"])
def test_epoch(value):
    trigger = CheckpointTrigger("epoch", value)
    assert due_at(trigger, range(1, 35)) == [10, 20, 30]
    assert trigger.due(40, {}, 0.0) == "epoch: iteration 40, every 10"
    assert trigger.due(40, {}, 0.0) is None


def test_epoch_where_not_every_iteration_asks():
    assert due_at(CheckpointTrigger("epoch", 10), [0, 7, 14, 21, 28, 35]) == [14, 21, 35]


@given(st.integers(1, 20), st.lists(st.integers(1, 30), max_size=30))
def test_epoch_is_due_whenever_a_multiple_was_passed(every, steps):
    trigger = CheckpointTrigger("epoch", every)
    before = 0
    for step in steps:
        now = before + step
        passed = any(iteration % every == 0 for iteration in range(before + 1, now + 1))
        assert bool(trigger.due(now, {}, 0.0)) == passed
        before = now


@pytest.mark.parametrize(
    ("value", "text"), [("30s", "30s"), (30, "30s"), ("30", "30s"), (30.0, "30s"), ("30.0", "30s"), ("0.5", "0.5 s")]
)
def test_time(value, text):
    trigger = CheckpointTrigger("time", value)
    trigger.start(100.0)
    assert trigger.due(1, {}, 100.25) is None
    assert trigger.due(1, {}, 130.0) == f"time: every {text}"
    assert trigger.due(2, {}, 130.4) is None
    assert trigger.due(3, {}, 161.0)


def test_time_counts_from_the_first_question_or_from_the_start():
    asked, started = CheckpointTrigger("time", 10), CheckpointTrigger("time", 10)
    started.start(0.0)
    assert due_at(asked, [5, 10, 15, 20, 25]) == [15, 25]
    assert due_at(started, [5, 10, 15, 20, 25]) == [10, 20]


def test_time_goes_on_after_a_resume_under_another_clock():
    trigger = CheckpointTrigger("time", 10)
    trigger.start(0.0)
    trigger.due(1, {}, 7.0)
    resumed = CheckpointTrigger("time", 10)
    resumed.load_state_dict(json.loads(json.dumps(trigger.state_dict())))
    resumed.start(1000.0)
    assert due_at(resumed, [1002, 1003, 1012, 1013]) == [1003, 1013]


def rewards(trigger, values, metric=REWARD):
    return [index for index, value in enumerate(values) if trigger.due(index, {metric: value}, 0.0)]


@pytest.mark.parametrize(
    ("value", "metric", "expected"),
    [
        ("max", REWARD, [0, 2, 5]),
        ("min", REWARD, [0, 1, 4]),
        ("max:train/kl", "train/kl", [0, 2, 5]),
        ("min:a:b", "a:b", [0, 1, 4]),
    ],
)
def test_best_metric(value, metric, expected):
    assert rewards(CheckpointTrigger("best_metric", value), [1.0, 0.0, 2.0, 2.0, -1.0, 3], metric) == expected


def test_best_metric_says_what_it_was():
    trigger = CheckpointTrigger("best_metric", "max")
    assert trigger.due(1, {REWARD: 1.5}, 0.0) == "best_metric: max episode/mean_reward 1.5, the first value"
    assert trigger.due(2, {REWARD: 2.5}, 0.0) == "best_metric: max episode/mean_reward 2.5, before 1.5"


@pytest.mark.parametrize("mode", ["max", "min"])
def test_nan_and_infinity_are_never_best(mode):
    trigger = CheckpointTrigger("best_metric", mode)
    assert rewards(trigger, [math.nan, math.inf, -math.inf, 1.0, math.nan, math.inf, -math.inf]) == [3]


def test_best_so_far_survives_a_resume():
    trigger = CheckpointTrigger("best_metric", "max")
    assert trigger.due(1, {REWARD: 5.0}, 0.0)
    resumed = CheckpointTrigger("best_metric", "max")
    resumed.load_state_dict(json.loads(json.dumps(trigger.state_dict())))
    assert resumed.due(2, {REWARD: 4.0}, 0.0) is None
    assert resumed.due(3, {REWARD: 6.0}, 0.0)


def test_epoch_survives_a_resume():
    trigger = CheckpointTrigger("epoch", 10)
    assert due_at(trigger, range(1, 11)) == [10]
    resumed = CheckpointTrigger("epoch", 10)
    resumed.load_state_dict(trigger.state_dict())
    assert due_at(resumed, range(11, 22)) == [20]


def test_a_resume_with_another_trigger_starts_anew_and_says_so(caplog):
    best = CheckpointTrigger("best_metric", "max")
    best.due(1, {REWARD: 5.0}, 0.0)
    epoch, other = CheckpointTrigger("epoch", 10), CheckpointTrigger("best_metric", "min")
    epoch.load_state_dict(best.state_dict())
    other.load_state_dict(best.state_dict())
    assert other.due(1, {REWARD: 9.0}, 0.0)
    assert "was best_metric and is now epoch" in caplog.text
    assert "was max:episode/mean_reward and is now min:episode/mean_reward" in caplog.text


def test_a_metric_that_never_comes_is_reported_once_with_the_close_match(caplog):
    trigger = CheckpointTrigger("best_metric", "max:episode/mean_rewrad")
    for iteration in range(300):
        assert trigger.due(iteration, {REWARD: 1.0}, 0.0) is None
    assert len(caplog.records) == 1
    assert "'episode/mean_rewrad' was missing 100 times; did you mean 'episode/mean_reward'?" in caplog.text


@pytest.mark.parametrize(
    ("type", "value", "message"),
    [
        ("epoch", "0", "'0'; expected a whole number of iterations, 1 or more"),
        ("epoch", -1, "-1; expected a whole number"),
        ("epoch", "1.5", "'1.5'; expected a whole number"),
        ("epoch", 2.0, "2.0; expected a whole number"),
        ("epoch", True, "True; expected a whole number"),
        ("epoch", None, "None; expected a whole number"),
        ("epoch", "max", "'max'; expected a whole number"),
        ("epoch", "9" * 5000, "expected a whole number"),
        ("time", "5mXYZ", "'5mXYZ'; expected a duration or a positive number of seconds.*1h30m"),
        ("time", "0s", "'0s'; expected a duration"),
        ("time", "0", "'0'; expected a duration"),
        ("time", -3, "-3; expected a duration"),
        ("time", math.nan, "nan; expected a duration"),
        ("time", math.inf, "inf; expected a duration"),
        ("time", True, "True; expected a duration"),
        ("time", None, "None; expected a duration"),
        ("best_metric", "10", "'10'; expected max, min, max:METRIC or min:METRIC"),
        ("best_metric", "max:", "'max:'; expected max, min"),
        ("best_metric", "Max", "'Max'; expected max, min"),
        ("best_metric", 10, "10; expected max, min"),
        ("epochs", "10", "unknown checkpoint trigger 'epochs'; expected one of epoch, time, best_metric; did you mean"),
    ],
)
def test_wrong_values(type, value, message):
    with pytest.raises(CheckpointError, match=message):
        CheckpointTrigger(type, value)


def test_best_metric_alone():
    best = BestMetric("min", "loss")
    assert [best.update({"loss": value}) for value in (2.0, 3.0, 1.0)] == [True, False, True]
    assert best.best == 1.0
    assert not best.update({})
    with pytest.raises(CheckpointError, match="did you mean 'max'"):
        BestMetric("maxi")
    with pytest.raises(CheckpointError, match="names no metric"):
        BestMetric("max", "")
