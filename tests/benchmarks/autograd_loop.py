"""The same maths as most people write it: modules, autograd, `torch.optim.Adam` and `clip_grad_norm_`.

In the manner of CleanRL's single files, but without their avoidable costs: no distribution objects, no copy to numpy,
metrics from the last epoch only and read back once. Time-outs and the end of the horizon are bootstrapped as in ours.
"""

from __future__ import annotations

import math
from typing import Dict, List, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor, nn

from runtime.context import RunContext
from runtime.graph import Graph
from runtime.simulators.episodes import EpisodeTracker
from runtime.simulators.factory import make_simulator

LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers with ELU between them."""
    layers: List[nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ELU()]
    return nn.Sequential(*layers[:-1])


def log_prob(mean: Tensor, log_std: Tensor, actions: Tensor) -> Tensor:
    """Of one-dimensional Gaussian actions. Shape: (B,)."""
    z = (actions - mean) * torch.exp(-log_std)
    return -0.5 * z * z - log_std - LOG_SQRT_2PI


class Batch(NamedTuple):
    """B transitions. Shapes: (B, obs), then (B,)."""

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    returns: Tensor


class AutogradLoop:
    """One training run, with the hyperparameters of a graph."""

    def __init__(self, graph: Graph, seed: int = 0):
        env, agent = graph.find("Env"), graph.find("Agent")
        random = RunContext(seed=seed).new_generator
        self.settings = graph.find("Trainer").settings()
        self.simulator = make_simulator(
            env.simulator, env.task, env.num_envs, "cpu", random(env.id), desynchronise=env.desynchronise
        )
        self.generator, self.shuffle = random(agent.id), random("shuffle")
        (size,) = self.simulator.task_spec.observation_space.shape
        sizes = [size, *agent.hidden_sizes, 1]
        self.policy, self.value = mlp(sizes), mlp(sizes)
        self.log_std = nn.Parameter(torch.full((1,), agent.initial_log_std))
        self.parameters = [self.log_std, *self.policy.parameters(), *self.value.parameters()]
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=self.settings.learning_rate, eps=self.settings.adam_epsilon, fused=True
        )
        self.episodes = EpisodeTracker(env.num_envs, "cpu", graph.find("Step").episode_window)
        self.observations = self.simulator.reset()
        self._allocate(self.settings.horizon_length, env.num_envs, size)

    def _allocate(self, horizon: int, num_envs: int, size: int) -> None:
        rows = lambda *shape: torch.zeros(horizon, num_envs, *shape)  # noqa: E731
        self.seen, self.successors = rows(size), rows(size)
        self.actions, self.log_probs, self.values, self.rewards = rows(), rows(), rows(), rows()
        self.terminated, self.truncated = rows().bool(), rows().bool()

    def iterate(self) -> Dict[str, float]:
        """One rollout and one update. Returns the metrics."""
        with torch.no_grad():
            self._roll_out()
            advantages, returns = self._advantages()
        metrics = self._update(advantages, returns)
        metrics.update(self.episodes.metrics())
        return metrics

    def _roll_out(self) -> None:
        for step in range(len(self.rewards)):
            mean = self.policy(self.observations).squeeze(-1)
            noise = torch.randn(len(mean), generator=self.generator)
            actions = mean + self.log_std.exp() * noise
            self.seen[step], self.actions[step] = self.observations, actions
            self.log_probs[step] = log_prob(mean, self.log_std, actions)
            self.values[step] = self.value(self.observations).squeeze(-1)
            partial = self.simulator.partial
            result = self.simulator.step(actions.unsqueeze(-1))
            self.episodes.add(result.rewards, result.dones.ended, result.reward_components, partial)
            self.rewards[step], self.successors[step] = result.rewards, result.dones.final_observations
            self.terminated[step], self.truncated[step] = result.dones.terminated, result.dones.truncated
            self.observations = result.observations

    def _advantages(self) -> Tuple[Tensor, Tensor]:
        settings = self.settings
        rewards = self.rewards * settings.reward_scale
        cut = self.truncated
        rewards[cut] += settings.gamma * self.value(self.successors[cut]).squeeze(-1)
        goes_on = 1.0 - (self.terminated | cut).float()
        following = torch.cat((self.values[1:], self.value(self.successors[-1]).view(1, -1)))
        deltas = rewards + settings.gamma * goes_on * following - self.values
        advantages, last = torch.empty_like(deltas), torch.zeros_like(deltas[0])
        for step in reversed(range(len(deltas))):
            last = deltas[step] + settings.gamma * settings.gae_lambda * goes_on[step] * last
            advantages[step] = last
        return advantages, advantages + self.values

    def _update(self, advantages: Tensor, returns: Tensor) -> Dict[str, float]:
        settings = self.settings
        fields = (self.seen, self.actions, self.log_probs, advantages, returns)
        batch = Batch(*(field.flatten(0, 1) for field in fields))
        rows = settings.rows_per_minibatch(len(self.observations))
        figures = []
        for epoch in range(settings.num_epochs):
            last = epoch + 1 == settings.num_epochs
            for indices in torch.randperm(len(batch.actions), generator=self.shuffle).split(rows):
                loss, metrics = self._loss(Batch(*(field[indices] for field in batch)), last)
                self.optimizer.zero_grad()
                loss.backward()
                norm = nn.utils.clip_grad_norm_(self.parameters, settings.max_grad_norm, foreach=True)
                self.optimizer.step()
                if last:
                    figures.append({**metrics, "train/gradient_norm": norm})
        means = {name: torch.stack([figure[name] for figure in figures]).mean() for name in figures[0]}
        means["train/explained_variance"] = 1.0 - (returns - self.values).var() / returns.var()
        means["rollout/mean_reward"], means["rollout/mean_value"] = self.rewards.mean(), self.values.mean()
        means["rollout/mean_return"] = returns.mean()
        return dict(zip(means, torch.stack(list(means.values())).tolist()))

    def _loss(self, batch: Batch, traced: bool) -> Tuple[Tensor, Dict[str, Tensor]]:
        clip = self.settings.clip_param
        log_ratio = log_prob(self.policy(batch.observations).squeeze(-1), self.log_std, batch.actions) - batch.log_probs
        ratio = log_ratio.exp()
        advantages = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std() + 1e-8)
        surrogate = torch.min(ratio * advantages, ratio.clamp(1.0 - clip, 1.0 + clip) * advantages)
        policy_loss = -surrogate.mean()
        value_loss = (self.value(batch.observations).squeeze(-1) - batch.returns).square().mean()
        loss = policy_loss + self.settings.value_coef * value_loss
        if not traced:
            return loss, {}
        with torch.no_grad():
            entropy = self.log_std.sum() + 0.5 + LOG_SQRT_2PI
            return loss, {
                "train/policy_loss": policy_loss.detach(),
                "train/value_loss": value_loss.detach(),
                "train/entropy_loss": -entropy,
                "train/entropy": entropy,
                "train/approx_kl": (ratio - 1.0 - log_ratio).mean(),
                "train/clip_fraction": ((ratio - 1.0).abs() > clip).float().mean(),
            }
