"""A full queue makes the writer wait; nothing is lost and no queue grows beyond its size."""

import asyncio
from typing import Any, Dict, List

import pytest

from runtime.ports import ANY, In, Out
from runtime.scheduler.machine import Machine
from tests.runtime.scheduler.fakes import AsyncRelay, Bench, Fake, Join, Relay, Sink, Source, Split, Ticker, graph_of


class Pump(Fake):
    """Runs by itself as fast as it may, through a wire back to its own input."""

    title = "Pump"
    fires_on = "any"
    back = In(ANY, "Its own count", optional=True)
    start = In(ANY, "Starts it", optional=True)
    again = Out(ANY, "Its own count")
    output = Out(ANY, "1, 2, 3, …")

    def compute(self, **inputs: Any) -> Dict[str, Any]:
        (value,) = inputs.values()
        return {"again": value + 1, "output": self.note(value + 1)}


def pump_into_slow_consumer(queue_size: int, depths: List[int]) -> Bench:
    nodes = [Ticker("t", {"last": 1, "seconds": 0.0}), Pump("p"), AsyncRelay("slow", {"seconds": 0.002}), Sink("k")]
    nodes[0].setup = lambda: setattr(nodes[0], "count", -10_000)  # type: ignore[method-assign]
    nodes[0].interval = lambda: None  # type: ignore[method-assign]
    bench = Bench(
        nodes, "t.output > p.start", "p.again > p.back", "p.output > slow.value", "slow.output > k.value",
        scheduler="queues", queue_size=queue_size,
    )  # fmt: skip
    queue = bench.engine.machine.by_id["slow"].streams[0]
    unhooked = bench.engine.machine.deliver

    def deliver(unit, outputs):
        unhooked(unit, outputs)
        depths.append(len(queue.items))
        if len(bench.values("k")) >= 20:
            bench.context.request_stop("enough")

    bench.engine.machine.deliver = deliver  # type: ignore[method-assign]
    return bench


@pytest.mark.parametrize("queue_size", [1, 2, 8])
def test_a_slow_consumer_makes_the_writer_wait(queue_size):
    depths: List[int] = []
    bench = pump_into_slow_consumer(queue_size, depths)
    bench.run()
    assert max(depths) == queue_size, "the queue fills up, and no further"
    taken = len(bench.values("slow"))
    assert len(bench.values("p")) <= taken + queue_size + 1, "one value in the writer's hands"
    values = bench.values("k")
    assert values == list(range(values[0], values[0] + len(values))), "in order, none lost"


@pytest.mark.parametrize("queue_size", [1, 2, 8])
def test_an_asynchronous_node_does_one_firing_at_a_time_also_where_writers_wait_for_its_room(queue_size):
    nodes = [Source("a"), Pump("p"), Overlap("slow"), Sink("k", {"last": 20})]
    bench = Bench(
        nodes, "a.output > p.start", "p.again > p.back", "p.output > slow.value", "slow.output > k.value",
        scheduler="queues", queue_size=queue_size,
    )  # fmt: skip
    bench.run()
    assert nodes[2].most_at_once == 1  # type: ignore[attr-defined]
    assert bench.values("slow") == list(range(1, len(bench.values("slow")) + 1)), "in order, none lost"


class Overlap(AsyncRelay):
    """Waits the less, the later it fires, so that firings that overlapped would end in another order."""

    title = "Overlap"
    at_once = most_at_once = 0

    async def compute(self, value: Any) -> Dict[str, Any]:  # type: ignore[override]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.02 / (1 + value))
        self.at_once -= 1
        return {"output": self.note(value)}


def test_a_node_whose_values_wait_for_room_does_not_fire_when_it_made_room_for_its_own_writer():
    graph = graph_of([Relay("a"), Relay("b"), Sink("c")], "a.output > b.value", "b.output > c.value")
    machine = Machine(list(graph.nodes.values()), graph.links, 1)
    writer, middle, _ = machine.units
    machine.ready.clear()
    for value in (1, 2):
        machine.deliver(writer, {"output": value})
    machine.deliver(middle, {"output": 0})
    machine.begin(machine.next_action())
    assert [value for _, value in writer.outbox] == [], "the room was taken by the value that waited"
    machine.deliver(middle, {"output": 1})
    assert [value for _, value in middle.outbox] == [1]
    assert middle not in machine.ready, "a full queue makes the writer wait"


@pytest.mark.parametrize("queue_size", [1, 2, 8])
def test_no_queue_exceeds_its_size_in_a_machine_run_with_tokens(queue_size):
    graph = graph_of(
        [Join("j"), Relay("r"), Sink("slow"), Split("s"), Relay("e")],
        "j.output > r.value", "r.output > j.input_b", "j.output > s.left", "s.left_output > slow.value",
        "r.output > s.right", "s.right_output > e.value",
    )  # fmt: skip
    machine = Machine(list(graph.nodes.values()), graph.links, queue_size)
    join, slow = machine.by_id["j"], machine.by_id["slow"]
    machine.deliver(machine.by_id["r"], {"output": 0})
    machine.by_id["r"].firings += 1
    for _ in range(200):
        actions = [unit for unit in machine.ready if unit is not slow]
        if not actions:
            break
        action = machine.next_action()
        if action.unit is slow:
            machine.ready.append(action.unit)
            action.unit.in_ready = True
            continue
        inputs = machine.begin(action)
        outputs = action.unit.node.compute(**inputs)
        machine.deliver(action.unit, outputs or {})
        assert all(len(queue.items) <= queue_size for queue in machine.queues)
    assert join.outbox or machine.by_id["s"].outbox, "the writers wait"
    assert len(slow.streams[0].items) == queue_size


def test_a_value_that_waits_outside_a_full_queue_goes_in_when_there_is_room():
    graph = graph_of([Relay("a"), Sink("b"), Sink("c")], "a.output > b.value", "a.output > c.value")
    machine = Machine(list(graph.nodes.values()), graph.links, 1)
    writer, first, second = machine.units
    machine.deliver(writer, {"output": 1})
    machine.deliver(writer, {"output": 2})
    assert [(queue.target, value) for queue, value in writer.outbox] == [(first, 2), (second, 2)]
    assert machine.begin(first.fire) == {"value": 1}
    assert [(queue.target, value) for queue, value in writer.outbox] == [(second, 2)]
    assert not machine.is_ready(writer), "the writer still waits for the second"
    assert machine.begin(second.fire) == {"value": 1}
    assert not writer.outbox
    assert [machine.begin(unit.fire) for unit in (first, second)] == [{"value": 2}, {"value": 2}]


def test_settle_moves_what_is_too_much_outside_and_back_in_the_right_order():
    graph = graph_of([Relay("a"), Sink("b"), Sink("c")], "a.output > b.value", "a.output > c.value")
    machine = Machine(list(graph.nodes.values()), graph.links, 2)
    queues = machine.queues
    queues[0].items.extend([1, 2, 3, 4])
    queues[1].items.extend([1, 2, 3])
    machine.units[0].outbox = [(queues[1], 4)]
    machine.settle()
    assert [list(queue.items) for queue in queues] == [[1, 2], [1, 2]]
    assert machine.units[0].outbox == [(queues[0], 3), (queues[0], 4), (queues[1], 3), (queues[1], 4)]
    machine.empty_outboxes()
    assert [list(queue.items) for queue in queues] == [[1, 2, 3, 4], [1, 2, 3, 4]]
    assert machine.units[0].outbox == []
