"""Brings rewards to a scale that the value function can learn."""

from typing import Any, Dict, Iterable

import torch

from runtime.checkpointed_node import CheckpointedNode
from runtime.checkpoints.matching import check_state_fits, state_shapes
from runtime.node import Finding
from runtime.parameters import param
from runtime.ports import DONES, REWARDS, In, Out
from runtime.rl.normalization import RunningMeanStd
from runtime.rl.shared_statistics import SharedStatistics, shared_part
from runtime.specs import Spec


class RewardNormalizerNode(CheckpointedNode):
    """Divides rewards by the running standard deviation of their discounted sum: r' = clip(r / σ(R)), R ← γR + r.

    Engstrom et al. 2020, arXiv:2005.12729, "reward scaling". The mean is left in; σ is 1 until
    sums differ. R starts at 0 in every episode.
    episode/* metrics go on to report the task's own reward. An alternative is `normalize_values` of the agent.
    """

    title, category = "Reward Normalizer", "RL"
    checkpoint_required = False
    rewards = In(REWARDS, "Reward of the step. Shape: (N,)")
    dones = In(DONES, "Episode ends of the step")
    normalized = Out(REWARDS, "Scaled reward. Shape: (N,)")

    gamma: float = param(0.99, low=0.0, high=1.0, doc="Discount per step, as the trainer's", live=True)
    clip: float = param(10.0, low=0.0, high=1e6, doc="Largest magnitude of a scaled reward; 0 for no limit", live=True)

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Same shape as the rewards."""
        return {"normalized": inputs["rewards"]} if "rewards" in inputs else {}

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """The checkpoint trigger is right."""
        yield from self.check_trigger()

    def setup(self) -> None:
        """Start with the rewards as they are."""
        self.statistics = RunningMeanStd().to(self.device)
        self.shared = SharedStatistics(self.statistics, self.context)
        self.returns: Any = None

    def compute(self, rewards: torch.Tensor, dones: Any) -> Dict[str, torch.Tensor]:
        """Add the step to the statistics, then scale by them; in inference they stand still."""
        if not self.context.inference:
            returns = rewards if self.returns is None else self.gamma * self.returns + rewards
            self.shared.update(returns)
            self.returns = returns.masked_fill(dones.ended, 0.0)
        var = self.statistics.var
        scaled = (rewards / torch.where(var > 0.0, self.statistics.std, torch.ones_like(var))).float()
        return {"normalized": scaled.clamp(-self.clip, self.clip) if self.clip else scaled}

    def state_dict(self) -> Dict[str, Any]:
        """Statistics, and the discounted sums of running episodes."""
        return {**self.shared.state_dict(), "returns": self.returns}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on with saved statistics and sums."""
        self.shared.load_state_dict(state)
        self.returns = state.get("returns")

    def shared_state(self, state: Dict[str, Any]) -> Dict[str, Any]:
        """What all processes had at the last exchange, without this process's episodes."""
        return shared_part(state)

    def checkpoint_state(self) -> Dict[str, Any]:
        """Mean, variance and count of the discounted sums."""
        return {"statistics": dict(self.statistics.state_dict())}

    def load_checkpoint_state(self, state: Dict[str, Any]) -> None:
        """Take over loaded statistics."""
        check_state_fits(state_shapes(self.checkpoint_state()), state)
        self.load_state_dict(state)
