"""Who fires when: streams, held inputs, triggers, optional ports, OR nodes, initial values."""

from typing import Any, Dict

import pytest

from runtime.ports import ANY, HELD, In, Out
from tests.runtime.scheduler.fakes import (
    Bench,
    Fake,
    HeldMix,
    Join,
    Learner,
    Mix,
    Relay,
    Sink,
    Source,
    Waiter,
    both_ways,
)

BOTH = pytest.mark.parametrize("scheduler", ["static", "queues"])


class Starter(Fake):
    """Gives a first value before anything fires."""

    title = "Starter"
    value = In(ANY, "Any number")
    output = Out(ANY, "The number plus one", initially=True)

    def initial(self) -> Dict[str, Any]:
        return {"output": self.note(100)}

    def compute(self, value: Any) -> Dict[str, Any]:
        return {"output": self.note(value + 1)}


class Asks(Fake):
    """Has an optional stream and an optional held input."""

    title = "Asks"
    value = In(ANY, "Any number")
    extra = In(ANY, "Any number", optional=True)
    kept = In(ANY, "Any number", kind=HELD, optional=True)
    output = Out(ANY, "What came in")

    def compute(self, value: Any, extra: Any = "no extra", kept: Any = "nothing kept") -> Dict[str, Any]:
        return {"output": self.note((value, extra, kept))}


def reference(period: int = 4, trigger: bool = True, **options: Any):
    """A graph wired as the reference graph: first value, OR, policy, action, step, trainer."""
    nodes = [
        Source("1", {"value": 5}),
        Join("2"),
        Relay("3", {"plus": 1}),
        Relay("4", {"plus": 2}),
        Waiter("5"),
        Learner("6", {"period": period}),
    ]
    wires = [
        "1.output > 2.input_a",
        "5.following > 2.input_b",
        "2.output > 3.value",
        "3.output > 4.value",
        "4.output > 5.value",
        "2.output > 6.state",
        "5.report > 6.report",
    ]
    return nodes, wires + (["6.trigger > 5.trigger"] if trigger else [])


@BOTH
def test_a_node_waits_for_every_stream_input(scheduler):
    bench = Bench(
        [Mix("m"), Source("a", {"value": 2}), Source("b", {"value": 3})],
        "a.output > m.first", "b.output > m.second", scheduler=scheduler,
    )  # fmt: skip
    assert bench.run() == "completed"
    assert bench.trace == [("a", 2), ("b", 3), ("m", 31 * 2 + 17 * 3 + 1)]


@BOTH
def test_a_held_input_gates_until_it_is_written_and_then_keeps_its_value(scheduler):
    nodes, wires = reference()
    nodes += [HeldMix("h"), Source("late", {"value": 9})]
    bench = Bench(
        nodes, *wires, "2.output > h.value", "late.output > h.held", scheduler=scheduler,
        at_safe_point=lambda: "enough" if len(bench.values("6")) == 5 else None,
    )  # fmt: skip
    bench.run()
    assert bench.trace.index(("late", 9)) < bench.trace.index(("h", bench.values("h")[0]))
    assert bench.values("h") == [31 * value + 17 * 9 + 1 for value in bench.values("2")]


@BOTH
def test_a_held_input_gives_the_newest_value_and_drops_older_ones(scheduler):
    nodes = [Source("a", {"value": 1}), Starter("s"), Join("j"), HeldMix("h"), Source("b", {"value": 7})]
    bench = Bench(
        nodes, "s.output > h.held", "a.output > s.value", "s.output > j.input_a", "j.output > h.value",
        scheduler=scheduler,
    )  # fmt: skip
    bench.run()
    assert bench.values("s") == [100, 2]
    assert bench.values("h")[-1] == (31 * 2 + 17 * 2 + 1)


@BOTH
def test_optional_ports_that_are_not_wired_take_the_default_of_compute(scheduler):
    bench = Bench([Source("a", {"value": 4}), Asks("k")], "a.output > k.value", scheduler=scheduler)
    bench.run()
    assert bench.values("k") == [(4, "no extra", "nothing kept")]


@BOTH
def test_optional_ports_that_are_wired_gate_like_others(scheduler):
    bench = Bench(
        [Asks("k"), Source("a", {"value": 4}), Source("b", {"value": 5}), Source("c", {"value": 6})],
        "a.output > k.value", "b.output > k.extra", "c.output > k.kept", scheduler=scheduler,
    )  # fmt: skip
    bench.run()
    assert bench.values("k") == [(4, 5, 6)]


