"""Models and rollouts that several tests use."""

import pytest
import torch

from runtime.rl.actor_critic import ActorCritic
from runtime.rl.rollout import RolloutStorage
from runtime.spaces import Box, Discrete, MultiDiscrete

SPACES = {"gaussian": Box((2,)), "categorical": Discrete(3), "multi-categorical": MultiDiscrete((2, 3))}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def make_model(space=SPACES["gaussian"], observation_shape=(4,), seed=0, **options):
    options.setdefault("hidden_sizes", (8, 8))
    return ActorCritic(observation_shape, space, generator=generator(seed), **options)


def add_step(storage, model, source, critic_shape=None):
    """One step of made-up experience: random observations and rewards, some episodes ended either way."""
    num_envs, shape = storage.num_envs, model.observation_shape
    draw = lambda size: torch.randn(num_envs, *size, generator=source)  # noqa: E731
    observations = draw(shape)
    critic_observations = draw(critic_shape) if critic_shape else None
    output = model.act(observations, source, critic_observations=critic_observations)
    ended = torch.rand(2, num_envs, generator=source) < 0.15
    final_critic = draw(critic_shape) if critic_shape else None
    storage.add(observations, output, draw(()), ended[0], ended[1], draw(shape), final_critic)


def make_rollout(model, horizon=8, num_envs=4, seed=1, critic_shape=None):
    storage = RolloutStorage(horizon, num_envs, model.observation_shape, model.action_space, critic_shape)
    source = generator(seed)
    while not storage.full:
        add_step(storage, model, source, critic_shape)
    return storage


def parameters_of(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def largest_difference(first, second):
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).detach().abs().max()) for name in first)


class Kit:
    """The functions above, handed to tests as one fixture (test modules cannot import each other)."""

    SPACES = SPACES
    generator = staticmethod(generator)
    make_model = staticmethod(make_model)
    make_rollout = staticmethod(make_rollout)
    add_step = staticmethod(add_step)
    parameters_of = staticmethod(parameters_of)
    largest_difference = staticmethod(largest_difference)


@pytest.fixture
def kit():
    return Kit


@pytest.fixture(params=sorted(SPACES))
def space(request):
    return SPACES[request.param]


@pytest.fixture(autouse=True)
def global_generator_untouched():
    """Nothing in runtime.rl may draw from torch's global generator."""
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(torch.random.get_rng_state(), before), "something drew from torch's global generator"
