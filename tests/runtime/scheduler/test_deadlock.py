"""A graph that cannot move says which port waits for which node; one that is done ends."""

import re
from typing import Any, Dict

import pytest

from runtime.errors import DeadlockError
from runtime.events import LogMessage
from runtime.ports import ANY, HELD, In, Out
from tests.runtime.scheduler.fakes import Bench, Fake, Filter, HeldMix, Join, Mix, Relay, Sink, Source, Waiter
from tests.runtime.scheduler.test_firing_rules import reference

BOTH = pytest.mark.parametrize("scheduler", ["static", "queues"])


class Late(Fake):
    """Waits for its trigger before it reports, as the trainer of an earlier design did."""

    title = "Late"
    report = In(ANY, "Any number")
    state = In(ANY, "Any number")
    trigger = Out(ANY, "Once per pair")

    def compute(self, report: Any, state: Any) -> Dict[str, Any]:
        return {"trigger": True}


def earlier_design():
    """Step gives its reward only on release; the trainer triggers only when it has the reward."""

    class Stubborn(Waiter):
        title = "Stubborn"
        report = Out(ANY, "Only when released", on_release=True)

        def compute(self, value: Any) -> Dict[str, Any]:
            self.held.append(value)
            return {}

        def release(self) -> Dict[str, Any]:
            value = self.held.pop(0)
            return {"following": value, "report": value}

    nodes = [Source("1", {"value": 5}), Join("2"), Relay("3"), Stubborn("5", label="Step"), Late("6", label="Trainer")]
    wires = [
        "1.output > 2.input_a", "5.following > 2.input_b", "2.output > 3.value", "3.output > 5.value",
        "2.output > 6.state", "5.report > 6.report", "6.trigger > 5.trigger",
    ]  # fmt: skip
    return nodes, wires


@BOTH
def test_the_deadlock_of_the_earlier_design_is_named_as_a_ring(scheduler):
    nodes, wires = earlier_design()
    bench = Bench(nodes, *wires, scheduler=scheduler)
    with pytest.raises(DeadlockError) as caught:
        bench.run()
    lines = str(caught.value).splitlines()
    assert lines[0] == "deadlock after 4 firings: no node can fire, and values are left."
    assert sorted(lines[1:]) == [
        "  node 5 (Step) waits at its input 'trigger' for node 6 (Trainer), port 'trigger'",
        "  node 6 (Trainer) waits at its input 'report' for node 5 (Step), port 'report'",
    ]


def test_with_a_static_schedule_it_shows_before_anything_runs():
    nodes, wires = earlier_design()
    bench = Bench(nodes, *wires)
    with pytest.raises(DeadlockError):
        bench.engine.prepare()
    assert bench.trace == []


@BOTH
def test_a_half_filled_node_is_a_deadlock_that_names_the_node_that_has_nothing_more(scheduler):
    bench = Bench(
        [Source("a", {"value": 1}), Join("twice"), Mix("m"), Source("b"), Source("c")],
        "a.output > m.first", "b.output > twice.input_a", "c.output > twice.input_b", "twice.output > m.second",
        scheduler=scheduler,
    )  # fmt: skip
    with pytest.raises(DeadlockError) as caught:
        bench.run()
    assert str(caught.value).splitlines()[1:] == [
        "  node m (Mix) waits at its input 'first' for node a (Source), port 'output', which has nothing more to send"
    ]


@BOTH
def test_a_chain_of_waiting_is_followed_to_its_end(scheduler):
    bench = Bench(
        [Source("a"), Source("b"), Source("c"), Mix("m"), Mix("n"), Relay("r"), Join("j")],
        "a.output > j.input_a", "b.output > j.input_b", "j.output > m.first", "r.output > m.second",
        "n.output > r.value", "j.output > n.first", "c.output > n.second", scheduler=scheduler,
    )  # fmt: skip
    with pytest.raises(DeadlockError) as caught:
        bench.run()
    assert [re.sub(r"'.*?'", "…", line) for line in str(caught.value).splitlines()[1:]] == [
        "  node m (Mix) waits at its input … for node r (Relay), port …",
        "  node r (Relay) waits at its input … for node n (Mix), port …",
        "  node n (Mix) waits at its input … for node c (Source), port …, which has nothing more to send",
    ]


