"""Several ranks on parts of a rollout do what one rank does on the whole."""

import copy
import math
from dataclasses import replace

import pytest
import torch

from runtime.rl.actor_critic import ActorCritic
from runtime.rl.checks import NonFiniteError
from runtime.rl.metrics import explained_variance
from runtime.rl.minibatches import surrogate_weights
from runtime.rl.moments import Moments, joint_moments, moments_of
from runtime.rl.normalization import RunningMeanStd
from runtime.rl.ppo import PPO
from runtime.rl.rollout import RolloutStorage
from runtime.rl.settings import PPOSettings
from runtime.spaces import Box

T, N, OBS = 8, 4, 4
SETTINGS = PPOSettings(
    horizon_length=T, num_epochs=3, num_minibatches=1, learning_rate_schedule="adaptive", entropy_coef=0.01,
    max_grad_norm=0.5, learning_rate=1e-3,
)  # fmt: skip


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def new_model(**options):
    return ActorCritic((OBS,), Box((2,)), generator=generator(), hidden_sizes=(16, 16), **options)


def new_rollout(model, num_envs):
    storage, source = RolloutStorage(T, num_envs, (OBS,), Box((2,))), generator(1)
    while not storage.full:
        observations = torch.randn(num_envs, OBS, generator=source) * 3 + 1
        ended = torch.rand(2, num_envs, generator=source) < 0.1
        rewards = torch.randn(num_envs, generator=source)
        output = model.act(observations, source)
        storage.add(observations, output, rewards, ended[0], ended[1], torch.randn(num_envs, OBS, generator=source))
    return storage


def share_of(storage, rank, size):
    """The rollout of `size` of its environments."""
    part = RolloutStorage(T, size, (OBS,), Box((2,)))
    state = storage.state_dict()
    mine = slice(rank * size, (rank + 1) * size)
    for name in storage.fields:
        state[name] = state[name][:, mine]
    state["final_last"] = state["final_last"][mine]
    inside = (state["final_cut_index"][1] >= mine.start) & (state["final_cut_index"][1] < mine.stop)
    state["final_cut_index"] = state["final_cut_index"][:, inside] - torch.tensor([[0], [mine.start]])
    state["final_cut"] = state["final_cut"][inside]
    part.load_state_dict(state)
    return part


