"""What is exchanged once per iteration, fingerprints, and merged metrics."""

import math

import pytest
import torch

from runtime.context import RunContext
from runtime.distributed.failures import raise_first
from runtime.distributed.fingerprint import fingerprint
from runtime.distributed.iteration_exchange import IterationExchange, MetricSource
from runtime.distributed.metrics import mean_metrics, merged_episode_metrics
from runtime.errors import DistributedError, DnneError


def exchange(communicator, **options):
    given = {"stop": None, "interrupted": False, "save": False, "prints": {"3": 7}, **options}
    context = RunContext(rank=communicator.rank, world_size=communicator.world_size, communicator=communicator)
    context.exchange = IterationExchange(
        communicator, context, lambda: given["stop"], lambda: given["interrupted"], lambda: given["save"],
        lambda: given["prints"],
    )  # fmt: skip
    return context


def test_metrics_of_all_ranks_become_one(ranks):
    def iterate(communicator):
        context = exchange(communicator)
        episodes = {"episode/mean_reward": 10.0 * communicator.rank, "episode/count": 1.0 + 2 * communicator.rank}
        merge = lambda parts: merged_episode_metrics(parts, window=64)  # noqa: E731
        context.exchange.sources.append(MetricSource(lambda: episodes, merge))
        context.count_steps(4)
        return context.finish_iteration({"train/loss": float(communicator.rank)}), context.progress.environment_steps

    (first, steps), (second, _) = ranks(2, iterate)
    assert steps == 8
    assert {**first, "time/elapsed_seconds": 0, "time/steps_per_second": 0} == {
        "train/loss": 0.5, "episode/mean_reward": 7.5, "episode/count": 4.0, "time/elapsed_seconds": 0,
        "time/steps_per_second": 0,
    }  # fmt: skip
    assert first.keys() == second.keys()


@pytest.mark.parametrize(
    ("wishes", "agreed"),
    [
        ([None, None], None),
        ([None, "stopped by SIGTERM"], "stopped by SIGTERM (rank 1)"),
        (["time-out after 1m", "time-out after 1m"], "time-out after 1m"),
        (["a", "b"], "a (rank 0)"),
    ],
)
def test_a_wish_of_one_rank_stops_all(ranks, wishes, agreed):
    def iterate(communicator):
        context = exchange(communicator, stop=wishes[communicator.rank])
        context.request_stop("a node's request waits for the exchange")
        assert context.stop_now is None
        context.finish_iteration({})
        return context.exchange.stop_reason

    assert ranks(2, iterate) == [agreed, agreed]


def test_only_rank_zero_decides_when_to_save(ranks):
    def iterate(communicator, saving):
        context = exchange(communicator, save=communicator.rank == saving, interrupted=communicator.rank == 1)
        context.finish_iteration({})
        return context.exchange.save_wanted, context.exchange.interrupted

    assert ranks(2, lambda each: iterate(each, 0)) == [(True, True)] * 2
    assert ranks(2, lambda each: iterate(each, 1)) == [(False, True)] * 2


def test_ranks_that_part_are_an_error_on_all(ranks):
    def iterate(communicator):
        context = exchange(communicator, prints={"3": 7, "6": 5 + (communicator.rank == 2)})
        with pytest.raises(DistributedError, match="node 6: its trained state on rank 2 .* after iteration 1"):
            context.finish_iteration({})
        return True

    assert ranks(3, iterate) == [True] * 3


def test_the_first_error_is_raised_on_all_ranks(ranks):
    def check(communicator):
        raise_first(communicator, None)
        with pytest.raises(DnneError) as caught:
            raise_first(communicator, DnneError("no file") if communicator.rank == 1 else None)
        return str(caught.value)

    assert ranks(2, check) == ["rank 1: no file"] * 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool])
def test_a_fingerprint_sees_one_bit(dtype):
    state = {"w": torch.ones(3, 4).to(dtype), "more": [torch.zeros(2), 1.5]}
    same = {"w": torch.ones(4, 3).t().to(dtype), "more": [torch.zeros(2), 1.5]}
    assert fingerprint(state) == fingerprint(same)
    state["w"][1, 2] = 0
    assert fingerprint(state) != fingerprint(same)


def test_a_fingerprint_sees_the_smallest_step_swapped_tensors_and_numbers():
    one, next_one = torch.ones(2), torch.ones(2)
    next_one[1] = torch.nextafter(next_one[1], torch.tensor(2.0))
    assert fingerprint([one]) != fingerprint([next_one])
    assert fingerprint([one, next_one]) != fingerprint([next_one, one])
    assert fingerprint({"learning_rate": 1e-3}) != fingerprint({"learning_rate": 1e-3 + 1e-18})
    assert fingerprint({}) != fingerprint({"a": None})
    assert fingerprint([torch.tensor(-0.0)]) != fingerprint([torch.tensor(0.0)])


def test_means_leave_equal_values_alone_and_skip_missing_ones():
    assert mean_metrics([{"a": 0.1}, {"a": 0.1}, {"a": 0.1}]) == {"a": 0.1}
    assert mean_metrics([{"a": 1.0}, {"a": 3.0, "b": 4.0}]) == {"a": 2.0, "b": 4.0}
    assert math.isnan(mean_metrics([{"a": math.nan}, {"a": 1.0}])["a"])


def test_episodes_count_as_often_as_they_are_averaged_over():
    parts = [
        {"episode/mean_reward": 1.0, "episode/count": 100.0},
        {"episode/mean_reward": 4.0, "episode/count": 5.0},
        {},
    ]
    merged = merged_episode_metrics(parts, window=10)
    assert merged == {"episode/mean_reward": pytest.approx((10 * 1 + 5 * 4) / 15), "episode/count": 105.0}
    assert merged_episode_metrics([{}, {}], window=10) == {}