@BOTH
def test_a_release_that_never_comes_is_a_deadlock(scheduler):
    bench = Bench(
        [Source("a"), Waiter("w"), Mix("never"), Sink("k")], "a.output > w.value", "w.report > never.first",
        "w.following > never.second", "never.output > k.value", "never.output > w.trigger", scheduler=scheduler,
    )  # fmt: skip
    with pytest.raises(DeadlockError, match=r"node w \(Waiter\) waits at its input 'trigger' for node never \(Mix\)"):
        bench.run()


@BOTH
def test_full_queues_in_a_ring_are_named_with_the_queue(scheduler):
    class Doubler(Fake):
        """Gives everything twice, on two ports."""

        title = "Doubler"
        fires_on = "any"
        start = In(ANY, "First", optional=True)
        back = In(ANY, "What comes round", optional=True)
        one = Out(ANY, "One")
        two = Out(ANY, "Two")

        def compute(self, **inputs: Any) -> Dict[str, Any]:
            return {"one": 1, "two": 2}

    bench = Bench(
        [Source("a"), Doubler("d"), Join("j")], "a.output > d.start", "d.one > j.input_a", "d.two > j.input_b",
        "j.output > d.back", scheduler=scheduler, queue_size=2,
    )  # fmt: skip
    with pytest.raises(DeadlockError) as caught:
        bench.run()
    assert re.search(r"waits to write '\w+': the queue of node [dj] \(\w+\), port '\w+', is full", str(caught.value))
    assert str(caught.value).endswith("A branch that holds values back may need more room than 2 per wire.")


@BOTH
def test_an_or_that_waits_for_a_held_value_is_named(scheduler):
    class HeldJoin(Join):
        """Needs a held value beside what arrives."""

        title = "Held Join"
        kept = In(ANY, "Keeps its last value", kind=HELD)

    bench = Bench(
        [Source("a"), HeldJoin("j", label="Or"), HeldMix("h"), Relay("r")], "a.output > j.input_a", "h.output > j.kept",
        "r.output > h.value", "j.output > r.value", "a.output > h.held", scheduler=scheduler,
    )  # fmt: skip
    with pytest.raises(DeadlockError, match=r"node j \(Or\) waits at its input 'kept' for node h"):
        bench.run()


@BOTH
def test_a_graph_whose_values_are_all_used_up_is_finished(scheduler):
    bench = Bench([Source("a"), Relay("r"), Sink("k")], "a.output > r.value", "r.output > k.value", scheduler=scheduler)
    assert bench.run() == "completed"


def test_values_that_a_node_swallows_leave_nothing_behind():
    bench = Bench([Source("a", {"value": 3}), Filter("f"), Sink("k")], "a.output > f.value", "f.output > k.value")
    assert bench.run() == "completed"
    assert bench.values("k") == []


@pytest.mark.parametrize("scheduler", ["auto", "queues"])
def test_a_node_that_starves_while_others_run_is_reported_with_its_port(scheduler):
    nodes, wires = reference()
    nodes += [Waiter("lonely", label="Lonely"), Relay("behind"), Source("off")]
    wires += ["behind.output > lonely.value", "lonely.report > behind.value"]
    bench = Bench(nodes, *wires, scheduler=scheduler)
    bench.engine._at_safe_point = lambda: "enough" if len(bench.values("6")) > 300 else None
    bench.run()
    warnings = [event for event in bench.of(LogMessage) if event.level == "warning"]
    assert [event.node_id for event in warnings] == ["lonely", "behind"], "each once"
    assert (
        "node lonely (Lonely) waits at its input 'value' for node behind (Relay), port 'output'" in warnings[0].message
    )


def test_without_values_left_a_ring_that_never_starts_is_told_before_the_run():
    bench = Bench([Join("j"), Relay("r")], "j.output > r.value", "r.output > j.input_a")
    bench.engine.prepare()
    assert [event.node_id for event in bench.of(LogMessage)] == ["j", "r"]
    assert bench.engine.run() == "completed"
