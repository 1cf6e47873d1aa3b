import copy
import dataclasses
import io
import math

import pytest
import torch

from runtime.errors import CheckpointError, DnneError, ParameterError
from runtime.rl.checks import NonFiniteError
from runtime.rl.metrics import EpochTrace
from runtime.rl.ppo import PPO
from runtime.rl.rollout import RolloutStorage
from runtime.rl.settings import PPOSettings
from runtime.spaces import Box

SMALL = PPOSettings(horizon_length=8, num_epochs=3, num_minibatches=2)


def trainer(kit, model, seed=2, **settings):
    return PPO(model, dataclasses.replace(SMALL, **settings), kit.generator(seed))


def reference_update(kit, model, storage, settings, seed=2):
    """One update as anybody would write it: autograd, torch.optim.Adam, clip_grad_norm_; no value normalisation."""
    next_values = storage.next_values(model.values)
    advantages, carried = torch.zeros(8, 4), torch.zeros(4)
    for t in reversed(range(8)):
        ended = storage.terminated[t] | storage.truncated[t]
        delta = storage.rewards[t] * settings.reward_scale - storage.values[t]
        delta = delta + settings.gamma * next_values[t] * ~storage.terminated[t]
        carried = delta + settings.gamma * settings.gae_lambda * carried * ~ended
        advantages[t] = carried
    flat = {name: tensor.flatten(0, 1) for name, tensor in storage.fields.items()}
    advantages, returns = advantages.flatten(), (advantages + storage.values).flatten()
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, eps=settings.adam_epsilon)
    source, clip = kit.generator(seed), settings.clip_param
    for _ in range(settings.num_epochs):
        for rows in torch.randperm(32, generator=source).split(16):
            critic = flat["critic_observations"][rows] if model.privileged else None
            seen = model.evaluate(flat["observations"][rows], flat["actions"][rows], critic)
            ratio = (seen.log_probs - flat["log_probs"][rows]).exp()
            advantage = advantages[rows]
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
            loss = -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()
            error = (seen.values - returns[rows]).square()
            if settings.clip_value:
                old = flat["values"][rows]
                clipped = old + (seen.values - old).clamp(-clip, clip)
                error = torch.max(error, (clipped - returns[rows]).square())
            loss = loss + settings.value_coef * error.mean() - settings.entropy_coef * seen.entropy.mean()
            if settings.bounds_coef and model.gaussian:
                mean = model.distribution.mode(seen.distribution)
                excess = (mean - settings.bounds_limit).clamp(min=0) ** 2 + (mean + settings.bounds_limit).clamp(
                    max=0
                ) ** 2
                loss = loss + settings.bounds_coef * excess.sum(-1).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_grad_norm)
            optimizer.step()


VARIANTS = {
    "plain": ({}, {}),
    "entropy and bounds": ({}, {"entropy_coef": 0.05, "bounds_coef": 0.5, "bounds_limit": 0.01}),
    "clipped values": ({}, {"clip_value": True}),
    "reward scale, small gradients": ({}, {"reward_scale": 0.1, "max_grad_norm": 0.05}),
    "shared trunk": ({"shared_trunk": True}, {"entropy_coef": 0.05}),
    "state-dependent deviation": ({"sigma": "state"}, {"entropy_coef": 0.05}),
    "fixed deviation": ({"sigma": "fixed"}, {}),
    "privileged critic": ({"critic_observation_shape": (6,)}, {}),
    "autograd": ({"activation": "gelu"}, {"entropy_coef": 0.05}),
    "autograd, shared trunk": ({"activation": "silu", "shared_trunk": True}, {}),
}


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_whole_update_equals_the_textbook(kit, space, variant):
    options, changes = VARIANTS[variant]
    model = kit.make_model(space, orthogonal_init=False, **options)
    storage = kit.make_rollout(model, critic_shape=options.get("critic_observation_shape"))
    expected = copy.deepcopy(model)
    ppo = trainer(kit, model, learning_rate=1e-2, **changes)
    ppo.update(storage)
    reference_update(kit, expected, storage, ppo.settings)
    difference = kit.largest_difference(kit.parameters_of(model), kit.parameters_of(expected))
    assert difference < 2e-5  # float32, six steps of Adam at a learning rate of 0.01
    moved = kit.largest_difference(
        kit.parameters_of(model), kit.parameters_of(kit.make_model(space, orthogonal_init=False, **options))
    )
    assert moved > 1e-2


