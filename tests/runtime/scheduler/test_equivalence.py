"""A static schedule and the queues compute the same values, and stop at the same places, on any graph."""

from typing import Any, Callable, List, Optional, Tuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runtime.errors import DeadlockError
from runtime.node import Node
from tests.runtime.scheduler.fakes import Bench, Every, HeldMix, Join, Mix, Relay, Sink, Source, Split, Waiter
from tests.runtime.scheduler.test_firing_rules import Starter, reference

QUEUE_SIZES = [1, 2, 8]
Made = Tuple[List[Node], List[str]]


def run(make: Callable[[], Made], scheduler: str, queue_size: int, cycles: int = 30, watch: str = "6") -> Bench:
    nodes, wires = make()
    bench = Bench(nodes, *wires, scheduler=scheduler, queue_size=queue_size)
    stop_after(bench, cycles, watch)
    bench.deadlock = ""  # type: ignore[attr-defined]
    try:
        bench.run()
    except DeadlockError as error:  # a queue may be too small for what a branch holds back
        bench.deadlock = str(error)  # type: ignore[attr-defined]
    return bench


def stop_after(bench: Bench, cycles: int, watch: str) -> None:
    """End once a node has fired so often, and note the length of the trace at every safe point."""
    stops: List[int] = []
    unit = bench.engine.machine.by_id[watch]

    def at_safe_point() -> Optional[str]:
        stops.append(len(bench.trace))
        return "enough" if unit.firings >= cycles else None

    bench.engine._at_safe_point = at_safe_point
    bench.stops = stops  # type: ignore[attr-defined]


def all_stops(first: Bench, then: Bench) -> List[int]:
    """Safe points of a run in two parts, counted from its beginning."""
    return [*first.stops, *(len(first.trace) + stop for stop in then.stops)]  # type: ignore[attr-defined]


def left_over(bench: Bench) -> Any:
    """What is in flight, as the interpreter sees it."""
    machine = bench.engine.machine
    machine.settle()
    return (
        [list(queue.items) for queue in machine.queues],
        [(slot.written, slot.value) for slot in machine.slots],
        [[value for _, value in unit.outbox] for unit in machine.units],
        [(unit.triggers, unit.firings, unit.releases, unit.due) for unit in machine.units],
        bench.engine.ready_order,
    )


def assert_same(make: Callable[[], Made], queue_size: int, **options: Any) -> Bench:
    static, queues = (run(make, scheduler, queue_size, **options) for scheduler in ("static", "queues"))
    assert static.deadlock == queues.deadlock  # type: ignore[attr-defined]
    if static.deadlock:  # type: ignore[attr-defined]
        return static
    assert static.trace == queues.trace
    assert static.stops == queues.stops  # type: ignore[attr-defined]
    assert left_over(static) == left_over(queues)
    return static


def with_transforms() -> Made:
    """The reference graph with a shaper, a stack of frames, a print and a schedule over the learner's figures."""
    nodes, wires = reference(period=4)
    nodes += [Split("stack"), Relay("shaper", {"plus": 3}), Relay("print"), Starter("curriculum"), HeldMix("h")]
    wires = [wire for wire in wires if "3.value" not in wire and "6.report" not in wire]
    wires += [
        "2.output > stack.right", "5.report > stack.left", "stack.right_output > print.value", "print.output > 3.value",
        "stack.left_output > shaper.value", "shaper.output > 6.report", "6.figure > curriculum.value",
        "curriculum.output > h.held", "2.output > h.value",
    ]  # fmt: skip
    return nodes, wires


@pytest.mark.parametrize("queue_size", QUEUE_SIZES)
@pytest.mark.parametrize(
    "make",
    [reference, lambda: reference(trigger=False), with_transforms],
    ids=["reference", "without trigger", "with transforms"],
)
def test_the_same_values_in_the_same_order(make, queue_size):
    assert not assert_same(make, queue_size).deadlock  # type: ignore[attr-defined]


def test_queue_sizes_do_not_change_the_values():
    for make in (reference, with_transforms):
        traces = [
            {node.id: bench.values(node.id)[:25] for node in bench.nodes}
            for bench in (run(make, "queues", size, 30) for size in QUEUE_SIZES)
        ]
        assert traces[0] == traces[1] == traces[2]


