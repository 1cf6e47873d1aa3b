"""Actions of Ant and Humanoid, and their example workflows."""

import json
from pathlib import Path

import pytest
import torch

from nodes.control.ant_action import AntActionNode
from nodes.control.humanoid_action import HumanoidActionNode
from runtime.rl.types import PolicyOutput
from runtime.specs import Spec
from tests.nodes.running import findings, prepare

ROOT = Path(__file__).resolve().parents[3]


def output(actions):
    return PolicyOutput(actions, actions[:, 0], actions[:, 0], actions)


@pytest.mark.parametrize(("node_class", "joints"), [(AntActionNode, 8), (HumanoidActionNode, 21)])
def test_actions_are_limited_and_scaled(node_class, joints):
    actions = torch.linspace(-3.0, 3.0, 2 * joints).view(2, joints)
    node = prepare(node_class("4"), {"policy_output": Spec((2, joints))})
    assert torch.equal(node.compute(output(actions))["actions"], actions.clamp(-1, 1))
    node.effort_scale = 0.5
    assert torch.equal(node.compute(output(actions))["actions"], actions.clamp(-1, 1) / 2)
    assert node.infer({"policy_output": Spec((2, joints))})["actions"].shape == (2, joints)
    assert findings(node, {"policy_output": Spec((2, joints))}) == []
    assert findings(node, {"policy_output": Spec((2, None))}) == []
    assert f"takes (N, {joints})" in str(findings(node, {"policy_output": Spec((2, 4))}))
    assert node.title in ("Ant Action", "Humanoid Action")


@pytest.mark.parametrize(("name", "task", "envs"), [("ant", "Ant", 256), ("humanoid", "Humanoid", 256)])
def test_the_examples_have_the_known_settings(name, task, envs):
    document = json.loads((ROOT / "examples" / f"{name}_ppo.json").read_text(encoding="utf-8"))
    env, trainer = document["nodes"]["1"]["inputs"], document["nodes"]["6"]["inputs"]
    assert (env["task"], env["num_envs"]) == (task, envs)
    assert "4096" in document["comment"] and "32768" in document["comment"]
    assert (trainer["desired_kl"], trainer["reward_scale"], trainer["bounds_coef"]) == (0.008, 0.01, 0.0001)
