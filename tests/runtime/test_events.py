"""Events are frozen, become JSON, and reach every sink in order."""

import dataclasses
import json

import pytest
import torch

from runtime import events
from runtime.event_records import event_records, events_from
from runtime.events import (
    EVENT_NAMES,
    CheckpointSaved,
    Event,
    EventBus,
    Failed,
    Finished,
    LiveStatistics,
    LogMessage,
    Metrics,
    NodeStatistics,
    NodeStats,
    ParameterChanged,
    Paused,
    ProbeSample,
    Resumed,
    RunStarted,
    ViewerFrame,
    WireStats,
    is_clock_metric,
)
from runtime.simulators.interface import ViewerState

EXAMPLES = [
    RunStarted(0.0, "Cartpole", "train", 0, "cpu", "static", "because"),
    Metrics(1.0, 64, 1, {"train/loss": 0.5, "episode/mean_reward": 3.0}),
    LogMessage(1.0, "info", "hello"),
    NodeStatistics(1.0, 64, (NodeStats("1", "Env", 1, 0.1, 0),)),
    CheckpointSaved(1.0, "/x", 64, 1, "interval"),
    ParameterChanged(1.0, "6", "gamma", 0.9, 0.99, 3),
    Paused(1.0, 64),
    Resumed(1.0, 64),
    Failed(1.0, "error", "Traceback", "6", "Trainer", 64),
    Finished(1.0, "completed", 64, 1),
    LiveStatistics(1.0, 64, (NodeStats("1", "Env", 1, 0.1, 2, (WireStats("actions", 2, 2),)),), "1"),
    ProbeSample(1.0, "5", "rewards", (64,), "float32", -1.0, 0.5, 1.0, 1.0),
    ViewerFrame(1.0, "1", ViewerState("cartpole", (0, 3), {"pole_angle": torch.tensor([0.5, -0.5])}, {})),
]


def test_every_event_has_a_name_and_an_example_here():
    types = [value for value in vars(events).values() if isinstance(value, type) and issubclass(value, Event)]
    kinds = set(types) - {Event}
    assert set(EVENT_NAMES) == kinds == {type(event) for event in EXAMPLES}
    assert len(set(EVENT_NAMES.values())) == len(EVENT_NAMES)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_events_are_frozen_and_become_json(event):
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.time = 3.0
    for record in event_records(event):
        assert json.loads(json.dumps(record))["event"] == EVENT_NAMES[type(event)]
        assert record["time"] == event.time


def test_one_record_for_each_metric():
    assert event_records(EXAMPLES[1]) == [
        {"event": "metric", "time": 1.0, "step": 64, "iteration": 1, "name": "train/loss", "value": 0.5},
        {"event": "metric", "time": 1.0, "step": 64, "iteration": 1, "name": "episode/mean_reward", "value": 3.0},
    ]
    assert event_records(Metrics(1.0, 64, 1, {})) == []


def test_statistics_of_nodes_are_plain_objects():
    (record,) = event_records(EXAMPLES[3])
    assert record["nodes"] == (
        {"node_id": "1", "label": "Env", "firings": 1, "seconds": 0.1, "queued": 0, "wires": ()},
    )


def test_which_metrics_depend_on_the_clock():
    assert is_clock_metric("time/steps_per_second")
    assert not is_clock_metric("train/time") and not is_clock_metric("episode/mean_reward")


def test_sinks_are_called_in_order_and_what_they_raise_is_not_swallowed():
    seen = []

    def broken(event):
        raise OSError("disk full")

    bus = EventBus([lambda event: seen.append(("first", event)), lambda event: seen.append(("second", event))])
    bus(EXAMPLES[6])
    assert seen == [("first", EXAMPLES[6]), ("second", EXAMPLES[6])]
    bus.sinks.append(broken)
    with pytest.raises(OSError, match="disk full"):
        bus(EXAMPLES[7])


@pytest.mark.parametrize("event", EXAMPLES[:-1], ids=lambda event: type(event).__name__)
def test_events_come_back_from_their_records(event):
    assert list(events_from(json.loads(json.dumps(event_records(event))))) == [event]


