"""Turns the policy's output into the cart's push."""

from typing import Any, Dict, Iterable

import torch

from runtime.node import Finding, Node
from runtime.parameters import param
from runtime.ports import ACTIONS, POLICY_OUTPUT, In, Out
from runtime.specs import Spec

TASK_EFFORT = 400.0


class CartpoleActionNode(Node):
    """Limits the policy's actions to [-1, 1] and scales them to a push on the cart.

    Every environment gets its own action. A push of 400 N, the task's effort, is an action of 1.
    """

    title, category = "Cartpole Action", "Control"
    policy_output = In(POLICY_OUTPUT, "Output of the agent", replaces=("policy",))
    actions = Out(ACTIONS, "Actions in [-1, 1] of the task's effort. Shape: (N, 1)")

    max_push_effort: float = param(
        TASK_EFFORT, low=0.0, high=TASK_EFFORT, unit="N", doc="Push on the cart at an action of 1", live=True
    )

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Same shape as the policy's actions."""
        return {"actions": inputs["policy_output"]} if "policy_output" in inputs else {}

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """The policy gives one number per environment."""
        shape = inputs["policy_output"].shape
        if shape is not None and (len(shape) != 2 or shape[1] != 1):
            yield "policy_output", f"its actions are {inputs['policy_output'].text}", "Cartpole takes (N, 1)"

    def compute(self, policy_output: Any) -> Dict[str, torch.Tensor]:
        """Clamp, then scale."""
        actions = policy_output.actions.clamp(-1.0, 1.0)
        if self.max_push_effort != TASK_EFFORT:
            actions = actions * (self.max_push_effort / TASK_EFFORT)
        return {"actions": actions}
