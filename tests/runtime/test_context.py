"""The run context: progress, generators, and the metrics of an iteration."""

import pytest
import torch

from runtime.context import Progress, RunContext
from runtime.errors import DnneError
from runtime.events import EventBus, LogMessage, Metrics, Paused


def context_with_events(**options):
    events = []
    return RunContext(emit=EventBus([events.append]), **options), events


@pytest.mark.parametrize(
    ("progress", "fraction"),
    [
        (Progress(), None),
        (Progress(50, 3), None),
        (Progress(50, 3, total_steps=200), 0.25),
        (Progress(50, 3, total_iterations=4), 0.75),
        (Progress(50, 3, total_steps=200, total_iterations=4), 0.75),
        (Progress(500, 3, total_steps=200), 1.0),
    ],
)
def test_how_far_a_run_is(progress, fraction):
    assert progress.fraction == fraction


def test_generators_depend_on_seed_name_and_rank_and_on_nothing_else():
    def first(name="3", **options):
        return torch.randint(2**62, (2,), generator=RunContext(**options).new_generator(name)).tolist()

    assert first() == first()
    different = [first(), first("4"), first(seed=1), first(rank=1), first("3/0"), first("33")]
    assert len({tuple(numbers) for numbers in different}) == len(different)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_first_reason_to_stop_counts():
    context = RunContext()
    context.request_stop("solved")
    context.request_stop("again")
    assert context.stop_reason == "solved"


def test_log_and_send_stamp_events_with_the_time():
    context, events = context_with_events()
    context.log("hello", "warning", "3")
    context.send(Paused, 7)
    message, paused = events
    assert isinstance(message, LogMessage)
    assert (message.level, message.message, message.node_id) == ("warning", "hello", "3")
    assert (paused.step, type(paused)) == (7, Paused)
    assert 0.0 <= message.time <= paused.time <= context.elapsed


def test_the_metrics_of_an_iteration_are_merged_and_told():
    context, events = context_with_events()
    seen = []
    context.metric_sources += [lambda: {"episode/mean_reward": 3.0}, dict]
    context.iteration_listeners.append(seen.append)
    context.progress.environment_steps, context.steps_at_start = 1000, 400
    context.started_at -= 2.0
    merged = context.finish_iteration({"train/loss": 0.5})
    assert context.progress.iterations == 1
    (event,) = events
    assert isinstance(event, Metrics)
    assert (event.step, event.iteration, event.values) == (1000, 1, merged)
    assert seen == [merged]
    assert (merged["train/loss"], merged["episode/mean_reward"]) == (0.5, 3.0)
    assert merged["time/elapsed_seconds"] == pytest.approx(2.0, abs=0.5)
    assert merged["time/steps_per_second"] == pytest.approx(600 / merged["time/elapsed_seconds"])


def test_the_metrics_of_the_caller_are_left_alone():
    context, _ = context_with_events()
    given = {"train/loss": 0.5}
    context.finish_iteration(given)
    assert given == {"train/loss": 0.5}


def test_two_nodes_cannot_report_one_metric():
    context, events = context_with_events()
    context.metric_sources += [lambda: {"a": 1.0}, lambda: {"a": 2.0}]
    with pytest.raises(DnneError, match="two nodes report the metric 'a'; give one of them another name"):
        context.finish_iteration({})
    assert events == []