def test_the_first_minibatch_has_ratio_one(kit, space):
    model = kit.make_model(space, normalize_observations=True, normalize_values=True)
    ppo = trainer(kit, model, num_epochs=1, num_minibatches=1)
    for seed in (1, 2):
        metrics = ppo.update(kit.make_rollout(model, seed=seed))
        assert metrics["train/approx_kl"] == pytest.approx(0.0, abs=1e-6)
        assert metrics["train/clip_fraction"] == 0.0
    assert float(model.observation_normalizer.count) == float(model.value_normalizer.count) == 64


def test_metrics_by_name(kit):
    ppo = trainer(kit, kit.make_model(), bounds_coef=1e-4)
    metrics = ppo.update(kit.make_rollout(ppo.model))
    names = "policy_loss value_loss entropy_loss entropy approx_kl learning_rate clip_fraction explained_variance " \
            "gradient_norm bounds_loss"  # fmt: skip
    assert {f"train/{name}" for name in names.split()} <= set(metrics)
    assert {"rollout/mean_reward", "rollout/mean_value"} <= set(metrics)
    assert all(type(value) is float for value in metrics.values())


def test_metrics_of_a_single_minibatch_by_hand(kit):
    model = kit.make_model()
    storage = kit.make_rollout(model)
    ppo = trainer(kit, model, num_epochs=1, num_minibatches=1, gae_lambda=0.0, normalize_advantages=False)
    next_values = storage.next_values(model.values)
    advantages = storage.rewards + 0.99 * ~storage.terminated * next_values - storage.values
    metrics = ppo.update(storage)
    # ratio 1: policy loss is −mean A, value loss mean A², explained variance 1 − Var(A)/Var(R)
    assert metrics["train/policy_loss"] == pytest.approx(-float(advantages.mean()), abs=1e-6)
    assert metrics["train/value_loss"] == pytest.approx(float(advantages.square().mean()), rel=1e-5)
    explained = 1 - float(advantages.var() / (advantages + storage.values).var())
    assert metrics["train/explained_variance"] == pytest.approx(explained, abs=1e-5)
    assert metrics["train/entropy"] == pytest.approx(2 * 1.4189385, rel=1e-6)
    assert metrics["rollout/mean_reward"] == pytest.approx(float(storage.rewards.mean()), abs=1e-6)


@pytest.mark.parametrize("deferred", [False, True], ids=["host", "device"])
@pytest.mark.parametrize("sigma", ["learned", "fixed", "state"])
def test_the_first_minibatch_diverges_by_nothing_whatever_the_step_does(kit, sigma, deferred):
    """The closed form compares the policy before the step with that of the rollout: they are the same."""
    divergences = []

    class Watched(PPO):
        def _run_epoch(self, *arguments):
            norms, traces = super()._run_epoch(*arguments)
            divergences.extend(float(EpochTrace([trace]).kl(self.model.distribution)) for trace in traces)
            return norms, traces

    model = kit.make_model(sigma=sigma, initial_log_std=-0.5)
    settings = dataclasses.replace(SMALL, learning_rate=0.05, learning_rate_schedule="adaptive", num_epochs=1)
    ppo = Watched(model, settings, kit.generator(2))
    ppo._deferred = deferred
    ppo.update(kit.make_rollout(model))
    first, second = divergences
    assert abs(first) < 1e-7
    assert second > 1e-4


def test_entropy_of_a_single_minibatch_is_that_of_the_rollouts_policy(kit):
    model = kit.make_model(Box((1,)), initial_log_std=-0.5)
    ppo = trainer(kit, model, num_epochs=1, num_minibatches=1, learning_rate=0.1)
    metrics = ppo.update(kit.make_rollout(model))
    assert metrics["train/entropy"] == pytest.approx(0.5 * math.log(2 * math.pi * math.e) - 0.5, rel=1e-6)
    assert abs(float(model.log_std.detach()) + 0.5) > 0.05  # the step moved it


