import pytest
import torch

from runtime.errors import ParameterError
from runtime.rl.actor_critic import ActorCritic
from runtime.rl.freezing import Frozen
from runtime.rl.ppo import PPO
from runtime.rl.rollout import RolloutStorage
from runtime.rl.settings import PPOSettings
from runtime.spaces import Box

ENVS, STEPS = 4, 8


def _model(**options):
    generator = torch.Generator().manual_seed(0)
    return ActorCritic((3,), Box((2,)), generator=generator, hidden_sizes=[8], **options)


def _rollout(model, seed):
    generator = torch.Generator().manual_seed(seed)
    storage = RolloutStorage(STEPS, ENVS, (3,), model.action_space)
    for _ in range(STEPS):
        observations = torch.randn(ENVS, 3, generator=generator)
        output = model.act(observations, generator)
        rewards, ended = torch.randn(ENVS, generator=generator), torch.zeros(ENVS, dtype=torch.bool)
        storage.add(observations, output, rewards, ended, ended, torch.randn(ENVS, 3, generator=generator))
    return storage


def _trained(parts, updates=3, **options):
    """Names of the state's entries that changed, bit by bit."""
    model = _model(normalize_observations=True, normalize_values=True, **options)
    ppo = PPO(model, PPOSettings(horizon_length=STEPS, num_epochs=2), torch.Generator().manual_seed(1))
    if parts:
        ppo.freeze(parts)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for seed in range(updates):
        ppo.update(_rollout(model, seed))
    return {name for name, value in model.state_dict().items() if not torch.equal(before[name], value)}


def _all_of(names, *beginnings):
    return {name for name in names if name.startswith(beginnings)}


def test_without_freezing_everything_moves():
    moved = _trained(())
    assert moved == set(_model(normalize_observations=True, normalize_values=True).state_dict())


@pytest.mark.parametrize(
    ("parts", "still"),
    [
        (["actor"], ("actor.", "policy_head.", "log_std", "observation_normalizer.")),
        (["critic"], ("critic.", "value_head.", "value_normalizer.", "observation_normalizer.")),
        (["trunk"], ("actor.", "critic.", "observation_normalizer.")),
    ],
)
@pytest.mark.parametrize("fused", [True, False])
def test_what_is_frozen_keeps_its_bits_and_all_else_moves(parts, still, fused, monkeypatch):
    if not fused:
        monkeypatch.setattr("runtime.rl.adam._fused_kernel_works", lambda device: False)
    everything, moved = _trained(()), _trained(parts)
    assert moved == everything - _all_of(everything, *still)


def test_a_shared_trunk_is_frozen_below_both_heads():
    everything, moved = _trained((), shared_trunk=True), _trained(["trunk"], shared_trunk=True)
    assert moved == everything - _all_of(everything, "actor.", "observation_normalizer.")
    with pytest.raises(ParameterError, match="critic: it shares its trunk with the policy"):
        Frozen(_model(shared_trunk=True), ["critic"])


def test_moments_of_an_earlier_training_do_not_move_what_is_frozen():
    model = _model()
    settings = PPOSettings(horizon_length=STEPS, num_epochs=2)
    first = PPO(model, settings, torch.Generator().manual_seed(1))
    first.update(_rollout(model, 0))
    second = PPO(model, settings, torch.Generator().manual_seed(2))
    second.freeze(["actor"])
    second.load_state_dict(first.state_dict())
    before = model.policy_head.weight.clone()
    second.update(_rollout(model, 1))
    assert torch.equal(model.policy_head.weight, before)


def test_the_share_is_told_and_unknown_parts_are_refused():
    model = _model()
    text = Frozen(model, ["actor"]).text
    assert text == "frozen: 52 of 93 parameters (55.9 %)"  # 3·8+8 + 8·2+2 + 2 of that and 3·8+8 + 8+1
    with pytest.raises(ParameterError, match="'actr' cannot be frozen; expected actor, critic, trunk; did you mean"):
        Frozen(model, ["actr"])
