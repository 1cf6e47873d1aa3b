import torch

from runtime.rl import minibatches
from runtime.rl.minibatches import Minibatch, shuffled, surrogate_weights


def batch(size=12):
    rows = torch.arange(float(size))
    observations = rows.unsqueeze(-1)
    return Minibatch(observations, observations, observations, rows, rows, rows)


def test_each_transition_once_in_the_order_of_the_permutation(kit):
    permutation = torch.randperm(12, generator=kit.generator())
    parts = list(shuffled(batch(), 4, permutation, normalize=False))
    assert len(parts) == 3
    assert torch.cat([part.log_probs for part in parts]).tolist() == permutation.tolist()
    for part in parts:
        for tensor in (part.observations, part.actions, part.weights.unsqueeze(-1) * -4):
            assert torch.equal(tensor.flatten(), part.returns)
        assert part.critic_observations is part.observations
        assert part.values is None


def test_large_observations_are_gathered_bit_by_bit_to_the_same_result(kit, monkeypatch):
    permutation = torch.randperm(12, generator=kit.generator())
    whole = list(shuffled(batch(), 4, permutation, normalize=True))
    monkeypatch.setattr(minibatches, "WHOLE_EPOCH_BYTES", 0)
    for first, second in zip(whole, shuffled(batch(), 4, permutation, normalize=True)):
        assert torch.equal(first.observations, second.observations)
        assert torch.equal(first.weights, second.weights)


def test_advantages_are_normalised_within_each_minibatch():
    # rows 0, 2 and 10, 14: mean 1 and 12, sample deviation √2 and 2√2
    result = surrogate_weights(torch.tensor([[0.0, 2.0], [10.0, 14.0]]), normalize=True)
    torch.testing.assert_close(result, torch.tensor([[1.0, -1.0], [1.0, -1.0]]) / 2**0.5 / 2)


def test_a_single_transition_is_not_normalised():
    assert surrogate_weights(torch.tensor([[3.0], [5.0]]), normalize=True).tolist() == [[-3.0], [-5.0]]
