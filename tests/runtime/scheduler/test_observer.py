"""Taps and viewer frames show what travels, follow the host's wishes during a run, and cost nothing when off."""

import math
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import torch

from runtime.context import RunContext
from runtime.errors import DnneError
from runtime.events import LogMessage, ProbeSample, ViewerFrame
from runtime.scheduler import observer
from runtime.scheduler.observer import Observer, measure
from runtime.scheduler.watch import Watch
from runtime.simulators.interface import ViewerState
from tests.runtime.scheduler.test_control import BOTH, Background, endless


class Pair(NamedTuple):
    label: str
    actions: torch.Tensor


@pytest.mark.parametrize(
    ("value", "measures"),
    [
        (torch.tensor([[1.0, 2.0], [3.0, -2.0]]), ((2, 2), "float32", -2.0, 1.0, 3.0, 1.0)),
        (torch.tensor([1.0, math.nan, math.inf, 4.0]), ((4,), "float32", 1.0, 2.5, 4.0, 0.5)),
        (torch.tensor([True, False]), ((2,), "bool", 0.0, 0.5, 1.0, 1.0)),
        (torch.tensor(7), ((), "int64", 7.0, 7.0, 7.0, 1.0)),
        (Pair("x", torch.tensor([2.0])), ((1,), "actions: float32", 2.0, 2.0, 2.0, 1.0)),
        ({"loss": 0.25, "name": "a"}, ((), "loss: float", 0.25, 0.25, 0.25, 1.0)),
        ({"a": [1, {"b": torch.tensor([3.0])}]}, ((1,), "a.1.b: float32", 3.0, 3.0, 3.0, 1.0)),
    ],
)
def test_measures_of_values(value, measures):
    assert tuple(measure(value)) == measures


@pytest.mark.parametrize(
    ("value", "shape", "kind", "finite"),
    [(torch.empty(0, 3), (0, 3), "float32", 1.0), (torch.full((2,), math.nan), (2,), "float32", 0.0),
     (object(), (), "object", 1.0), (math.inf, (), "float", 0.0)],
)  # fmt: skip
def test_values_without_a_range(value, shape, kind, finite):
    found = measure(value)
    assert (found.shape, found.dtype, found.finite) == (shape, kind, finite)
    assert all(math.isnan(figure) for figure in (found.minimum, found.mean, found.maximum))


def test_a_value_with_gradients_is_left_alone():
    weight = torch.ones(3, requires_grad=True)
    assert measure(weight * 2).mean == 2.0
    assert weight.grad is None


@BOTH
def test_a_probe_can_be_put_on_and_taken_off_during_a_run(scheduler, monkeypatch):
    monkeypatch.setattr(observer, "PROBE_INTERVAL", 0.0)
    bench = endless(scheduler)
    with Background(bench) as run:
        run.until(lambda: len(bench.values("6")) > 20, "some cycles")
        assert bench.of(ProbeSample) == [] and not bench.control.watch.is_on
        bench.control.watch.watch_probes([("3", "output"), ("nobody", "output")])
        run.until(lambda: len(bench.of(ProbeSample)) > 5, "samples")
        bench.control.watch.watch_probes([])
        run.until(lambda: not bench.control.watch.is_on, "the tap's end")
        count = len(bench.of(ProbeSample))
        fired = len(bench.values("6"))
        run.until(lambda: len(bench.values("6")) > fired + 20, "more cycles")
        assert len(bench.of(ProbeSample)) == count
    samples = bench.of(ProbeSample)
    assert {(sample.node_id, sample.port) for sample in samples} == {("3", "output")}
    assert {sample.mean for sample in samples} <= set(bench.values("3"))


@BOTH
def test_a_watched_run_computes_the_same(scheduler, monkeypatch):
    monkeypatch.setattr(observer, "PROBE_INTERVAL", 0.0)
    runs = []
    for outputs in ([], [("3", "output"), ("5", "report"), ("1", "output")]):
        bench = endless(scheduler)
        bench.control.watch.watch_probes(outputs)
        with Background(bench) as run:
            run.until(lambda bench=bench: len(bench.values("6")) > 300, "300 cycles")
        runs.append(bench.values("6")[:300])
    assert runs[0] == runs[1]


