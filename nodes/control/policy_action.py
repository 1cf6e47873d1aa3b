"""Takes the actions out of a policy's output."""

from typing import Any, Dict

import torch

from runtime.node import Node
from runtime.ports import ACTIONS, POLICY_OUTPUT, In, Out
from runtime.specs import Spec


class PolicyActionNode(Node):
    """Gives a policy's actions to any task: continuous ones limited to [-1, 1], choices as they are."""

    title, category = "Policy Action", "Control"
    policy_output = In(POLICY_OUTPUT, "Output of the agent")
    actions = Out(ACTIONS, "Actions for Step. Shape: (N, A), or (N,) for one choice")

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Same shape as the policy's actions."""
        return {"actions": inputs["policy_output"]} if "policy_output" in inputs else {}

    def compute(self, policy_output: Any) -> Dict[str, torch.Tensor]:
        """Limit what is continuous."""
        actions = policy_output.actions
        return {"actions": actions.clamp(-1.0, 1.0) if actions.is_floating_point() else actions}
