"""Training from Python: `OnPolicyRunner` builds the graph that the editor shows, and runs it with the same engine."""

from .declarations import PPO, MLPActor, MLPCritic, PPOConfig
from .on_policy_runner import OnPolicyRunner

__all__ = ["PPO", "MLPActor", "MLPCritic", "OnPolicyRunner", "PPOConfig"]
