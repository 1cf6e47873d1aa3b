"""An actor-critic with a user's own networks."""

import pytest
import torch
from torch import nn

from runtime.errors import ParameterError
from runtime.rl.actor_critic import ActorCritic
from runtime.rl.gradients import AutogradGradients, ManualGradients
from runtime.rl.ppo import PPO
from runtime.rl.rollout import RolloutStorage
from runtime.rl.settings import PPOSettings
from runtime.spaces import Box


@pytest.fixture(autouse=True)
def own_global_generator(global_generator_untouched):
    """The tests themselves make layers and numbers from the global generator, on a copy."""
    with torch.random.fork_rng():
        yield


class Residual(nn.Module):
    output_size = 6

    def __init__(self, observation_shape, width=6):
        super().__init__()
        self.into, self.inner = nn.Linear(observation_shape[0], 6), nn.Linear(6, 6)

    def forward(self, observations):
        values = torch.tanh(self.into(observations))
        return values + self.inner(values)


def agent(seed=0, shape=(4,), **options):
    return ActorCritic(shape, Box((2,)), generator=torch.Generator().manual_seed(seed), **options)


def test_weights_depend_on_the_nodes_generator_alone_and_the_global_one_stays():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = agent(make_actor=Residual, make_critic=Residual)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = agent(make_actor=Residual, make_critic=Residual), agent(1, make_actor=Residual, make_critic=Residual)
    same = [torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters())]
    assert all(same)
    assert not torch.equal(first.actor.module.into.weight, other.actor.module.into.weight)
    assert not torch.equal(first.actor.module.into.weight, first.critic.module.into.weight)


def test_an_update_moves_the_users_weights_as_autograd_says():
    model = agent(make_actor=Residual)
    assert not ManualGradients.supports(model)
    observations, grad_outputs, grad_values = torch.randn(3, 4), torch.randn(3, 2), torch.randn(3)
    ppo = PPO(model, PPOSettings(horizon_length=2, num_epochs=1, num_minibatches=1), torch.Generator())
    gradients = ppo._gradients
    assert isinstance(gradients, AutogradGradients)
    gradients.forward(observations, observations)
    gradients.backward(grad_outputs, grad_values)
    plain = nn.Linear(4, 6), nn.Linear(6, 6)
    for layer, own in zip(plain, (model.actor.module.into, model.actor.module.inner)):
        layer.load_state_dict(own.state_dict())
    values = torch.tanh(plain[0](observations))
    head = model.policy_head
    outputs = torch.nn.functional.linear(values + plain[1](values), head.weight.detach(), head.bias.detach())
    outputs.backward(grad_outputs)
    torch.testing.assert_close(model.actor.module.into.weight.grad, plain[0].weight.grad)
    torch.testing.assert_close(model.actor.module.inner.weight.grad, plain[1].weight.grad)


def test_a_whole_update_works_on_an_own_actor_and_a_usual_critic():
    model, generator = agent(make_actor=Residual, critic_hidden_sizes=(5,)), torch.Generator().manual_seed(0)
    assert model.critic.output_size == 5
    storage = RolloutStorage(2, 3, (4,), Box((2,)))
    for _ in range(2):
        observations = torch.randn(3, 4, generator=generator)
        no = torch.zeros(3, dtype=torch.bool)
        storage.add(observations, model.act(observations, generator), torch.ones(3), no, no, observations)
    before = model.actor.module.into.weight.clone()
    metrics = PPO(model, PPOSettings(horizon_length=2, num_minibatches=1), generator).update(storage)
    assert not torch.equal(before, model.actor.module.into.weight)
    weights = torch.cat([parameter.flatten() for parameter in model.parameters()])
    assert metrics["train/weight_norm"] == pytest.approx(float(weights.detach().norm()), rel=1e-5)


class Images(nn.Module):
    output_size = 2

    def __init__(self, observation_shape):
        super().__init__()
        self.shape = observation_shape

    def forward(self, images):
        assert images.shape[1:] == self.shape and images.dtype == torch.float32
        return images.amax((1, 2))[:, :2]


def test_images_come_in_their_shape_and_scaled():
    model = agent(shape=(1, 3, 4), make_actor=Images, make_critic=Images)
    features = model.actor(model.prepare(torch.full((2, 1, 3, 4), 255, dtype=torch.uint8)))
    assert features.tolist() == [[1.0, 1.0]] * 2


class Wrong(nn.Module):
    def __init__(self, observation_shape, size=3, layer=None):
        super().__init__()
        self.output_size, self.layer = size, layer

    def forward(self, observations):
        return observations


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda shape: Wrong(shape, size=None), "output_size is None"),
        (Wrong, r"makes \(2, 4\); expected features of the shape \(2, 3\)"),
        (lambda shape: Wrong(shape, 4, nn.Dropout(0.1)), "layer is Dropout, which draws from torch's global generator"),
        (lambda shape: Wrong(shape, 4, nn.BatchNorm1d(4)), "layer is BatchNorm1d"),
        (lambda shape: "no module", "gave str; an actor or critic class is an nn.Module"),
    ],
)
def test_what_breaks_the_contract_is_named(make, message):
    with pytest.raises(ParameterError, match=message):
        agent(make_actor=make)


@pytest.mark.parametrize("options", [{"make_critic": Residual}, {"critic_hidden_sizes": (3,)}])
def test_a_shared_trunk_has_no_critic_of_its_own(options):
    with pytest.raises(ParameterError, match="cannot share the trunk"):
        agent(shared_trunk=True, **options)