def test_viewer_frames_come_back_with_the_same_bits():
    frames = torch.arange(24, dtype=torch.uint8).reshape(2, 2, 2, 3)
    state = ViewerState("pixels", (4, 1), {"frames": frames, "none": torch.empty(0, 3)}, {"task": "Pong"})
    (back,) = events_from(json.loads(json.dumps(event_records(ViewerFrame(2.0, "1", state)))))
    assert back.state[:2] == state[:2] and back.state.description == state.description
    assert torch.equal(back.state.values["frames"], frames) and back.state.values["none"].shape == (0, 3)


def test_metrics_of_several_iterations_are_told_apart_and_odd_numbers_come_back():
    first, second = Metrics(1.0, 64, 1, {"a": 1.0}), Metrics(1.5, 128, 2, {"a": float("inf"), "b": 2.0})
    records = [*event_records(first), *event_records(second), *event_records(EXAMPLES[6])]
    records[1]["value"] = "inf"
    assert list(events_from(records)) == [first, second, EXAMPLES[6]]


def test_records_of_another_version_are_left_out():
    records = [{"event": "dream", "time": 1.0}, {"event": "paused"}, {"no": "event"}, *event_records(EXAMPLES[7])]
    assert list(events_from(records)) == [EXAMPLES[7]]


def test_a_probe_of_values_that_are_not_finite_comes_back():
    (record,) = event_records(ProbeSample(1.0, "5", "rewards", (64,), "float32", 0.0, 0.0, 0.0, 0.0))
    (back,) = events_from([dict(record, minimum="nan", mean=None, maximum="inf")])
    assert (str(back.minimum), str(back.mean), back.maximum, back.finite) == ("nan", "nan", float("inf"), 0.0)


def test_what_only_shows_the_moment_is_not_recorded():
    assert [type(event) for event in EXAMPLES if not event.is_recorded] == [LiveStatistics, ProbeSample, ViewerFrame]


NODE = {"node_id": "1", "label": "Env", "firings": 1, "seconds": 0.1, "queued": 0}
WIRE = {"port": "actions", "queued": 1, "limit": 2}


@pytest.mark.parametrize(
    "damaged",
    [
        {"event": [1]},
        {"event": "metric", "time": 0.0, "step": 1, "iteration": 1, "name": "a", "value": "abc"},
        {"event": "viewer_frame", "time": 0.0, "node_id": "1", "state": {"dtype": "load"}},
        {"event": "metric", "time": 0.0, "step": 1, "iteration": "y", "name": "a", "value": 2.0},
        {"event": "metric", "time": 0.0, "step": 1.5, "iteration": 1, "name": "a", "value": 2.0},
        {"event": "metric", "time": 0.0, "step": 10**400, "iteration": 1, "name": "a", "value": 2.0},
        {"event": "metric", "time": 0.0, "step": 1, "iteration": 1, "name": 5, "value": 2.0},
        {"event": "metric", "time": None, "step": 1, "iteration": 1, "name": "a", "value": 2.0},
        {"event": "node_statistics", "time": 0.0, "step": "x", "nodes": []},
        {"event": "node_statistics", "time": 0.0, "step": 1, "nodes": [dict(NODE, seconds="long")]},
        {"event": "node_statistics", "time": 0.0, "step": 1, "nodes": [dict(NODE, wires=[dict(WIRE, queued=None)])]},
        {"event": "paused", "time": float("nan"), "step": 1},
        {"event": "paused", "time": float("inf"), "step": 1},
        {"event": "paused", "time": 0.0, "step": True},
        {"event": "log", "time": 0.0, "level": "info", "message": 5},
        {"event": "finished", "time": 0.0, "reason": "completed", "step": 1, "iteration": 1, "interrupted": "no"},
        5,
    ],
)
def test_damaged_records_are_logged_and_left_out(damaged, caplog):
    good = {"event": "metric", "time": 0.0, "step": 2, "iteration": 2, "name": "a", "value": 1.0}
    (event,) = events_from([damaged, good])
    assert event.values == {"a": 1.0}
    assert "what a run wrote cannot be read" in caplog.text