def updated(settings, communicator=None, world_size=1, **options):
    """Parameters, metrics and state after an update of one rank's share of a fixed rollout."""
    model = new_model(**options)
    storage = new_rollout(model, N * 4)
    arguments = {} if communicator is None else {"communicator": communicator}
    if communicator is not None:
        storage = share_of(storage, communicator.rank, N * 4 // world_size)
    ppo = PPO(model, settings, generator(2), **arguments)
    metrics = ppo.update(storage)
    return {name: value.clone() for name, value in model.state_dict().items()}, metrics, ppo


def relative_difference(first, second):
    gradient = second._flat.gradient
    return float((first._flat.gradient - gradient).abs().max() / gradient.abs().max())


@pytest.mark.parametrize("world_size", [2, 4])
@pytest.mark.parametrize("normalized", [False, True])
def test_ranks_with_parts_take_the_step_of_one_with_the_whole(ranks, world_size, normalized):
    options = {"normalize_observations": normalized, "normalize_values": normalized}
    expected, metrics, _ = updated(SETTINGS, **options)
    found = ranks(world_size, lambda communicator: updated(SETTINGS, communicator, world_size, **options))
    for state, _, _ in found:
        for name, value in state.items():
            assert torch.allclose(value, expected[name], atol=1e-6, rtol=1e-5), name
            assert torch.equal(value, found[0][0][name]), f"{name} has other bits on another rank"
    for name in ("train/explained_variance", "train/gradient_norm", "train/learning_rate"):
        assert found[0][1][name] == pytest.approx(metrics[name], rel=1e-5)
    for name in ("train/value_loss", "train/approx_kl", "rollout/mean_return", "train/clip_fraction"):
        assert sum(part[1][name] for part in found) / world_size == pytest.approx(metrics[name], rel=1e-4, abs=1e-7)


def test_the_averaged_gradient_is_that_of_the_joined_batch(ranks):
    settings = replace(SETTINGS, num_epochs=1, max_grad_norm=0.0, learning_rate=0.0, learning_rate_schedule="fixed")
    _, _, whole = updated(settings)
    for _, _, part in ranks(2, lambda communicator: updated(settings, communicator, 2)):
        assert relative_difference(part, whole) < 1e-6


def test_without_the_exchange_ranks_would_part(ranks):
    first, second = ranks(2, lambda each: updated(SETTINGS, each, 2)[0]), []
    for rank in range(2):
        model = new_model()
        PPO(model, SETTINGS, generator(2)).update(share_of(new_rollout(model, N * 4), rank, N * 2))
        second.append(model.state_dict())
    assert torch.equal(first[0]["log_std"], first[1]["log_std"])
    assert not torch.equal(second[0]["log_std"], second[1]["log_std"])


def test_all_ranks_stop_at_the_same_epoch(ranks):
    """Each rank's own divergence would end the epochs at different times."""
    settings = replace(SETTINGS, num_epochs=20, target_kl=0.004, learning_rate=3e-3, learning_rate_schedule="fixed")
    found = ranks(2, lambda communicator: updated(settings, communicator, 2)[2])
    steps = [float(ppo._adam.step_count) for ppo in found]
    assert steps[0] == steps[1] < 20
    assert steps[0] == float(updated(settings)[2]._adam.step_count)


def test_a_gradient_that_is_not_finite_ends_the_update_on_all_ranks(ranks):
    reasons = {}

    def update(communicator):
        model = new_model()
        storage = share_of(new_rollout(model, N * 4), communicator.rank, N * 2)
        if communicator.rank == 1:
            storage.values.fill_(3e38)
        with pytest.raises(NonFiniteError) as caught:
            PPO(model, SETTINGS, generator(2), communicator=communicator).update(storage)
        reasons[communicator.rank] = str(caught.value)

    ranks(2, update)
    assert "of another process" in reasons[0]
    assert "of another process" not in reasons[1]


def test_advantages_are_normalised_over_all_ranks(ranks):
    advantages = torch.randn(3, 8, generator=generator()) * 5 + 2
    whole = surrogate_weights(advantages, True)
    parts = ranks(2, lambda each: surrogate_weights(advantages.chunk(2, 1)[each.rank], True, each))
    assert torch.allclose(torch.cat(parts, 1) / 2, whole, atol=1e-7)
    assert (
        ranks(2, lambda each: surrogate_weights(advantages[:, :1], False, each))[0].tolist()
        == (-advantages[:, :1]).tolist()
    )


def test_moments_of_all_ranks_are_those_of_all_rows(ranks):
    rows = torch.randn(12, 3, generator=generator(), dtype=torch.float64) * 4 + 100
    expected = moments_of(rows)
    sizes = [slice(0, 2), slice(2, 3), slice(3, 12)]
    for found in ranks(3, lambda each: joint_moments(moments_of(rows[sizes[each.rank]]), each)):
        assert found.rows == 12
        assert torch.allclose(found.mean, expected.mean, atol=1e-12)
        assert torch.allclose(found.var, expected.var, atol=1e-12)


def test_merging_an_empty_batch_changes_nothing():
    full = Moments(torch.tensor(2.0).double(), torch.tensor([1.0]).double(), torch.tensor([0.5]).double())
    empty = Moments(torch.tensor(0.0).double(), torch.tensor([9.0]).double(), torch.tensor([9.0]).double())
    assert full.merged(empty) == full


def test_running_statistics_of_all_ranks(ranks):
    batches = [torch.randn(6, 2, generator=generator(seed)) for seed in range(4)]
    whole = RunningMeanStd((2,))
    for first, second in (batches[:2], batches[2:]):
        whole.update(torch.cat((first, second)))

    def update(communicator):
        own = RunningMeanStd((2,))
        for index in (0, 2):
            own.update(batches[index + communicator.rank], communicator)
        return own

    for own in ranks(2, update):
        for name, value in whole.state_dict().items():
            assert torch.allclose(own.state_dict()[name], value, atol=1e-12)


def test_explained_variance_is_not_the_mean_of_the_ranks(ranks):
    values, returns = torch.randn(2, 4, 6, generator=generator())
    returns[:, 3:] += 10
    expected = float(explained_variance(values, returns))
    shares = [(values[:, :3], returns[:, :3]), (values[:, 3:], returns[:, 3:])]
    found = ranks(2, lambda each: float(explained_variance(*shares[each.rank], each)))
    assert found == [pytest.approx(expected, abs=1e-6)] * 2
    assert abs(sum(float(explained_variance(*share)) for share in shares) / 2 - expected) > 0.1


@pytest.mark.parametrize("amp", ["off", "bf16"])
@pytest.mark.parametrize("parts", [2, 4, 16])
def test_accumulated_gradients_are_those_of_the_whole_minibatch(amp, parts):
    settings = replace(SETTINGS, num_epochs=1, max_grad_norm=0.0, learning_rate=0.0, amp=amp, entropy_coef=0.05)
    settings = replace(settings, learning_rate_schedule="fixed", bounds_coef=0.1, bounds_limit=0.01)
    whole, accumulated = updated(settings)[2], updated(replace(settings, gradient_accumulation=parts))[2]
    assert relative_difference(accumulated, whole) < (1e-6 if amp == "off" else 2e-2)


def test_accumulation_works_with_several_ranks_and_traces(ranks):
    expected, metrics, _ = updated(SETTINGS)
    settings = replace(SETTINGS, gradient_accumulation=4)
    for state, found, _ in ranks(2, lambda each: updated(settings, each, 2)):
        assert all(torch.allclose(value, expected[name], atol=1e-6) for name, value in state.items())
        assert math.isclose(found["train/learning_rate"], metrics["train/learning_rate"])


def test_a_rank_that_skips_a_step_in_half_precision_makes_all_skip_it(ranks):
    settings = replace(SETTINGS, amp="fp16", num_epochs=1, learning_rate_schedule="fixed")

    def step(communicator):
        model = new_model()
        ppo = PPO(model, settings, generator(2), communicator=communicator)
        before = copy.deepcopy(dict(model.state_dict()))
        ppo._scaler.scale(torch.ones(()))
        ppo._flat.gradient.fill_(math.inf if communicator.rank == 1 else 1.0)
        communicator.all_reduce_mean(ppo._flat.gradient)
        scale = ppo._scaler.get_scale()
        ppo._step()
        same = all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        return same, ppo._scaler.get_scale() < scale

    assert ranks(2, step) == [(True, True)] * 2
