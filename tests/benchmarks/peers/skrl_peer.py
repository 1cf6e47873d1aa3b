"""skrl: Serrano-Muñoz et al. 2023, https://jmlr.org/papers/v24/23-0112.html."""

from __future__ import annotations

import tempfile
from typing import Any, Dict, Tuple

import numpy as np
import torch
from gymnasium import spaces
from skrl import logger
from skrl.agents.torch.ppo import PPO
from skrl.envs.wrappers.torch.base import Wrapper
from skrl.memories.torch import RandomMemory
from skrl.models.torch import DeterministicMixin, GaussianMixin, Model
from skrl.trainers.torch import SequentialTrainer
from torch import Tensor, nn

from runtime.rl.settings import PPOSettings

from ..turns import Done
from .environment import PeerEnvironment, mlp

FOR_EVER = 10**9


class Adapter(Wrapper):
    """Columns instead of vectors."""

    def __init__(self, environment: PeerEnvironment):
        self.environment = environment
        self._env = self._unwrapped = environment.simulator
        self._device = torch.device("cpu")

    @property
    def num_envs(self) -> int:
        return self.environment.num_envs

    @property
    def num_agents(self) -> int:
        return 1

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(-np.inf, np.inf, (4,), np.float32)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, (1,), np.float32)

    @property
    def state_space(self) -> None:
        return None

    def reset(self) -> Tuple[Tensor, Dict[str, Any]]:
        return self.environment.first_observations, {}

    def state(self) -> None:
        return None

    def step(self, actions: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Dict[str, Any]]:
        result = self.environment.step(actions)
        columns = (result.rewards, result.dones.terminated, result.dones.truncated)
        return (result.observations, *(values.unsqueeze(-1) for values in columns), {})

    def render(self, *_: Any, **__: Any) -> None:
        pass

    def close(self) -> None:
        pass


class Policy(GaussianMixin, Model):
    """A Gaussian with a learnt log standard deviation that starts at 0."""

    def __init__(self, adapter: Adapter):
        Model.__init__(
            self, observation_space=adapter.observation_space, action_space=adapter.action_space, device="cpu"
        )
        GaussianMixin.__init__(self)
        self.network, self.log_std = mlp(1), nn.Parameter(torch.zeros(1))

    def compute(self, inputs: Dict[str, Tensor], role: str = "") -> Tuple[Tensor, Dict[str, Tensor]]:
        return self.network(inputs["observations"]), {"log_std": self.log_std}


class Value(DeterministicMixin, Model):
    """The value function."""

    def __init__(self, adapter: Adapter):
        Model.__init__(
            self, observation_space=adapter.observation_space, action_space=adapter.action_space, device="cpu"
        )
        DeterministicMixin.__init__(self)
        self.network = mlp(1)

    def compute(self, inputs: Dict[str, Tensor], role: str = "") -> Tuple[Tensor, Dict[str, Tensor]]:
        return self.network(inputs["observations"]), {}


def configuration(settings: PPOSettings) -> Dict[str, Any]:
    """As ``PPO`` takes it; nothing is written to files."""
    return {
        "rollouts": settings.horizon_length,
        "learning_epochs": settings.num_epochs,
        "mini_batches": settings.num_minibatches,
        "discount_factor": settings.gamma,
        "gae_lambda": settings.gae_lambda,
        "learning_rate": settings.learning_rate,
        "grad_norm_clip": settings.max_grad_norm,
        "ratio_clip": settings.clip_param,
        "value_clip": 0.0,
        "value_loss_scale": settings.value_coef,
        "entropy_loss_scale": settings.entropy_coef,
        "time_limit_bootstrap": True,
        "experiment": {"directory": tempfile.gettempdir(), "write_interval": 0, "checkpoint_interval": 0},
    }


def train(num_envs: int, settings: PPOSettings, done: Done) -> None:
    """``SequentialTrainer.train``."""
    torch.manual_seed(0)
    logger.setLevel("ERROR")
    adapter = Adapter(PeerEnvironment(num_envs, settings, done))
    agent = PPO(
        models={"policy": Policy(adapter), "value": Value(adapter)},
        memory=RandomMemory(memory_size=settings.horizon_length, num_envs=num_envs, device="cpu"),
        observation_space=adapter.observation_space,
        action_space=adapter.action_space,
        device="cpu",
        cfg=configuration(settings),
    )
    trainer = {
        "timesteps": FOR_EVER,
        "headless": True,
        "disable_progressbar": True,
        "close_environment_at_exit": False,
    }
    SequentialTrainer(env=adapter, agents=agent, cfg=trainer).train()
