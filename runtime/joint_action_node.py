"""Base of the nodes that turn a policy's output into the efforts of a robot's joints."""

from typing import Any, ClassVar, Dict, Iterable

import torch

from .node import Finding, Node
from .parameters import param
from .ports import ACTIONS, POLICY_OUTPUT, In, Out
from .specs import Spec


class JointActionNode(Node):
    """Limits the policy's actions to [-1, 1], one per joint, and scales them.

    Attributes:
        robot: Its name, for errors.
        joints: Number of actuated joints, A.
    """

    robot: ClassVar[str]
    joints: ClassVar[int]
    policy_output = In(POLICY_OUTPUT, "Output of the agent", replaces=("policy",))
    actions = Out(ACTIONS, "Actions in [-1, 1] of the task's efforts. Shape: (N, A)")

    effort_scale: float = param(
        1.0, low=0.0, high=1.0, doc="Share of every joint's effort that an action of 1 stands for", live=True
    )

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Same shape as the policy's actions."""
        return {"actions": inputs["policy_output"]} if "policy_output" in inputs else {}

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """The policy gives one number per joint."""
        shape = inputs["policy_output"].shape
        if shape is not None and (len(shape) != 2 or shape[1] not in (None, self.joints)):
            text = inputs["policy_output"].text
            yield "policy_output", f"its actions are {text}", f"{self.robot} takes (N, {self.joints})"

    def scaled(self, policy_output: Any) -> torch.Tensor:
        """Clamp, then scale. Shape: (N, A)."""
        actions = policy_output.actions.clamp(-1.0, 1.0)
        if self.effort_scale != 1.0:
            actions = actions * self.effort_scale
        return actions
