"""Turns the policy's output into the torques of the ant's joints."""

from typing import Any, Dict

import torch

from runtime.joint_action_node import JointActionNode


class AntActionNode(JointActionNode):
    """Limits the policy's actions to [-1, 1] and scales them to torques of the eight joints.

    An action of 1 is a torque of 15 N·m times the effort scale. The order is hip 1, ankle 1, hip 2, … ankle 4.
    """

    title, category = "Ant Action", "Control"
    robot, joints = "Ant", 8

    def compute(self, policy_output: Any) -> Dict[str, torch.Tensor]:
        """Clamp, then scale."""
        return {"actions": self.scaled(policy_output)}