def test_linear_schedule(kit):
    ppo = trainer(kit, kit.make_model(), learning_rate_schedule="linear", learning_rate=1e-3)
    rates = [ppo.update(kit.make_rollout(ppo.model), progress)["train/learning_rate"] for progress in (0.0, 0.25, 1.0)]
    assert rates == pytest.approx([1e-3, 7.5e-4, 0.0])


def test_adaptive_schedule_follows_the_divergence(kit):
    options = {"learning_rate_schedule": "adaptive", "learning_rate": 1e-3, "num_epochs": 2}
    ppo = trainer(kit, kit.make_model(), desired_kl=1e6, **options)
    metrics = ppo.update(kit.make_rollout(ppo.model))  # far below: up after each epoch
    assert metrics["train/learning_rate"] == pytest.approx(1e-3 * 1.5**2)
    ppo = trainer(kit, kit.make_model(), desired_kl=1e-12, **options)
    metrics = ppo.update(kit.make_rollout(ppo.model))  # far above: down after each epoch
    assert metrics["train/learning_rate"] == pytest.approx(1e-3 / 1.5**2)
    ppo = trainer(kit, kit.make_model(), desired_kl=1e-12, learning_rate_low=8e-4, **options)
    assert ppo.update(kit.make_rollout(ppo.model))["train/learning_rate"] == pytest.approx(8e-4)


def test_target_kl_ends_the_epochs(kit):
    def steps(**changes):
        ppo = trainer(kit, kit.make_model(), learning_rate=1e-2, num_epochs=5, **changes)
        metrics = ppo.update(kit.make_rollout(ppo.model))
        return ppo.state_dict()["optimizer"]["step"], metrics["train/approx_kl"]

    assert steps()[0] == 10
    taken, kl = steps(target_kl=1e-4)
    assert taken == 2
    assert kl > 1.5e-4
    assert steps(target_kl=1e6)[0] == 10


def test_replaced_settings_act_at_the_next_update(kit):
    ppo = trainer(kit, kit.make_model())
    ppo.update(kit.make_rollout(ppo.model))
    ppo.settings = dataclasses.replace(ppo.settings, learning_rate=0.0, num_epochs=1)
    before = kit.parameters_of(ppo.model)
    assert ppo.update(kit.make_rollout(ppo.model))["train/learning_rate"] == 0.0
    assert kit.largest_difference(kit.parameters_of(ppo.model), before) == 0
    ppo.settings = dataclasses.replace(ppo.settings, learning_rate=1e-3, amp="bf16")
    ppo.update(kit.make_rollout(ppo.model))
    assert kit.largest_difference(kit.parameters_of(ppo.model), before) > 0


@pytest.mark.parametrize("amp", ["bf16", "fp16"])
def test_half_precision_trains_alike(kit, space, amp):
    full, half = (trainer(kit, kit.make_model(space), amp=kind) for kind in ("off", amp))
    first = full.update(kit.make_rollout(full.model))
    second = half.update(kit.make_rollout(half.model))
    assert second["train/value_loss"] == pytest.approx(first["train/value_loss"], rel=0.05)
    assert math.isfinite(second["train/gradient_norm"])
    start = kit.parameters_of(kit.make_model(space))
    assert 0 < kit.largest_difference(kit.parameters_of(half.model), start) < 3e-3
    assert all(parameter.dtype == torch.float32 for parameter in half.model.parameters())


def test_cnn_trains(kit):
    model = kit.make_model(observation_shape=(1, 12, 12))
    ppo = trainer(kit, model)
    before = kit.parameters_of(model)
    ppo.update(kit.make_rollout(model))
    after = kit.parameters_of(model)
    assert float((after["actor.front.layers.0.weight"] - before["actor.front.layers.0.weight"]).abs().max()) > 0


