"""GAE, losses and a whole update against Stable-Baselines3, an independent implementation of PPO."""

import dataclasses

import pytest
import torch
from torch import nn

sb3 = pytest.importorskip("stable_baselines3")
numpy = pytest.importorskip("numpy")
gymnasium = pytest.importorskip("gymnasium")

from stable_baselines3.common.logger import Logger  # noqa: E402

from runtime.rl.advantages import generalized_advantages  # noqa: E402
from runtime.rl.ppo import PPO  # noqa: E402
from runtime.rl.settings import PPOSettings  # noqa: E402
from runtime.spaces import Box, Discrete, MultiDiscrete  # noqa: E402

STEPS, ENVS = 16, 4
SETTINGS = PPOSettings(
    horizon_length=STEPS, num_epochs=3, num_minibatches=4, entropy_coef=0.01, value_coef=0.5, learning_rate=1e-3
)
LAYERS = {
    "actor.body.layers": "mlp_extractor.policy_net", "critic.body.layers": "mlp_extractor.value_net",
    "policy_head": "action_net", "value_head": "value_net",
}  # fmt: skip
SB3_SPACES = {
    Box((2,)): gymnasium.spaces.Box(-1.0, 1.0, (2,)),
    Discrete(3): gymnasium.spaces.Discrete(3),
    MultiDiscrete((2, 3)): gymnasium.spaces.MultiDiscrete([2, 3]),
}


@pytest.fixture(autouse=True)
def global_generator_untouched():
    """Replaces the fixture of conftest.py: Stable-Baselines3 does draw from the global generator."""
    with torch.random.fork_rng():
        yield


class SilentEnvironments(sb3.common.vec_env.VecEnv):
    """Spaces only; rollouts are written into the buffer by the test."""

    def __init__(self, action_space):
        super().__init__(ENVS, gymnasium.spaces.Box(-numpy.inf, numpy.inf, (4,)), action_space)

    def get_attr(self, attr_name, indices=None):
        return [None] * ENVS

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * ENVS

    reset = step_async = step_wait = close = set_attr = env_method = None


def theirs_like(model, space):
    """Stable-Baselines3's PPO with the same parameters and hyperparameters."""
    other = sb3.PPO(
        "MlpPolicy", SilentEnvironments(SB3_SPACES[space]), n_steps=STEPS, device="cpu",
        batch_size=STEPS * ENVS // SETTINGS.num_minibatches, n_epochs=SETTINGS.num_epochs, gamma=SETTINGS.gamma,
        gae_lambda=SETTINGS.gae_lambda, clip_range=SETTINGS.clip_param, ent_coef=SETTINGS.entropy_coef,
        vf_coef=SETTINGS.value_coef, max_grad_norm=SETTINGS.max_grad_norm, learning_rate=SETTINGS.learning_rate,
        policy_kwargs={"net_arch": {"pi": [8, 8], "vf": [8, 8]}, "activation_fn": nn.ELU},
    )  # fmt: skip
    other.set_logger(Logger(None, []))
    other.policy.load_state_dict(renamed(model))
    return other


def renamed(model):
    """Our parameters under their names; their Sequential counts activations, too."""
    state = {}
    for name, parameter in model.named_parameters():
        for ours, theirs in LAYERS.items():
            if name.startswith(ours):
                rest = name[len(ours) + 1 :].split(".")
                rest[0] = str(2 * int(rest[0])) if rest[0].isdigit() else rest[0]
                name = ".".join([theirs, *rest])
        state[name] = parameter.detach()
    return state


def fill_buffer(other, storage, next_values):
    """Our rollout as collect_rollouts would have stored it: time-outs are bootstrapped by adding γ V to the reward."""
    buffer = other.rollout_buffer
    ended = storage.terminated | storage.truncated
    cut = storage.truncated & ~storage.terminated
    rewards = storage.rewards + SETTINGS.gamma * next_values * cut
    starts = torch.cat((torch.zeros(1, ENVS, dtype=torch.bool), ended[:-1]))
    for t in range(STEPS):
        buffer.add(
            storage.observations[t].numpy(), storage.actions[t].numpy().reshape(ENVS, -1), rewards[t].numpy(),
            starts[t].float().numpy(), storage.values[t], storage.log_probs[t],
        )  # fmt: skip
    buffer.compute_returns_and_advantage(next_values[-1], ended[-1].numpy())


