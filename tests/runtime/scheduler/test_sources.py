"""Sources, timers and asynchronous nodes."""

import asyncio
import threading
import time
from typing import Any, Dict

import pytest

from runtime.errors import NodeFailure
from runtime.ports import ANY, In, Out
from runtime.scheduler.static_schedule import NotStatic
from tests.runtime.scheduler.fakes import AsyncRelay, Bench, Fake, Join, Relay, Sink, Source, Ticker


def test_a_source_fires_once():
    for scheduler in ("static", "queues"):
        bench = Bench([Source("a", {"value": 3}), Sink("k")], "a.output > k.value", scheduler=scheduler)
        assert bench.run() == "completed"
        assert bench.values("a") == [3]


def test_a_source_with_an_interval_fires_by_the_clock_until_the_run_ends():
    bench = Bench([Ticker("t", {"last": 4, "seconds": 0.01}), Sink("k")], "t.output > k.value")
    started = time.perf_counter()
    assert bench.run() == "4 ticks"
    assert time.perf_counter() - started >= 0.03
    assert bench.values("t") == [1, 2, 3, 4]
    assert bench.values("k")[:3] == [1, 2, 3]


def test_an_interval_and_an_asynchronous_node_are_run_by_queues():
    for nodes, wire, reason in (
        ([Ticker("t"), Sink("k")], "t.output > k.value", "t (Ticker) fires by the clock"),
        ([Source("a"), AsyncRelay("r")], "a.output > r.value", "r (Async Relay) is asynchronous"),
    ):
        bench = Bench(nodes, wire)
        bench.engine.prepare()
        assert bench.engine.schedule is None
        assert bench.engine.schedule_reason == f"queues, because node {reason}"
        with pytest.raises(NotStatic, match="node"):
            Bench(nodes, wire, scheduler="static").engine.prepare()


def test_an_asynchronous_node_passes_everything_on_in_order():
    bench = Bench(
        [Ticker("t", {"last": 6, "seconds": 0.0}), AsyncRelay("r", {"seconds": 0.002}), Sink("k", {"last": 5})],
        "t.output > r.value", "r.output > k.value",
    )  # fmt: skip
    bench.run()
    values = bench.values("k")
    assert values == bench.values("t")[: len(values)]


def test_asynchronous_nodes_wait_side_by_side():
    waiting = []

    class Meets(AsyncRelay):
        """Waits until all five are there."""

        async def compute(self, value: Any) -> Dict[str, Any]:  # type: ignore[override]
            waiting.append(self.id)
            while len(waiting) < 5:
                await asyncio.sleep(0.001)
            return {"output": self.note(value)}

    nodes = [Source("a"), *(Meets(f"r{index}") for index in range(5))]
    bench = Bench(nodes, *(f"a.output > r{index}.value" for index in range(5)))
    assert bench.run() == "completed"
    assert len(waiting) == 5


def test_other_nodes_fire_while_one_waits():
    nodes = [Source("a"), Join("j"), Relay("r", {"plus": 1}), AsyncRelay("slow", {"seconds": 0.05}), Sink("k")]
    bench = Bench(
        nodes, "a.output > j.input_a", "r.output > j.input_b", "j.output > r.value", "a.output > slow.value",
        "slow.output > k.value",
    )  # fmt: skip
    bench.engine._at_safe_point = lambda: "slow is done" if bench.values("k") else None
    assert bench.run() == "slow is done"
    assert len(bench.values("r")) > 50


def test_an_asynchronous_node_that_raises_ends_the_run_with_its_name():
    class Fails(Fake):
        """Raises after a while."""

        title = "Fails"
        value = In(ANY, "Any number")

        async def compute(self, value: Any) -> None:  # type: ignore[override]
            await asyncio.sleep(0.001)
            raise RuntimeError("no such server")

    bench = Bench(
        [Source("a"), Fails("f"), AsyncRelay("slow", {"seconds": 30.0})], "a.output > f.value", "a.output > slow.value"
    )
    started = time.perf_counter()
    with pytest.raises(NodeFailure, match=r"node f \(Fails\): RuntimeError: no such server") as caught:
        bench.run()
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert time.perf_counter() - started < 5.0, "the node that still waits is cancelled"


def test_a_stop_lets_asynchronous_firings_end_so_that_no_value_is_lost():
    bench = Bench(
        [Source("a", {"value": 7}), AsyncRelay("r", {"seconds": 0.15}), Sink("k")],
        "a.output > r.value",
        "r.output > k.value",
    )
    threading.Timer(0.05, bench.control.stop, ["by hand"]).start()
    assert bench.run() == "by hand"
    assert bench.values("r") == [7]
    assert [list(queue.items) for queue in bench.engine.machine.queues] == [[], [7]], "it waits for the consumer"
    assert not bench.engine.is_computing


def test_asynchronous_release():
    class SlowWaiter(Fake):
        """Releases after a while."""

        title = "Slow Waiter"
        value = In(ANY, "Any number")
        trigger = In(ANY, "Releases", kind="trigger")
        output = Out(ANY, "The number", on_release=True)

        def compute(self, value: Any) -> Dict[str, Any]:
            self.kept = value
            return {}

        async def release(self) -> Dict[str, Any]:  # type: ignore[override]
            await asyncio.sleep(0.001)
            return {"output": self.note(self.kept)}

    bench = Bench(
        [Source("a", {"value": 8}), SlowWaiter("w"), Sink("k"), Source("go")],
        "a.output > w.value", "go.output > w.trigger", "w.output > k.value",
    )  # fmt: skip
    assert bench.run() == "completed"
    assert bench.values("k") == [8]


def test_runs_inside_a_loop_of_the_host_too():
    bench = Bench([Source("a", {"value": 3}), Sink("k")], "a.output > k.value")
    bench.engine.prepare()
    assert asyncio.run(bench.engine.run_async()) == "completed"
    assert bench.values("k") == [3]
