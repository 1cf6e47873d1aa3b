"""The reference graph's work as a plain loop: what a careful person would write with this library's own parts.

The same simulator step, policy, rollout storage, bootstrap, optimiser and metrics as often; no nodes, ports, engine or
events. `test_hand_loop.py` shows that both end with the same bits.
"""

from __future__ import annotations

from typing import Dict, Type

import torch

from runtime.context import RunContext
from runtime.graph import Graph
from runtime.rl.actor_critic import ActorCritic
from runtime.rl.ppo import PPO
from runtime.rl.rollout import RolloutStorage
from runtime.simulators.episodes import EpisodeTracker
from runtime.simulators.factory import make_simulator

from .turns import Contender, Done


class HandLoop:
    """One training run, with the hyperparameters and random numbers of a graph.

    Args:
        graph: The reference graph; only its parameters are read.
        seed: As in the run settings.
        ppo_type: Another update, to see what part of it costs.
        track_episodes: Keep statistics of finished episodes, as Step does.
    """

    def __init__(self, graph: Graph, seed: int = 0, ppo_type: Type[PPO] = PPO, track_episodes: bool = True):
        env, agent, trainer = graph.find("Env"), graph.find("Agent"), graph.find("Trainer")
        random = RunContext(seed=seed).new_generator
        settings = trainer.settings()
        self.simulator = make_simulator(
            env.simulator, env.task, env.num_envs, "cpu", random(env.id), desynchronise=env.desynchronise
        )
        task = self.simulator.task_spec
        self.generator = random(agent.id)
        self.model = ActorCritic(
            task.observation_space.shape,
            task.action_space,
            generator=self.generator,
            hidden_sizes=agent.hidden_sizes,
            activation=agent.activation,
            initial_log_std=agent.initial_log_std,
        )
        self.storage = RolloutStorage(
            settings.horizon_length, env.num_envs, task.observation_space.shape, task.action_space
        )
        self.ppo = ppo_type(self.model, settings, random(trainer.id))
        self.episodes = EpisodeTracker(env.num_envs, "cpu", graph.find("Step").episode_window)
        self.track_episodes = track_episodes
        self.observations = self.simulator.reset()

    def iterate(self) -> Dict[str, float]:
        """One rollout and one update. Returns the metrics."""
        while not self.storage.full:
            self._step()
        metrics = self.ppo.update(self.storage)
        self.storage.clear()
        metrics.update(self.episodes.metrics())
        return metrics

    def _step(self) -> None:
        policy = self.model.act(self.observations, self.generator)
        partial = self.simulator.partial
        result = self.simulator.step(policy.actions.clamp(-1.0, 1.0))
        if self.track_episodes:
            self.episodes.add(result.rewards, result.dones.ended, result.reward_components, partial)
        self.storage.add(
            self.observations, policy, result.rewards, result.dones.terminated, result.dones.truncated,
            result.dones.final_observations,
        )  # fmt: skip
        self.observations = result.observations


def loop_contender(name: str, make_loop: Type, *arguments: object, **options: object) -> Contender:
    """A loop with an ``iterate`` method. It is made in the contender's thread."""

    def train(done: Done) -> None:
        torch.set_grad_enabled(True)
        loop = make_loop(*arguments, **options)
        loop.iterate()
        while done():
            loop.iterate()

    return Contender(name, train)
