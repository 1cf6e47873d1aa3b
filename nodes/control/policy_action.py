"""Takes the actions out of a policy's output."""

from typing import Any, Dict

import torch

from runtime.node import Node
from runtime.parameters import param
from runtime.ports import ACTIONS, POLICY_OUTPUT, In, Out
from runtime.specs import Spec


class PolicyActionNode(Node):
    """Gives a policy's actions to any task: continuous ones limited to a range, choices as they are."""

    title, category = "Policy Action", "Control"
    policy_output = In(POLICY_OUTPUT, "Output of the agent")
    actions = Out(ACTIONS, "Actions for Step. Shape: (N, A), or (N,) for one choice")

    limit: float = param(1.0, low=0.0, high=1e6, doc="Continuous actions lie in ± this; 0 for no limit", advanced=True)

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Same shape as the policy's actions."""
        return {"actions": inputs["policy_output"]} if "policy_output" in inputs else {}

    def compute(self, policy_output: Any) -> Dict[str, torch.Tensor]:
        """Limit what is continuous."""
        actions = policy_output.actions
        is_limited = self.limit and actions.is_floating_point()
        return {"actions": actions.clamp(-self.limit, self.limit) if is_limited else actions}
