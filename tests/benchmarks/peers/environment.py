"""What the adapters share: our simulator, the reward's scale, and turns that end after every T steps."""

from __future__ import annotations

from typing import List

import torch
from torch import Tensor, nn

from runtime.rl.settings import PPOSettings
from runtime.simulators.interface import StepResult
from runtime.simulators.tasks.cartpole import Cartpole
from runtime.simulators.torch_engine import TorchSimulator

from ..turns import Done, Enough

HIDDEN_SIZES = (32, 32)


class PeerEnvironment:
    """The Cartpole of the reference graph.

    Args:
        num_envs: Parallel environments.
        settings: Brings the horizon and the reward's scale.
        done: Asked after every T steps, that is once per iteration, whether to go on.
    """

    def __init__(self, num_envs: int, settings: PPOSettings, done: Done):
        device, generator = torch.device("cpu"), torch.Generator().manual_seed(0)
        self.num_envs = num_envs
        self.simulator = TorchSimulator(Cartpole(device), num_envs, device, generator, desynchronise=True)
        self.first_observations = self.simulator.reset()
        self._settings = settings
        self._done = done
        self._steps = 0

    def step(self, actions: Tensor) -> StepResult:
        """One step, with rewards scaled for the learner; raises `Enough` at the end of the last turn."""
        if self._steps == self._settings.horizon_length:
            self._steps = 0
            if not self._done():
                raise Enough
        self._steps += 1
        result = self.simulator.step(actions.view(self.num_envs, 1))
        return result._replace(rewards=result.rewards * self._settings.reward_scale)


def mlp(outputs: int) -> nn.Sequential:
    """Four observations to some outputs, for libraries that leave networks to their users."""
    layers: List[nn.Module] = []
    width = 4
    for size in HIDDEN_SIZES:
        layers += [nn.Linear(width, size), nn.ELU()]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, outputs))