@pytest.fixture(params=list(SB3_SPACES), ids=lambda space: type(space).__name__)
def pair(request, kit):
    """Our model and rollout, and Stable-Baselines3 with the same parameters and the same rollout."""
    model = kit.make_model(request.param, orthogonal_init=False)
    storage = kit.make_rollout(model, STEPS, ENVS)
    next_values = storage.next_values(model.values)
    other = theirs_like(model, request.param)
    fill_buffer(other, storage, next_values)
    return model, storage, next_values, other


def test_advantages(pair):
    _, storage, next_values, other = pair
    advantages = generalized_advantages(
        storage.rewards, storage.values, next_values, storage.terminated, storage.truncated, 0.99, 0.95
    )
    assert storage.terminated.any() and storage.truncated.any()
    torch.testing.assert_close(advantages, torch.from_numpy(other.rollout_buffer.advantages), rtol=0, atol=1e-6)
    returns = torch.from_numpy(other.rollout_buffer.returns)
    torch.testing.assert_close(advantages + storage.values, returns, rtol=0, atol=1e-6)


def test_policy(pair):
    model, storage, _, other = pair
    observations, actions = storage.observations.flatten(0, 1), storage.actions.flatten(0, 1)
    seen = model.evaluate(observations, actions)
    values, log_probs, entropy = other.policy.evaluate_actions(observations, actions)
    torch.testing.assert_close(seen.values, values.flatten(), rtol=0, atol=1e-6)
    torch.testing.assert_close(seen.log_probs, log_probs, rtol=0, atol=1e-6)
    torch.testing.assert_close(seen.entropy, entropy, rtol=0, atol=1e-6)


def test_a_whole_update(pair, kit, monkeypatch):
    """Three epochs of four minibatches in the same order: parameters agree to 1e-6, logged losses likewise."""
    model, storage, _, other = pair
    shuffle = kit.generator(5)

    def same_order(size):
        # our transition t · N + n is number n · T + t there
        ours = torch.randperm(size, generator=shuffle)
        return (ours % ENVS * STEPS + ours // ENVS).numpy()

    monkeypatch.setattr(numpy.random, "permutation", same_order)
    other.train()
    before = renamed(kit.make_model(model.action_space, orthogonal_init=False))
    metrics = PPO(model, SETTINGS, kit.generator(5)).update(storage)

    difference = kit.largest_difference(renamed(model), dict(other.policy.named_parameters()))
    assert difference < 1e-6
    assert kit.largest_difference(renamed(model), before) > 5e-3
    logged = other.logger.name_to_value
    assert metrics["train/explained_variance"] == pytest.approx(logged["train/explained_variance"], abs=1e-5)


def test_losses(pair, kit):
    """One epoch of one minibatch, where their logged means are those of one batch: at ratio 1, and after a move."""
    model, storage, _, other = pair
    settings = dataclasses.replace(SETTINGS, num_epochs=1, num_minibatches=1)
    other.batch_size, other.n_epochs = STEPS * ENVS, 1
    ppo = PPO(model, settings, kit.generator(5))
    for _ in range(2):
        other.policy.load_state_dict(renamed(model))
        other.rollout_buffer.reset()
        fill_buffer(other, storage, storage.next_values(model.values))
        other.train()
        metrics = ppo.update(storage)
        logged = other.logger.name_to_value
        for ours, theirs in (
            ("policy_loss", "policy_gradient_loss"), ("value_loss", "value_loss"), ("entropy_loss", "entropy_loss"),
            ("approx_kl", "approx_kl"), ("clip_fraction", "clip_fraction"),
        ):  # fmt: skip
            assert metrics[f"train/{ours}"] == pytest.approx(logged[f"train/{theirs}"], abs=1e-6), ours
        assert kit.largest_difference(renamed(model), dict(other.policy.named_parameters())) < 1e-6
