"""Environments with a known course, registered with Gymnasium for the tests."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Countdown(gymnasium.Env):
    """Observes how often it was stepped, as (steps, episodes, last action); ends after ``length`` steps."""

    metadata = {"render_modes": []}

    def __init__(self, length: int = 3, space: str = "box"):
        self.length = length
        self.kind = space
        self.episodes = 0
        self.action_space = {
            "box": spaces.Box(np.array([-2.0, 0.0]), np.array([2.0, 10.0]), dtype=np.float64),
            "unbounded": spaces.Box(-np.inf, np.inf, (2,)),
            "choice": spaces.Discrete(3, start=5),
            "choices": spaces.MultiDiscrete([2, 3]),
            "switches": spaces.MultiBinary(2),
            "words": spaces.Text(4),
        }[space]
        self.observation_space = spaces.Box(-np.inf, np.inf, (4,), np.float64)

    def _observation(self, action: Any = None) -> Any:
        pair = np.zeros(2) if action is None else np.broadcast_to(np.asarray(action, np.float64), (2,))
        return np.array([self.steps, self.episodes, *pair])

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.steps = 0
        self.episodes += 1
        return self._observation(), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        ended = self.steps >= self.length
        return self._observation(action), float(self.steps), ended, False, {"speed": float(self.episodes)}


class Various(gymnasium.Env):
    """Observations of a given kind."""

    def __init__(self, kind: str = "dict"):
        self.observation_space = {
            "dict": spaces.Dict({"a": spaces.Box(0.0, 1.0, (2,)), "b": spaces.Discrete(3)}),
            "image": spaces.Box(0, 255, (8, 6, 3), np.uint8),
            "number": spaces.Box(0.0, 1.0, ()),
            "graph": spaces.Graph(spaces.Box(0.0, 1.0, (2,)), None),
        }[kind]
        self.action_space = spaces.Discrete(2)

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.seen = self.observation_space.sample()
        return self.seen, {}

    def step(self, action: Any) -> Any:
        return self.seen, 0.0, False, False, {}


class Crashing(Countdown):
    """Its process ends by itself in the second step."""

    def step(self, action: Any) -> Any:
        if self.steps == 1:
            import os

            os._exit(3)
        return super().step(action)


def register() -> None:
    """Make them known by their ids, once."""
    for name, cls, limit in (("Countdown", Countdown, 10), ("Various", Various, 4), ("Crashing", Crashing, 10)):
        if f"Dnne{name}-v0" not in gymnasium.registry:
            gymnasium.register(f"Dnne{name}-v0", entry_point=cls, max_episode_steps=limit)
