"""r' = clip(r / σ(R)), R ← γR + r, by hand."""

import math

import pytest
import torch

from nodes.rl.reward_normalizer import RewardNormalizerNode
from runtime.simulators.interface import Dones
from tests.nodes.running import numbers, prepare


def dones(*ended):
    flags = torch.tensor(ended)
    return Dones(flags, torch.zeros_like(flags), torch.zeros(len(ended), 1))


def node(inference=False, **values):
    return prepare(RewardNormalizerNode("7", values), inference=inference)


def deviation(values):
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values) + 1e-8)


def test_rewards_are_divided_by_the_deviation_of_all_discounted_sums_so_far():
    normalizer = node(gamma=0.5)
    first = normalizer.compute(numbers(1.0, 3.0), dones(False, True))["normalized"]
    assert first.tolist() == pytest.approx([1.0 / deviation([1.0, 3.0]), 3.0 / deviation([1.0, 3.0])])
    # The sums: 0.5 · 1 + 2 = 2.5 and, in a new episode, 4.
    second = normalizer.compute(numbers(2.0, 4.0), dones(False, False))["normalized"]
    scale = deviation([1.0, 3.0, 2.5, 4.0])
    assert second.tolist() == pytest.approx([2.0 / scale, 4.0 / scale])


def test_the_limit():
    normalizer = node(clip=1.5)
    assert normalizer.compute(numbers(1.0, 3.0), dones(False, False))["normalized"].tolist() == pytest.approx(
        [1.0, 1.5]
    )
    unlimited = node(clip=0.0)
    assert unlimited.compute(numbers(1.0, 3.0), dones(False, False))["normalized"].tolist() == pytest.approx([1.0, 3.0])


def test_in_inference_the_statistics_stand_still():
    trained = node()
    trained.compute(numbers(1.0, 5.0), dones(False, False))
    normalizer = node(inference=True)
    normalizer.load_checkpoint_state(trained.checkpoint_state())
    for _ in range(2):
        assert normalizer.compute(numbers(2.0, 4.0), dones(False, False))["normalized"].tolist() == pytest.approx(
            [1.0, 2.0]
        )


def test_it_goes_on_from_a_saved_state():
    rewards = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    whole, first, second = node(), node(), node()
    expected = [whole.compute(row, dones(False, True, False))["normalized"] for row in rewards]
    for row in rewards[:3]:
        first.compute(row, dones(False, True, False))
    second.load_state_dict(first.state_dict())
    rest = [second.compute(row, dones(False, True, False))["normalized"] for row in rewards[3:]]
    assert torch.equal(torch.stack(rest), torch.stack(expected[3:]))


def test_rewards_stay_as_they_are_until_their_sums_differ():
    normalizer = node(clip=0.0)
    assert normalizer.compute(numbers(1.0, 1.0), dones(False, False))["normalized"].tolist() == [1.0, 1.0]