def test_an_unfinished_rollout_is_refused(kit):
    model = kit.make_model()
    storage = RolloutStorage(8, 4, (4,), model.action_space)
    with pytest.raises(DnneError, match="holds 0 of 8 steps"):
        trainer(kit, model).update(storage)


def test_a_rollout_of_another_length_is_refused(kit):
    model = kit.make_model()
    with pytest.raises(DnneError, match="has 10 steps, but horizon_length is 8"):
        trainer(kit, model).update(kit.make_rollout(model, horizon=10))


def test_uneven_minibatches_are_refused(kit):
    model = kit.make_model()
    with pytest.raises(ParameterError, match="does not divide into 5 equal minibatches"):
        trainer(kit, model, num_minibatches=5).update(kit.make_rollout(model))


@pytest.mark.parametrize("field", ["observations", "rewards", "values", "log_probs", "critic_observations"])
def test_non_finite_rollouts_stop_before_any_change(kit, field):
    model = kit.make_model(critic_observation_shape=(6,), normalize_observations=True, normalize_values=True)
    storage = kit.make_rollout(model, critic_shape=(6,))
    storage.fields[field][5, 2] = float("nan")
    ppo, before = trainer(kit, model), copy.deepcopy(model.state_dict())
    with pytest.raises(NonFiniteError, match=f"{field} hold nan at rollout step 5, environment 2"):
        ppo.update(storage)
    assert kit.largest_difference(model.state_dict(), before) == 0


def test_non_finite_final_observations_stop_before_any_change(kit):
    model = kit.make_model()
    storage = RolloutStorage(8, 4, (4,), model.action_space)
    source = kit.generator()
    for _ in range(7):
        kit.add_step(storage, model, source)
    no, final = torch.zeros(4).bool(), torch.zeros(4, 4)
    final[3, 1] = float("inf")
    storage.add(torch.zeros(4, 4), model.act(torch.zeros(4, 4), source), torch.zeros(4), no, no, final)
    before = kit.parameters_of(model)
    with pytest.raises(NonFiniteError, match="final_observations hold inf at rollout step 7, environment 3"):
        trainer(kit, model).update(storage)
    assert kit.largest_difference(kit.parameters_of(model), before) == 0


def test_a_non_finite_parameter_is_named(kit):
    model = kit.make_model()
    storage = kit.make_rollout(model)
    ppo = trainer(kit, model)
    with torch.no_grad():
        model.critic.body.layers[1].weight[2, 3] = float("inf")
    with pytest.raises(NonFiniteError, match=r"parameter critic.body.layers.1.weight holds inf at \(2, 3\)"):
        ppo.update(storage)


@pytest.mark.parametrize("deferred", [False, True], ids=["host", "device"])
@pytest.mark.parametrize("activation", ["elu", "gelu"])
def test_a_non_finite_loss_stops_before_the_step_that_it_would_spoil(kit, deferred, activation):
    """Epoch 0 is sound; in epoch 1 the second minibatch is not. `deferred` is how it is done without host transfers."""

    class Poisoned(PPO):
        def _permutation(self, size):
            self.epochs = getattr(self, "epochs", 0) + 1
            if self.epochs == 2:
                # the batch is a view of the rollout: spoil the recorded log-probability of transition 5
                storage.log_probs.view(-1)[5] = float("nan")
                order = torch.arange(size)
                return order.flip(0)
            return super()._permutation(size)

    model = kit.make_model(activation=activation)
    storage = kit.make_rollout(model)
    ppo = Poisoned(model, dataclasses.replace(SMALL, normalize_advantages=False), kit.generator(2))
    ppo._deferred = deferred
    with pytest.raises(NonFiniteError, match="in epoch 1, minibatch 1 of update 0") as caught:
        ppo.update(storage)
    assert "policy loss" in str(caught.value) or "gradient of" in str(caught.value)
    assert ppo.state_dict()["optimizer"]["step"] == 3
    assert all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters())