@st.composite
def random_graphs(draw: Any) -> Callable[[], Made]:
    """A ring (source, OR, nodes of any kind, perhaps with a trigger) with branches that leave it and join again."""
    length = draw(st.integers(1, 5))
    kinds = draw(st.lists(st.sampled_from(["relay", "mix", "held", "every", "sink"]), min_size=0, max_size=8))
    picks = draw(st.lists(st.integers(0, 1000), min_size=40, max_size=40))
    triggered, two_tokens = draw(st.booleans()), draw(st.booleans())
    shuffled = draw(st.permutations(range(length + len(kinds) + 5)))

    def make() -> Made:
        nodes: List[Node] = [Source("start", {"value": 5}), Join("or"), Waiter("w"), Source("still", {"value": 8})]
        wires = ["start.output > or.input_a", "w.following > or.input_b"]
        if two_tokens:
            nodes.append(Source("second", {"value": 6}))
            wires.append("second.output > or.input_c")
        single = ["or.output"]
        previous = "or.output"
        for index in range(length):
            nodes.append(Relay(f"ring{index}", {"plus": index}))
            wires.append(f"{previous} > ring{index}.value")
            previous = f"ring{index}.output"
            single.append(previous)
        wires.append(f"{previous} > w.value")
        single.append("w.report")
        choices = iter(picks)
        pick = lambda options: options[next(choices) % len(options)]  # noqa: E731
        slow: List[str] = []
        for index, kind in enumerate(kinds):
            name = f"n{index}"
            if kind == "relay":
                nodes.append(Relay(name, {"plus": index}))
                wires.append(f"{pick(single)} > {name}.value")
                single.append(f"{name}.output")
            elif kind == "mix":
                nodes.append(Mix(name))
                wires += [f"{pick(single)} > {name}.first", f"{pick(single)} > {name}.second"]
                single.append(f"{name}.output")
            elif kind == "held":
                nodes.append(HeldMix(name))
                wires += [f"{pick(single)} > {name}.value", f"{pick([*single, *slow, 'still.output'])} > {name}.held"]
            elif kind == "every":
                nodes.append(Every(name, {"period": 1 + next(choices) % 4}))
                wires.append(f"{pick([*single, *slow])} > {name}.value")
                slow.append(f"{name}.output")
            else:
                nodes.append(Sink(name))
                wires.append(f"{pick([*single, *slow])} > {name}.value")
        if triggered:
            wires.append(f"{pick(single)} > w.trigger")
        return [nodes[index] for index in shuffled if index < len(nodes)], wires

    return make


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(make=random_graphs(), queue_size=st.sampled_from(QUEUE_SIZES))
def test_on_random_graphs(make, queue_size):
    assert_same(make, queue_size, cycles=25, watch="or")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    make=random_graphs(),
    queue_size=st.sampled_from(QUEUE_SIZES),
    cut=st.integers(1, 20),
    modes=st.tuples(*[st.sampled_from(["static", "queues"])] * 2),
)
def test_a_stop_anywhere_and_a_second_engine_go_on_alike(make, queue_size, cut, modes):
    whole = run(make, "queues", queue_size, cycles=25, watch="or")
    assume(not whole.deadlock)  # type: ignore[attr-defined]
    first = run(make, modes[0], queue_size, cycles=cut, watch="or")
    resumed = continued(first, make, modes[1], queue_size)
    assert first.trace + resumed.trace == whole.trace
    assert all_stops(first, resumed) == whole.stops  # type: ignore[attr-defined]
    assert left_over(resumed) == left_over(whole)


def crowded() -> Made:
    """Two values go round, and a branch waits for them with a queue that holds one: a writer always waits for room."""
    nodes = [Source("a", {"value": 1}), Source("b", {"value": 2}), Join("or"), Mix("m"), Sink("k")]
    nodes += [Relay(f"r{index}", {"plus": index}) for index in range(3)]
    return nodes, [
        "a.output > or.input_a", "b.output > or.input_b", "r2.output > or.input_c", "or.output > m.first",
        "or.output > r0.value", "r0.output > r1.value", "r1.output > r2.value", "r1.output > m.second",
        "m.output > k.value",
    ]  # fmt: skip


@pytest.mark.parametrize("first_mode", ["static", "queues"])
@pytest.mark.parametrize("second_mode", ["static", "queues"])
def test_values_that_wait_for_room_at_the_stop_are_not_lost(first_mode, second_mode):
    whole = run(crowded, "queues", 1, cycles=25, watch="or")
    waiting = 0
    for cut in range(1, 20):
        first = run(crowded, first_mode, 1, cycles=cut, watch="or")
        waiting += sum(len(outbox) for outbox in left_over(first)[2])
        resumed = continued(first, crowded, second_mode, 1)
        assert first.trace + resumed.trace == whole.trace
        assert all_stops(first, resumed) == whole.stops  # type: ignore[attr-defined]
        assert left_over(resumed) == left_over(whole)
    assert waiting > 0, "this test is about values in outboxes"


def continued(first: Bench, make: Callable[[], Made], scheduler: str, queue_size: int) -> Bench:
    """What a resume does: a new machine with the old one's values, and nodes with the old ones' state."""
    nodes, wires = make()
    bench = Bench(nodes, *wires, scheduler=scheduler, queue_size=queue_size)
    bench.context.resumed = True
    for new, old in zip(nodes, first.nodes):
        fresh = {name: value for name, value in vars(old).items() if name in ("count", "sum", "held")}
        vars(new).update(fresh)
    machine, saved = bench.engine.machine, first.engine.machine
    for mine, theirs in zip(machine.queues, saved.queues):
        mine.items.extend(theirs.items)
    for mine, theirs in zip(machine.slots, saved.slots):
        mine.value, mine.written = theirs.value, theirs.written
    for mine, theirs in zip(machine.units, saved.units):
        mine.triggers, mine.firings, mine.releases, mine.due = (
            theirs.triggers,
            theirs.firings,
            theirs.releases,
            theirs.due,
        )
        mine.outbox = [(machine.queues[saved.queues.index(queue)], value) for queue, value in theirs.outbox]
    machine.restore_ready([machine.by_id[node_id].index for node_id in first.engine.ready_order])
    stop_after(bench, 25, "or")
    bench.run()
    return bench
