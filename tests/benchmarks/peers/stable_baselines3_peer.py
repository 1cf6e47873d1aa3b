"""Stable-Baselines3: Raffin et al. 2021, https://jmlr.org/papers/v22/20-1364.html."""

from __future__ import annotations

from typing import Any, List

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from runtime.rl.settings import PPOSettings

from ..turns import Done
from .environment import HIDDEN_SIZES, PeerEnvironment

FOR_EVER = 10**12


class Adapter(VecEnv):
    """Tensors to numpy arrays without a copy; an info with the final observation only where an episode ended."""

    def __init__(self, environment: PeerEnvironment):
        self.environment = environment
        number = environment.num_envs
        super().__init__(number, spaces.Box(-np.inf, np.inf, (4,), np.float32), spaces.Box(-1.0, 1.0, (1,), np.float32))
        self._no_infos: List[dict] = [{} for _ in range(number)]

    def reset(self) -> np.ndarray:
        return self.environment.first_observations.numpy()

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = torch.from_numpy(actions)

    def step_wait(self) -> Any:
        result = self.environment.step(self._actions)
        ended, infos = result.dones.ended.numpy(), self._no_infos
        if ended.any():
            infos = list(infos)
            final, truncated = result.dones.final_observations.numpy(), result.dones.truncated.tolist()
            for index in np.flatnonzero(ended):
                infos[index] = {"terminal_observation": final[index], "TimeLimit.truncated": truncated[index]}
        return result.observations.numpy(), result.rewards.numpy(), ended, infos

    def close(self) -> None:
        pass

    def get_attr(self, attr_name: str, indices: Any = None) -> List[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        pass

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> List[Any]:
        return [None] * self.num_envs

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> List[bool]:
        return [False] * self.num_envs


def train(num_envs: int, settings: PPOSettings, done: Done) -> None:
    """``PPO.learn``."""
    sizes = list(HIDDEN_SIZES)
    model = PPO(
        "MlpPolicy",
        Adapter(PeerEnvironment(num_envs, settings, done)),
        n_steps=settings.horizon_length,
        batch_size=settings.rows_per_minibatch(num_envs),
        n_epochs=settings.num_epochs,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        learning_rate=settings.learning_rate,
        clip_range=settings.clip_param,
        vf_coef=settings.value_coef,
        ent_coef=settings.entropy_coef,
        max_grad_norm=settings.max_grad_norm,
        device="cpu",
        seed=0,
        policy_kwargs={"net_arch": {"pi": sizes, "vf": sizes}, "activation_fn": torch.nn.ELU},
    )
    model.learn(FOR_EVER)