def test_both_ways_to_step_give_the_same_parameters(kit):
    host, device = (trainer(kit, kit.make_model(), max_grad_norm=0.3) for _ in range(2))
    device._deferred = True
    first, second = (ppo.update(kit.make_rollout(ppo.model)) for ppo in (host, device))
    assert kit.largest_difference(kit.parameters_of(host.model), kit.parameters_of(device.model)) < 1e-7
    assert first["train/gradient_norm"] == pytest.approx(second["train/gradient_norm"])


@pytest.mark.parametrize("schedule", ["fixed", "adaptive"])
def test_a_resumed_trainer_goes_on_to_the_last_bit(kit, space, schedule):
    options = {"normalize_observations": True, "normalize_values": True}
    whole = trainer(kit, kit.make_model(space, **options), learning_rate_schedule=schedule)
    whole.update(kit.make_rollout(whole.model, seed=1))
    file = io.BytesIO()
    state = {"ppo": whole.state_dict(), "model": whole.model.state_dict(), "generator": whole.generator.get_state()}
    torch.save(state, file)
    expected = whole.update(kit.make_rollout(whole.model, seed=2))

    file.seek(0)
    state = torch.load(file, weights_only=True)
    resumed = trainer(kit, kit.make_model(space, seed=9, **options), seed=77, learning_rate_schedule=schedule)
    resumed.model.load_state_dict(state["model"])
    resumed.load_state_dict(state["ppo"])
    resumed.generator.set_state(state["generator"])
    assert resumed.update(kit.make_rollout(resumed.model, seed=2)) == expected
    assert kit.largest_difference(resumed.model.state_dict(), whole.model.state_dict()) == 0
    assert resumed.updates == whole.updates == 2


@pytest.mark.parametrize("schedule", ["fixed", "adaptive"])
def test_another_learning_rate_acts_on_a_resumed_trainer(kit, schedule):
    options = {"learning_rate_schedule": schedule, "desired_kl": 1e6, "num_epochs": 1}
    first = trainer(kit, kit.make_model(), learning_rate=1e-3, **options)
    first.update(kit.make_rollout(first.model))
    same, other = (trainer(kit, kit.make_model(), learning_rate=rate, **options) for rate in (1e-3, 1e-5))
    for resumed in (same, other):
        resumed.load_state_dict(first.state_dict())
    assert same.learning_rate == first.learning_rate
    assert other.learning_rate == 1e-5


def test_moments_are_stored_per_parameter(kit):
    ppo = trainer(kit, kit.make_model())
    ppo.update(kit.make_rollout(ppo.model))
    moments = ppo.state_dict()["optimizer"]["exp_avg"]
    assert {name: tuple(moment.shape) for name, moment in moments.items()} == {
        name: tuple(parameter.shape) for name, parameter in ppo.model.named_parameters()
    }


def test_the_state_of_another_model_is_refused(kit):
    state = trainer(kit, kit.make_model(hidden_sizes=(8, 8))).state_dict()
    with pytest.raises(
        CheckpointError, match=r"actor.body.layers.0.weight: expected the shape \(9, 4\), found \(8, 4\)"
    ):
        trainer(kit, kit.make_model(hidden_sizes=(9, 8))).load_state_dict(state)
    with pytest.raises(CheckpointError, match="is of another model"):
        trainer(kit, kit.make_model(shared_trunk=True)).load_state_dict(state)


def test_training_solves_a_one_step_task(kit):
    """Reward −(a − 0.7)²: the mean action must move there."""
    model = kit.make_model(kit.SPACES["gaussian"], initial_log_std=-1.0)
    ppo = trainer(kit, model, learning_rate=5e-3, gamma=0.0)
    source = kit.generator()
    for _ in range(60):
        storage = RolloutStorage(8, 32, (4,), model.action_space)
        while not storage.full:
            observations = torch.randn(32, 4, generator=source)
            output = model.act(observations, source)
            rewards = -(output.actions - 0.7).square().sum(-1)
            yes, no = torch.ones(32).bool(), torch.zeros(32).bool()
            storage.add(observations, output, rewards, yes, no, observations)
        ppo.update(storage)
    means = model.act(torch.randn(50, 4, generator=source), source, deterministic=True).actions
    torch.testing.assert_close(means, torch.full_like(means, 0.7), atol=0.15, rtol=0)
