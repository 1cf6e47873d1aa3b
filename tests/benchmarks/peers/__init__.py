"""Other libraries' PPO on our Cartpole: one module each, with its adapter; their training and update code is their own.

Each module has ``train(num_envs, settings, done)``. Importing one raises ImportError where its library is missing.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from typing import Dict, Iterator

from runtime.rl.settings import PPOSettings

from ..turns import Contender, Done

PEERS: Dict[str, str] = {
    "Stable-Baselines3": "stable_baselines3_peer",
    "rsl_rl": "rsl_rl_peer",
    "skrl": "skrl_peer",
    "rl_games": "rl_games_peer",
}


def peer_contender(name: str, num_envs: int, settings: PPOSettings) -> Contender:
    """A library of `PEERS`, with the given hyperparameters and two networks of [32, 32] with ELU.

    Raises:
        ImportError: The library is not installed.
    """
    module = importlib.import_module(f"{__name__}.{PEERS[name]}")

    def train(done: Done) -> None:
        module.train(num_envs, settings, done)

    return Contender(name, train)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Some libraries print whatever they are told; standard output goes nowhere meanwhile."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        yield
