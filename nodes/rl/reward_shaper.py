"""Shapes rewards between the environment and the trainer."""

from typing import Any, Dict, Iterable, List, Optional

import torch

from runtime.node import Finding, Node
from runtime.parameters import param
from runtime.ports import INFO, REWARDS, In, Out
from runtime.specs import Spec


class RewardShaperNode(Node):
    """Changes what the trainer is rewarded for: r' = clip(scale · (r + Σ (w_c − 1) · r_c) + offset).

    ``weights`` re-weights the task's reward components r_c by name; a component that is not named keeps weight 1.
    episode/* metrics go on to report the task's own reward.
    """

    title, category = "Reward Shaper", "RL"
    rewards = In(REWARDS, "Reward of the step. Shape: (N,)")
    info = In(INFO, "Reward components of the step, needed for weights", optional=True)
    shaped = Out(REWARDS, "Shaped reward. Shape: (N,)")

    scale: float = param(1.0, low=-1e6, high=1e6, doc="Factor on the reward", live=True)
    offset: float = param(0.0, low=-1e6, high=1e6, doc="Added after scaling", live=True)
    clip: List[float] = param(
        [], low=-1e9, high=1e9, doc="Smallest and largest shaped reward; empty for no limit", live=True
    )
    weights: Dict[str, float] = param({}, low=-1e6, high=1e6, doc="Weight of reward components by name", live=True)

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Same shape as the rewards."""
        return {"shaped": inputs["rewards"]} if "rewards" in inputs else {}

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """The clip is a range, and the weights name components of the task."""
        if self.clip and (len(self.clip) != 2 or self.clip[0] >= self.clip[1]):
            yield "clip", f"{self.clip} is no range", "give [smallest, largest], or [] for no limit"
        if self.weights and "info" not in self.connected:
            yield "info", "weights need the reward components", "link the info output of Step"
        task = inputs.get("info", Spec()).task
        for name in self.weights:
            if task is not None and name not in task.reward_components:
                known = ", ".join(task.reward_components) or "none"
                yield "weights", f"{task.name} has no reward component {name!r}", f"it has {known}"

    def compute(self, rewards: torch.Tensor, info: Optional[Dict[str, Any]] = None) -> Dict[str, torch.Tensor]:
        """The shaped reward."""
        shaped = rewards
        for name, weight in self.weights.items():
            shaped = shaped + (weight - 1.0) * info["reward_components"][name]  # type: ignore[index]
        shaped = shaped * self.scale + self.offset
        if self.clip:
            shaped = shaped.clamp(self.clip[0], self.clip[1])
        return {"shaped": shaped}
