"""rl_games: Makoviichuk and Makoviychuk 2021, https://github.com/Denys88/rl_games."""

from __future__ import annotations

import tempfile
from typing import Any, Dict, Tuple

import gymnasium
import numpy as np
import torch
from rl_games.common import env_configurations, vecenv
from rl_games.common.ivecenv import IVecEnv
from rl_games.torch_runner import Runner
from torch import Tensor

from runtime.rl.settings import PPOSettings

from ..turns import Done
from .environment import HIDDEN_SIZES, PeerEnvironment


class Adapter(IVecEnv):
    """Tensors in, tensors out; time-outs among the infos."""

    def __init__(self, environment: PeerEnvironment):
        self.environment = environment

    def reset(self) -> Tensor:
        return self.environment.first_observations

    def step(self, actions: Tensor) -> Tuple[Tensor, Tensor, Tensor, Dict[str, Tensor]]:
        result = self.environment.step(actions)
        return result.observations, result.rewards, result.dones.ended, {"time_outs": result.dones.truncated}

    def get_env_info(self) -> Dict[str, Any]:
        return {
            "observation_space": gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32),
            "action_space": gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32),
            "agents": 1,
            "value_size": 1,
        }


def configuration(num_envs: int, settings: PPOSettings, folder: str) -> Dict[str, Any]:
    """As ``Runner`` takes it. Its value loss has a factor of ½, hence twice the coefficient."""
    plain = {"name": "default"}
    continuous = {
        "mu_activation": "None",
        "sigma_activation": "None",
        "mu_init": plain,
        "fixed_sigma": True,
        "sigma_init": {"name": "const_initializer", "val": 0},
    }
    network = {
        "name": "actor_critic",
        "separate": True,
        "space": {"continuous": continuous},
        "mlp": {
            "units": list(HIDDEN_SIZES),
            "activation": "elu",
            "initializer": plain,
            "regularizer": {"name": "None"},
        },
    }
    config = {
        "name": "benchmark", "full_experiment_name": "benchmark", "train_dir": folder, "env_name": "benchmark",
        "device": "cpu", "device_name": "cpu", "ppo": True, "mixed_precision": False, "torch_compile": False,
        "normalize_input": False, "normalize_value": False, "normalize_advantage": settings.normalize_advantages,
        "value_bootstrap": settings.bootstrap_timeouts, "reward_shaper": {"scale_value": 1.0},
        "num_actors": num_envs, "horizon_length": settings.horizon_length,
        "minibatch_size": settings.rows_per_minibatch(num_envs), "mini_epochs": settings.num_epochs,
        "gamma": settings.gamma, "tau": settings.gae_lambda, "learning_rate": settings.learning_rate,
        "lr_schedule": "None", "e_clip": settings.clip_param, "clip_value": settings.clip_value,
        "critic_coef": 2.0 * settings.value_coef, "entropy_coef": settings.entropy_coef,
        "bounds_loss_coef": settings.bounds_coef, "truncate_grads": True, "grad_norm": settings.max_grad_norm,
        "score_to_win": 1e9, "max_epochs": 10**9, "save_frequency": 0, "print_stats": False,
    }  # fmt: skip
    algorithm, model = {"name": "a2c_continuous"}, {"name": "continuous_a2c_logstd"}
    return {"params": {"seed": 0, "algo": algorithm, "model": model, "network": network, "config": config}}


def train(num_envs: int, settings: PPOSettings, done: Done) -> None:
    """Its own ``train_epoch`` again and again, without the logs and checkpoints of the loop around it."""
    environment = PeerEnvironment(num_envs, settings, done)
    vecenv.register("BENCHMARK", lambda *_, **__: Adapter(environment))
    env_configurations.register("benchmark", {"vecenv_type": "BENCHMARK", "env_creator": lambda **_: None})
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner()
        runner.load(configuration(num_envs, settings, folder))
        agent = runner.algo_factory.create(runner.algo_name, base_name="run", params=runner.params)
        torch.set_num_threads(1)
        agent.init_tensors()
        agent.obs = agent.env_reset()
        agent.curr_frames = agent.batch_size_envs
        while True:
            agent.update_epoch()
            agent.train_epoch()
            agent.dataset.update_values_dict(None)