def test_samples_come_at_most_ten_times_a_second():
    bench = endless("static")
    bench.control.watch.watch_probes([("3", "output")])
    with Background(bench) as run:
        run.until(lambda: len(bench.of(ProbeSample)) >= 4, "four samples")
    times = [sample.time for sample in bench.of(ProbeSample)]
    within = times[:-1]  # the last one may be that of the end
    assert min(later - earlier for earlier, later in zip(within, within[1:])) >= 0.09


@BOTH
def test_a_run_of_no_time_shows_its_last_values(scheduler, monkeypatch):
    monkeypatch.setattr(observer, "PROBE_INTERVAL", 1e9)
    bench = endless(scheduler)
    bench.control.watch.watch_probes([("3", "output")])
    with Background(bench) as run:
        run.until(lambda: len(bench.values("6")) > 20, "some cycles")
    first, last = bench.of(ProbeSample)
    assert first.mean in bench.values("3")[:2] and last.mean == bench.values("3")[-1]


def test_frames_of_a_node_that_can_be_drawn(monkeypatch):
    bench = endless("static")
    drawn = {"4": lambda env_ids: ViewerState("pixels", tuple(env_ids), {}, {})}
    for node in bench.nodes:
        if node.id in drawn:
            monkeypatch.setattr(node, "viewer_state", drawn[node.id])
    bench.control.watch.watch_viewer([2, 0], hz=200.0)
    with Background(bench) as run:
        run.until(lambda: len(bench.of(ViewerFrame)) > 3, "frames")
        bench.control.watch.watch_viewer([], hz=0.0)
        run.until(lambda: not bench.control.watch.is_on, "the end of watching")
    frame = bench.of(ViewerFrame)[0]
    assert (frame.node_id, frame.state.env_ids) == ("4", (2, 0))


def test_what_cannot_be_drawn_is_told_once_and_the_run_goes_on(monkeypatch):
    def broken(env_ids):
        raise RuntimeError("no picture")

    bench = endless("static")
    monkeypatch.setattr(bench.nodes[0], "viewer_state", broken)
    bench.control.watch.watch_viewer([0], hz=1000.0)
    with Background(bench) as run:
        run.until(lambda: bench.of(LogMessage), "the message")
        fired = len(bench.values("6"))
        run.until(lambda: len(bench.values("6")) > fired + 50, "more cycles")
    assert ["no picture" in message.message for message in bench.of(LogMessage)] == [True]


def test_wishes_that_make_no_sense_are_refused():
    with pytest.raises(DnneError, match="expected whole numbers from 0"):
        Watch().watch_viewer([-1], 10.0)
    with pytest.raises(DnneError, match="0.0 frames a second"):
        Watch().watch_viewer([0], 0.0)


class SleptThrough:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_inference_with_a_viewer_goes_in_real_time(monkeypatch):
    clock = SleptThrough()
    monkeypatch.setattr("runtime.scheduler.observer.time", clock)
    context, watch = RunContext(inference=True), Watch()
    state = ViewerState("pixels", (0,), {}, {"seconds_per_step": "0.02"})
    node = SimpleNamespace(id="1", label="Env", viewer_state=lambda env_ids: state)
    unit = SimpleNamespace(node=node, taps=(), routes={})
    served = Observer(watch, SimpleNamespace(units=[unit]), context)
    watch.watch_viewer([0], 50.0)
    for _ in range(11):
        context.progress.environment_steps += 4
        served.serve()
    assert clock.now - 100.0 == pytest.approx(10 * 0.02), "no step waits but for the one before it"
    watch.watch_viewer([], 0.0)
    for _ in range(11):
        context.progress.environment_steps += 4
        served.serve()
    assert clock.now - 100.0 == pytest.approx(10 * 0.02), "without a viewer it goes as fast as it can"
