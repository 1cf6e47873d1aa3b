"""Pause, single steps, stop and live edits, asked for from another thread."""

import threading
import time

import pytest

from runtime.events import LogMessage, NodeStatistics, ParameterChanged, Paused, Resumed
from runtime.scheduler.control import CYCLE, FIRING, RunControl
from tests.runtime.scheduler.fakes import Bench
from tests.runtime.scheduler.test_firing_rules import reference

BOTH = pytest.mark.parametrize("scheduler", ["static", "queues"])
DEADLINE = 10.0


class Background:
    """A run in a thread of its own, and ways to wait for what it does."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self.reason = ""
        self.thread = threading.Thread(target=self._run, name="run under test")

    def _run(self) -> None:
        self.reason = self.bench.run()

    def __enter__(self) -> "Background":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.bench.control.stop("end of the test")
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()

    def until(self, condition, what: str) -> None:
        end = time.perf_counter() + DEADLINE
        while not condition():
            assert time.perf_counter() < end, f"waited in vain for: {what}"
            time.sleep(0.002)

    def until_paused(self, times: int) -> None:
        self.until(lambda: len(self.bench.of(Paused)) >= times, f"{times} pauses")


def endless(scheduler: str, trigger: bool = True) -> Bench:
    nodes, wires = reference(trigger=trigger)
    return Bench(nodes, *wires, scheduler=scheduler)


@BOTH
def test_stop_from_another_thread_ends_at_a_safe_point(scheduler):
    bench = endless(scheduler)
    with Background(bench) as run:
        run.until(lambda: len(bench.values("6")) > 100, "some cycles")
        bench.control.stop("Ctrl-C")
        bench.control.stop("again")
        run.thread.join(DEADLINE)
    assert run.reason == "Ctrl-C", "the first reason counts"
    assert bench.trace[-1][0] == "6", "the trainer has fired last"
    assert bench.engine.machine.is_quiet, "and no value is in flight"


@BOTH
def test_a_graph_that_is_never_quiet_can_be_stopped_too(scheduler):
    bench = endless(scheduler, trigger=False)
    with Background(bench) as run:
        run.until(lambda: len(bench.values("6")) > 100, "some cycles")
        bench.control.stop("Ctrl-C")
        run.thread.join(DEADLINE)
    assert run.reason == "Ctrl-C"


@BOTH
def test_pause_holds_and_resume_goes_on(scheduler):
    bench = endless(scheduler)
    with Background(bench) as run:
        bench.control.pause()
        run.until_paused(1)
        before = len(bench.trace)
        time.sleep(0.1)
        assert len(bench.trace) == before
        bench.control.resume()
        run.until(lambda: len(bench.trace) > before + 100, "it goes on")
        assert len(bench.of(Resumed)) == 1


@BOTH
def test_a_paused_run_can_be_stopped(scheduler):
    bench = endless(scheduler)
    bench.control.pause()
    with Background(bench) as run:
        run.until_paused(1)
        bench.control.stop("enough")
        run.thread.join(DEADLINE)
        assert run.reason == "enough"


@BOTH
def test_single_steps_of_a_cycle(scheduler):
    bench = endless(scheduler)
    bench.control.pause()
    with Background(bench) as run:
        run.until_paused(1)
        for number in range(2, 6):
            before = len(bench.trace)
            bench.control.step(CYCLE)
            run.until_paused(number)
            assert [who for who, _ in bench.trace[before:]] == ["5", "2", "3", "4", "5", "6"]


@BOTH
def test_single_firings(scheduler):
    bench = endless(scheduler)
    bench.control.pause()
    with Background(bench) as run:
        run.until_paused(1)
        seen = []
        for number in range(2, 16):
            before = len(bench.trace)
            bench.control.step(FIRING)
            run.until_paused(number)
            seen.append([who for who, _ in bench.trace[before:]])
        assert seen == [[who] for who in ["5", "2", "3", "4", "5", "6"] * 3][:14]
        bench.control.resume()
        run.until(lambda: len(bench.trace) > 200, "it goes on after single firings")


@BOTH
def test_from_a_single_firing_a_cycle_step_goes_on_to_the_next_safe_point(scheduler):
    bench = endless(scheduler)
    bench.control.pause()
    with Background(bench) as run:
        run.until_paused(1)
        bench.control.step(FIRING)
        run.until_paused(2)
        before = len(bench.trace)
        bench.control.step(CYCLE)
        run.until_paused(3)
        assert [who for who, _ in bench.trace[before:]] == ["2", "3", "4", "5", "6"]


@BOTH
def test_a_step_pauses_a_running_run(scheduler):
    bench = endless(scheduler)
    with Background(bench) as run:
        run.until(lambda: len(bench.values("6")) > 10, "some cycles")
        bench.control.step()
        run.until_paused(1)
        before = len(bench.trace)
        time.sleep(0.05)
        assert len(bench.trace) == before


def test_step_sizes_are_checked():
    with pytest.raises(ValueError, match="step size 'node'; expected 'cycle' or 'firing'"):
        RunControl().step("node")


@BOTH
def test_live_edits_act_between_two_cycles_and_are_told(scheduler):
    bench = endless(scheduler)
    with Background(bench) as run:
        run.until(lambda: len(bench.values("6")) > 10, "some cycles")
        bench.control.edit("3", "plus", 1000)
        run.until(lambda: bench.of(ParameterChanged), "the edit")
        bench.control.stop("enough")
    (change,) = bench.of(ParameterChanged)
    assert (change.node_id, change.name, change.old, change.new) == ("3", "plus", 1, 1000)
    pairs = list(zip(bench.values("2"), bench.values("3")))
    assert {after - before for before, after in pairs} == {1, 1000}


@BOTH
def test_edits_act_while_paused_at_a_safe_point_but_not_in_mid_cycle(scheduler):
    bench = endless(scheduler)
    bench.control.pause()
    with Background(bench) as run:
        run.until_paused(1)
        bench.control.edit("3", "plus", 10)
        run.until(lambda: bench.graph.nodes["3"].plus == 10, "the edit at the safe point")
        bench.control.step(FIRING)
        run.until_paused(2)
        bench.control.edit("3", "plus", 20)
        time.sleep(0.1)
        assert bench.graph.nodes["3"].plus == 10
        bench.control.step(CYCLE)
        run.until_paused(3)
        assert bench.graph.nodes["3"].plus == 20


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (("3", "fixed", 1), r"Relay.fixed cannot change during a run; live are: plus"),
        (("3", "plos", 1), r"Relay.plos: Relay has no parameter 'plos'; did you mean 'plus'\?"),
        (("3", "plus", "much"), r"Relay.plus: 'much' is not a whole number"),
        (("9", "plus", 1), r"there is no node '9' in this run"),
    ],
)
def test_refused_edits_are_logged_and_change_nothing(edit, text):
    bench = endless("static")
    bench.control.edit(*edit)
    bench.engine._at_safe_point = lambda: "enough"
    bench.run()
    (message,) = [event for event in bench.of(LogMessage) if event.level == "error"]
    assert message.message.startswith("edit refused: ")
    assert text.replace("\\?", "?") in message.message
    assert bench.graph.nodes["3"].plus == 1 and not bench.of(ParameterChanged)


def test_an_edit_that_the_nodes_own_check_finds_wrong_is_refused():
    bench = endless("static")
    node = bench.graph.nodes["3"]
    node.check = lambda inputs: [("plus", "it is odd", "let it be even")] if node.plus % 2 and node.plus > 1 else []
    bench.control.edit("3", "plus", 7)
    bench.engine._at_safe_point = lambda: "enough"
    bench.run()
    assert node.plus == 1
    assert any("Relay.plus: it is odd; let it be even" in event.message for event in bench.of(LogMessage))


def test_statistics_come_about_once_a_second_and_at_the_end():
    bench = endless("static")
    bench.engine._next_statistics = 0.0
    bench.engine._at_safe_point = lambda: "enough" if len(bench.values("6")) == 3 else None
    bench.run()
    first, last = bench.of(NodeStatistics)
    assert {stats.node_id: stats.firings for stats in last.nodes} == {"1": 1, "2": 3, "3": 3, "4": 3, "5": 3, "6": 3}
    assert [stats.label for stats in last.nodes] == ["Source", "Join", "Relay", "Relay", "Waiter", "Learner"]
    assert all(stats.seconds > 0.0 for stats in last.nodes)
    assert all(stats.queued == 0 for stats in last.nodes)
    assert first.nodes[1].firings == 1


def test_statistics_show_the_depth_of_queues_and_the_time_that_was_spent():
    bench = endless("queues", trigger=False)
    node = bench.graph.nodes["3"]
    compute = node.compute
    node.compute = lambda value: (time.sleep(0.01), compute(value))[1]
    bench.engine._at_safe_point = lambda: "enough" if len(bench.values("6")) >= 5 else None
    bench.run()
    (statistics,) = bench.of(NodeStatistics)
    by_id = {stats.node_id: stats for stats in statistics.nodes}
    assert by_id["3"].seconds >= 0.05 > by_id["4"].seconds
    assert (
        sum(stats.queued for stats in statistics.nodes)
        == sum(len(queue.items) for queue in bench.engine.machine.queues)
        > 0
    )
