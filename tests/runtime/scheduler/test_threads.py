"""A run leaves nothing behind: no thread, no task, no changed setting of torch; and it may live in any thread."""

import asyncio
import gc
import threading
import warnings

import pytest
import torch

from runtime.context import RunContext
from runtime.errors import NodeFailure
from tests.runtime.scheduler.fakes import AsyncRelay, Bench, Broken, Relay, Sink, Source, Ticker
from tests.runtime.scheduler.test_firing_rules import reference

BOTH = pytest.mark.parametrize("scheduler", ["static", "queues"])


def dynamic_bench(**options) -> Bench:
    return Bench(
        [Ticker("t", {"last": 5}), AsyncRelay("r"), Sink("k")], "t.output > r.value", "r.output > k.value", **options
    )


@BOTH
def test_in_a_worker_thread_with_the_same_values(scheduler):
    def run() -> Bench:
        nodes, wires = reference()
        bench = Bench(nodes, *wires, scheduler=scheduler)
        bench.engine._at_safe_point = lambda: "enough" if len(bench.values("6")) == 50 else None
        bench.run()
        return bench

    here, there = run(), []
    thread = threading.Thread(target=lambda: there.append(run()))
    thread.start()
    thread.join()
    assert there[0].trace == here.trace


def test_timers_and_asynchronous_nodes_in_a_worker_thread():
    benches = []

    def run():
        bench = dynamic_bench()
        bench.run()
        benches.append(bench)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert benches[0].values("t") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("fails", [False, True])
def test_no_thread_and_no_task_is_left(fails):
    before = threading.enumerate()
    left = []

    async def run():
        bench = (
            dynamic_bench()
            if not fails
            else Bench(
                [Ticker("t"), AsyncRelay("r"), Broken("b", {"at": 2})], "t.output > r.value", "t.output > b.value"
            )
        )
        bench.engine.prepare()
        try:
            await bench.engine.run_async()
        except NodeFailure:
            assert fails
        left.extend(asyncio.all_tasks() - {asyncio.current_task()})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(run())
        gc.collect()
    assert left == []
    assert threading.enumerate() == before


@BOTH
def test_the_number_of_torch_threads_and_the_gradient_mode_are_set_and_put_back(scheduler):
    seen = []

    def compute(value):
        seen.append((torch.get_num_threads(), torch.is_grad_enabled()))
        return {"output": value}

    for inference in (False, True):
        for fails in (False, True):
            node = Relay("r")
            node.compute = compute
            bench = Bench(
                [Source("a"), node, Broken("b", {"at": 0 if fails else 1})], "a.output > r.value", "r.output > b.value",
                scheduler=scheduler, context=RunContext(inference=inference, num_threads=2),
            )  # fmt: skip
            if fails:
                with pytest.raises(NodeFailure):
                    bench.run()
            else:
                bench.run()
            assert torch.get_num_threads() == 1
            assert torch.is_grad_enabled()
    assert seen == [(2, True), (2, True), (2, False), (2, False)]
