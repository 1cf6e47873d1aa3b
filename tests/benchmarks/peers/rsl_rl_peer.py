"""rsl_rl: Schwarke et al. 2025, arXiv:2509.10771."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict
from torch import Tensor

from runtime.rl.settings import PPOSettings

from ..turns import Done
from .environment import HIDDEN_SIZES, PeerEnvironment

FOR_EVER = 10**9


class Adapter(VecEnv):
    """Observations in a TensorDict, time-outs among the extras."""

    def __init__(self, environment: PeerEnvironment):
        self.environment = environment
        self.num_envs, self.num_actions = environment.num_envs, 1
        self.max_episode_length = environment.simulator.task.max_episode_length
        self.episode_length_buf = environment.simulator.episode_steps
        self.device: Any = "cpu"
        self.cfg: Dict[str, Any] = {}

    def get_observations(self) -> TensorDict:
        return self._wrapped(self.environment.first_observations)

    def step(self, actions: Tensor) -> Tuple[TensorDict, Tensor, Tensor, Dict[str, Tensor]]:
        result = self.environment.step(actions)
        dones = result.dones
        return self._wrapped(result.observations), result.rewards, dones.ended, {"time_outs": dones.truncated}

    def _wrapped(self, observations: Tensor) -> TensorDict:
        return TensorDict({"policy": observations}, batch_size=[self.num_envs])


def configuration(settings: PPOSettings) -> Dict[str, Any]:
    """As ``OnPolicyRunner`` takes it; its check for NaN is off."""
    network = {
        "class_name": "MLPModel",
        "hidden_dims": list(HIDDEN_SIZES),
        "activation": "elu",
        "obs_normalization": False,
    }
    gaussian = {"class_name": "GaussianDistribution", "init_std": 1.0, "std_type": "log"}
    return {
        "num_steps_per_env": settings.horizon_length,
        "save_interval": FOR_EVER,
        "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "actor": {**network, "distribution_cfg": gaussian},
        "critic": dict(network),
        "check_for_nan": False,
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": settings.num_epochs,
            "num_mini_batches": settings.num_minibatches,
            "clip_param": settings.clip_param,
            "gamma": settings.gamma,
            "lam": settings.gae_lambda,
            "value_loss_coef": settings.value_coef,
            "entropy_coef": settings.entropy_coef,
            "learning_rate": settings.learning_rate,
            "max_grad_norm": settings.max_grad_norm,
            "use_clipped_value_loss": False,
            "schedule": "fixed",
        },
    }


def train(num_envs: int, settings: PPOSettings, done: Done) -> None:
    """``OnPolicyRunner.learn``, without a log folder."""
    torch.manual_seed(0)
    adapter = Adapter(PeerEnvironment(num_envs, settings, done))
    OnPolicyRunner(adapter, configuration(settings), log_dir=None, device="cpu").learn(FOR_EVER)
