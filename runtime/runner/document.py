"""The workflow that a runner trains: the reference graph, in the runner's environments and with its parameters."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, Dict, Mapping, Tuple

from ..registry import NodeRegistry, discover
from ..workflow import FORMAT_KEY, FORMAT_VERSION, Workflow, workflow_from_dict

ENV, OR, AGENT, ACTION, STEP, TRAINER = "1", "2", "3", "4", "5", "6"


def runner_workflow(
    name: str, env: Any, agent: Mapping[str, Any], trainer: Mapping[str, Any], log_reward_components: bool
) -> Workflow:
    """The document.

    Args:
        name: Its name.
        env: As `environments.environment_of` gives it.
        agent, trainer: Parameters of these nodes.
        log_reward_components: Of the step node.
    """
    actions = {"policy_output": [AGENT, "policy_output"], "limit": env.action_limit}
    step = {"sim": [ENV, "sim"], "actions": [ACTION, "actions"], "trigger": [TRAINER, "trigger"]}
    states = {
        "states": [OR, "output"], "policy_outputs": [AGENT, "policy_output"], "rewards": [STEP, "rewards"],
        "dones": [STEP, "dones"], "model": [AGENT, "model"],
    }  # fmt: skip
    seen = {"input_a": [ENV, "observations"], "input_b": [STEP, "observations"]}
    nodes = {
        ENV: _node(env.class_type, "Env", (0, 0), env.parameters),
        OR: _node("ORNode", "OR", (250, 40), seen),
        AGENT: _node("PPOAgentNode", "Agent", (440, 0), {"observations": [OR, "output"], **agent}),
        ACTION: _node("PolicyActionNode", "Action", (680, 0), actions),
        STEP: _node("IsaacGymStepNode", "Step", (460, 200), {**step, "log_reward_components": log_reward_components}),
        TRAINER: _node("PPOTrainerNode", "Trainer", (720, 180), {**states, **trainer}),
    }
    return workflow_from_dict({FORMAT_KEY: FORMAT_VERSION, "name": name, "nodes": nodes})


def _node(class_type: str, title: str, position: Tuple[float, float], inputs: Mapping[str, Any]) -> Dict[str, Any]:
    return {"class_type": class_type, "title": title, "position": list(position), "inputs": dict(inputs)}


def with_type(registry: NodeRegistry, node_class: Any) -> NodeRegistry:
    """A registry with one type more, which the given one does not get."""
    extended = NodeRegistry()
    extended.types, extended.renamed = dict(registry.types), dict(registry.renamed)
    extended.sources, extended.failures = dict(registry.sources), list(registry.failures)
    extended.add(node_class, __name__)
    return extended


def built_in_types() -> NodeRegistry:
    """The node types that come with this package: beside it, or inside of it where it is carried under another name.

    Raises:
        ModuleNotFoundError: They are not there.
    """
    root = __name__.split(".")[0]
    inside = f"{root}.nodes"
    name = inside if importlib.util.find_spec(inside) is not None else "nodes"
    return discover([importlib.import_module(name)])
