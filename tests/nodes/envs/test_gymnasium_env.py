"""Gymnasium's environments in a graph."""

import json

import pytest
import torch

pytest.importorskip("gymnasium")

from nodes.control.policy_action import PolicyActionNode
from nodes.envs.gymnasium_env import GymnasiumEnvNode
from runtime.checkpoints import ResumeStore
from runtime.rl.types import PolicyOutput
from runtime.spaces import Discrete
from tests.nodes.running import TESTS, Session, assert_same_bits, findings, numbers, prepare

EXAMPLES = TESTS.parent / "examples"


def document(name, **changes):
    content = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    for node_id, values in changes.items():
        content["nodes"][node_id[1:]]["inputs"].update(values)
    return content


def test_it_announces_the_task_and_gives_first_observations():
    node = prepare(GymnasiumEnvNode("1", {"num_envs": 3}))
    specs = node.infer({})
    assert specs["observations"].text == "float32 (3, 4)"
    assert specs["sim"].task.action_space == Discrete(2)
    outputs = node.compute()
    assert outputs["observations"].shape == (3, 4)
    assert outputs["sim"] is node.simulation
    node.close()


def test_an_unknown_id_is_found_before_the_run():
    ((port, message, _),) = findings(GymnasiumEnvNode("1", {"env_id": "CartPole-v7"}))
    assert port == "env_id"
    assert "did you mean 'CartPole-v" in message
    assert GymnasiumEnvNode("1", {"env_id": "CartPole-v7"}).infer({}) == {}


def test_in_inference_episodes_are_not_cut():
    node = prepare(GymnasiumEnvNode("1", {"num_envs": 3}), inference=True)
    node.compute()
    assert not node.simulation.partial.any()
    node.close()


def test_actions_are_limited_where_they_are_continuous():
    def acted(actions):
        output = PolicyOutput(actions, numbers(0.0), numbers(0.0), numbers(0.0))
        return prepare(PolicyActionNode("4")).compute(output)["actions"]

    assert acted(torch.tensor([[-3.0, 0.5]])).tolist() == [[-1.0, 0.5]]
    choices = torch.tensor([0, 5])
    assert torch.equal(acted(choices), choices)


@pytest.mark.parametrize("changes", [{}, {"n1": {"env_id": "Pendulum-v1"}}, {"n1": {"vectorization": "async"}}])
def test_the_example_trains_and_one_seed_gives_the_same_bits(changes):
    small = {"horizon_length": 8, "num_epochs": 2, "minibatch_size": 32}
    first, second = (
        Session(document("gym_cartpole.json", n6=small, **changes), iterations=3, seed=1) for _ in range(2)
    )
    assert_same_bits(first, second)
    assert first.schedule == "static"


def test_halfcheetah_trains_as_it_is():
    pytest.importorskip("mujoco")
    session = Session(document("halfcheetah_ppo.json", n6={"horizon_length": 32, "num_epochs": 1}), iterations=1)
    ((_, iteration, metrics),) = session.metrics
    assert iteration == 1
    assert metrics["train/approx_kl"] >= 0.0


def test_the_environment_node_takes_an_id_as_its_task():
    content = document("gym_cartpole.json", n6={"horizon_length": 8, "num_epochs": 1, "minibatch_size": 32})
    content["nodes"]["1"] = {
        "class_type": "IsaacGymEnvNode",
        "inputs": {"simulator": "auto", "task": "CartPole-v1", "num_envs": 4},
    }
    assert len(Session(content, iterations=2).metrics) == 2


def test_a_resumed_run_keeps_what_was_learnt_and_begins_new_episodes(tmp_path):
    small = {"horizon_length": 8, "num_epochs": 2, "minibatch_size": 64}
    content = document("gym_cartpole.json", n6=small)
    store = ResumeStore(tmp_path)
    first = Session(content, iterations=2, resume_store=store)
    saved = store.latest()
    resumed = Session(content, iterations=3, resume_state=saved.state)
    assert [(step, iteration) for step, iteration, _ in resumed.metrics] == [(3 * 8 * 8, 3)]
    (warning,) = [event.message for event in resumed.events if getattr(event, "level", "") == "warning"]
    assert "go on exactly, but the state of Gymnasium's environments cannot be saved" in warning
    before = saved.state["nodes"]["3"]["state"]["network"]
    untrained = Session(content, iterations=1, resume_state=saved.state)
    assert all(torch.equal(one, other) for one, other in zip(untrained.parameters, first.parameters)), before.keys()
