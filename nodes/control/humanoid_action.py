"""Turns the policy's output into the torques of the humanoid's joints."""

from typing import Any, Dict

import torch

from runtime.joint_action_node import JointActionNode


class HumanoidActionNode(JointActionNode):
    """Limits the policy's actions to [-1, 1] and scales them to torques of the 21 joints.

    An action of 1 is the joint's effort times the effort scale: 67.5 N·m at the abdomen's three joints; 45, 45, 135,
    90, 22.5, 22.5 N·m at each leg's hip x, z, y, knee, ankle y, x; 67.5, 67.5, 45 N·m at each arm's. Right comes first.
    """

    title, category = "Humanoid Action", "Control"
    robot, joints = "Humanoid", 21

    def compute(self, policy_output: Any) -> Dict[str, torch.Tensor]:
        """Clamp, then scale."""
        return {"actions": self.scaled(policy_output)}
