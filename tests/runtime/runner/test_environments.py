"""What a runner takes as its environment, and where it trains."""

import pytest
import torch

from runtime.simulators.factory import make_simulator
from tests.runtime.runner.environments import Reaching
from tests.runtime.runner.test_on_policy_runner import BATCH, runner

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def _simulator():
    return make_simulator("torch", "Cartpole", 8, torch.device("cpu"), torch.Generator().manual_seed(0))


def _gymnasium_vector():
    gymnasium = pytest.importorskip("gymnasium")
    return gymnasium.make_vec("CartPole-v1", num_envs=8, vectorization_mode="sync")


def _gymnasium_id():
    pytest.importorskip("gymnasium")
    return "CartPole-v1"


KINDS = {
    "a task": (lambda: "Cartpole", {}),
    "a Gymnasium id": (_gymnasium_id, {"simulator": "auto"}),
    "a simulator": (_simulator, {}),
    "a vector environment": (_gymnasium_vector, {}),
    "an object": (Reaching, {}),
}


@pytest.mark.parametrize(("make", "options"), KINDS.values(), ids=KINDS)
def test_every_kind_of_environment_trains(make, options):
    env = make()
    with runner(env, **options) as made:
        before = [tensor.clone() for tensor in made.agent.state_dict().values()]
        made.learn(2 * BATCH)
        assert made.total_timesteps >= 2 * BATCH
        assert made.iteration == made.total_timesteps // (8 * made.env.num_envs)
        assert any(not torch.equal(a, b) for a, b in zip(before, made.agent.state_dict().values()))


@pytest.mark.parametrize("device", [None, *DEVICES, *map(torch.device, DEVICES)])
def test_the_agent_lives_where_it_is_to_train(device):
    with runner(device=device) as made:
        made.learn(BATCH)
        expected = torch.device(DEVICES[-1] if device is None else device).type
        assert {tensor.device.type for tensor in made.agent.parameters()} == {expected}
        assert made.env.device.type == expected