@BOTH
def test_a_release_follows_each_trigger_and_never_gates_the_firing(scheduler):
    nodes, wires = reference()
    bench = Bench(
        nodes, *wires, scheduler=scheduler, at_safe_point=lambda: "enough" if len(bench.values("6")) == 3 else None
    )
    bench.run()
    order = [who for who, _ in bench.trace]
    assert order[:6] == ["1", "2", "3", "4", "5", "6"]
    assert order[6:12] == ["5", "2", "3", "4", "5", "6"], "released, round once more, fired again"


@BOTH
def test_without_a_trigger_the_observations_go_out_at_once(scheduler):
    nodes, wires = reference(trigger=False)
    bench = Bench(
        nodes, *wires, scheduler=scheduler, at_safe_point=lambda: "enough" if len(bench.values("6")) == 3 else None
    )
    bench.run()
    assert sum(unit.releases for unit in bench.engine.machine.units) == 0
    assert len(bench.values("5")) >= 3


@BOTH
def test_or_takes_the_lowest_port_first_and_drops_nothing(scheduler):
    sources = [Source(name, {"value": value}) for name, value in zip("wxyz", (1, 2, 3, 4))]
    bench = Bench(
        [*sources[::-1], Join("one"), Join("two"), Join("all")],
        "z.output > one.input_b", "y.output > one.input_a", "x.output > two.input_b", "w.output > two.input_a",
        "one.output > all.input_b", "two.output > all.input_a", scheduler=scheduler, queue_size=1,
    )  # fmt: skip
    bench.run()
    assert bench.values("one") == [3, 4], "port a before port b, whichever arrived first"
    assert bench.values("two") == [1, 2]
    assert sorted(bench.values("all")) == [1, 2, 3, 4]
    assert bench.values("all")[0] == 1, "port a, although 3 arrived at port b before it"


@BOTH
def test_initial_values_come_before_everything_and_only_once(scheduler):
    bench = Bench(
        [Source("a", {"value": 1}), Starter("s"), Sink("k")], "a.output > s.value", "s.output > k.value",
        scheduler=scheduler,
    )  # fmt: skip
    bench.run()
    assert bench.trace[0] == ("s", 100)
    assert bench.values("k") == [100, 2]


@BOTH
def test_initial_values_let_a_ring_start_without_an_or_node(scheduler):
    bench = Bench(
        [Starter("s"), Relay("r", {"plus": 10})], "s.output > r.value", "r.output > s.value", scheduler=scheduler,
        at_safe_point=lambda: "enough" if len(bench.values("r")) >= 3 else None,
    )  # fmt: skip
    assert bench.run() == "enough"
    assert bench.values("r")[:3] == [110, 121, 132]


@BOTH
def test_a_resumed_run_gives_no_initial_values(scheduler):
    bench = Bench([Starter("s"), Relay("r")], "s.output > r.value", "r.output > s.value", scheduler=scheduler)
    bench.context.resumed = True
    assert bench.run() == "completed"
    assert bench.trace == []


@BOTH
def test_one_output_feeds_every_wire(scheduler):
    bench = Bench(
        [Source("a", {"value": 3}), Mix("m"), Sink("k")], "a.output > m.first", "a.output > m.second",
        "a.output > k.value", scheduler=scheduler,
    )  # fmt: skip
    bench.run()
    assert bench.values("m") == [31 * 3 + 17 * 3 + 1]
    assert bench.values("k") == [3]


def test_ports_are_served_in_the_order_of_their_declaration_not_of_compute():
    class Backwards(Fake):
        """Returns its outputs in another order than it declares them."""

        title = "Backwards"
        value = In(ANY, "Any number")
        first = Out(ANY, "First")
        second = Out(ANY, "Second")

        def compute(self, value: Any) -> Dict[str, Any]:
            return {"second": value, "first": value}

    def make():
        nodes = [Source("a"), Backwards("b"), Sink("s2"), Sink("s1")]
        return nodes, ["a.output > b.value", "b.second > s2.value", "b.first > s1.value"]

    static, queues = both_ways(make)
    assert static.trace == queues.trace == [("a", 0), ("s1", 0), ("s2", 0)]
