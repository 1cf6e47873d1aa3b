"""Statistics of finished episodes: undiscounted raw returns, lengths and reward components."""

import math
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

import torch
from torch import Tensor

from ..errors import CheckpointError
from .interface import SimulatorError

LOOK_STEPS = 100
"""Steps between two looks for episodes that go on and on."""
STATE_ENTRIES = ("names", "count", "total_quota", "totals", "finished", "env_counts")


class EpisodeTracker:
    """Adds up every environment's episode and keeps the last finished ones.

    The order of episodes is that of the steps in which they ended and, within a step, that of their environments.
    Nothing is read back from the device while adding: finished episodes go to a ring of rows that lives there.

    Args:
        num_envs: Number of environments, N.
        device: Where rewards and dones are.
        window: Finished episodes that are kept and averaged over.
    """

    def __init__(self, num_envs: int, device: Union[torch.device, str], window: int = 64):
        if window < 1:
            raise SimulatorError(f"the window of episode statistics must be at least 1, got {window}")
        self.num_envs = num_envs
        self.device = torch.device(device)
        self.capacity = window
        self._asks_first = self.device.type == "cpu"
        self._names: Optional[Tuple[str, ...]] = None
        self._ones = torch.ones(num_envs, device=self.device)
        self._total_quota: Optional[int] = None
        self._steps = 0
        self._quota = self._zeros(num_envs, dtype=torch.int64)
        self._count: Union[int, Tensor] = 0  # a tensor once episodes were counted without waiting for the device
        self._env_counts = self._zeros(num_envs, dtype=torch.int64)
        # Length, return and reward components of the running episodes, and below of the finished ones.
        self._totals = self._zeros(2, num_envs)
        self._set_ring(2)

    def quota(self, total_episodes: int) -> None:
        """Count a fixed number of episodes per environment, the first ones, and keep them all.

        Counting whichever episodes end first would favour short ones; with quotas that are fixed in advance the mean is
        unbiased (as Stable-Baselines3's ``evaluate_policy``). Where the total is no multiple of N, the first
        environments get one more.

        Raises:
            SimulatorError: Episodes are already being counted, or the total is not positive.
        """
        if self._names is not None or total_episodes < 1:
            raise SimulatorError(f"a quota must be set before the first step and be at least 1, got {total_episodes}")
        self._total_quota = self.capacity = total_episodes
        each, rest = divmod(total_episodes, self.num_envs)
        self._quota = each + (torch.arange(self.num_envs, device=self.device) < rest)
        self._set_ring(len(self._ring))

    def add(
        self, rewards: Tensor, ended: Tensor, reward_components: Mapping[str, Tensor], partial: Optional[Tensor] = None
    ) -> None:
        """Take in one step of all environments.

        Args:
            rewards: Raw rewards. Shape: (N,).
            ended: Terminated or truncated. Shape: (N,) bool.
            reward_components: Parts of the reward, the same names in the same order in every step. Shape of each: (N,).
            partial: `Simulator.partial` as it was before the step; episodes marked there do not count. Shape: (N,).

        Raises:
            SimulatorError: The names of the reward components changed.
        """
        if tuple(reward_components) != self._names:
            self._set_names(tuple(reward_components))
        self._steps += 1
        self._totals.add_(torch.stack((self._ones, rewards, *reward_components.values())))
        if not self._asks_first or ended.any():
            self._store(ended, ended if partial is None else ended > partial)

    @property
    def count(self) -> int:
        """Episodes counted so far."""
        return int(self._count)

    @property
    def complete(self) -> bool:
        """True when every environment has met its quota; never without one. Waits for the device."""
        return self._total_quota is not None and self.count == self._total_quota

    def goes_on(self, steps: int) -> bool:
        """Whether an episode that would count has taken so many steps, and has not ended; looked at now and then."""
        if self._total_quota is None or self._steps % min(steps, LOOK_STEPS):
            return False
        return bool(((self._totals[0] >= steps) & (self._env_counts < self._quota)).any())

    def returns(self) -> List[float]:
        """Undiscounted returns of the kept episodes, oldest first."""
        return self._finished()[1].tolist()

    def metrics(self) -> Dict[str, float]:
        """Means over the kept episodes; empty while none finished.

        Returns:
            ``episode/mean_reward``, ``episode/mean_length`` (steps), ``episode/count`` (all that finished so far), and
            ``episode/reward_<component>``: the episode's sum of each reward component.
        """
        count = self.count
        if not count:
            return {}
        lengths, *sums = (_mean(row) for row in self._finished().tolist())
        figures = {"episode/mean_reward": sums[0], "episode/mean_length": lengths, "episode/count": float(count)}
        figures.update((f"episode/reward_{name}", value) for name, value in zip(self._names or (), sums[1:]))
        return figures

    def finished(self) -> Tuple[List[float], List[int]]:
        """Returns and lengths (in steps) of the kept episodes, in their order."""
        lengths, returns = self._finished()[:2].tolist()
        return returns, [int(length) for length in lengths]

    def summary(self) -> Dict[str, float]:
        """Count, mean, standard deviation (of the population), least and greatest return, and the mean length."""
        lengths, returns = self._finished()[:2].tolist()
        if not returns:
            return {"episodes": 0.0}
        mean = _mean(returns)
        return {
            "episodes": float(len(returns)),
            "mean_reward": mean,
            "std_reward": math.sqrt(_mean([(value - mean) ** 2 for value in returns])),
            "min_reward": min(returns),
            "max_reward": max(returns),
            "mean_length": _mean(lengths),
        }

    def state_dict(self) -> Dict[str, Any]:
        """Kept and running episodes, bit by bit."""
        return {
            "names": None if self._names is None else list(self._names),
            "count": self.count,
            "total_quota": self._total_quota,
            "totals": self._totals.clone(),
            "finished": self._finished().clone(),
            "env_counts": self._env_counts.clone(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state. A smaller window keeps the latest episodes.

        Raises:
            CheckpointError: It was saved with another number of environments or another quota, or is incomplete.
        """
        self._check_fits(state)
        self._names = None if state["names"] is None else tuple(state["names"])
        self._totals = state["totals"].to(self.device, copy=True)
        self._env_counts = state["env_counts"].to(self.device, copy=True)
        self._count = state["count"]
        finished = state["finished"].to(self.device)[:, -self.capacity :]
        self._set_ring(len(finished))
        self._ring[:, self._kept_slots(state["count"], finished.shape[1])] = finished

    def _store(self, ended: Tensor, counted: Tensor) -> None:
        if self._total_quota is not None:
            counted = counted.logical_and(self._env_counts < self._quota)
            self._env_counts.add_(counted)
        if self._asks_first:
            self._store_selected(counted.nonzero().squeeze(1))
        else:
            self._store_masked(counted)
        self._totals.masked_fill_(ended, 0.0)

    def _store_selected(self, ids: Tensor) -> None:
        self._count += ids.numel()
        kept = ids[-self.capacity :]
        slots = self._kept_slots(self.count, kept.numel())
        self._ring.index_copy_(1, slots, self._totals.index_select(1, kept))

    def _store_masked(self, counted: Tensor) -> None:
        """The same without waiting for the device: what is not kept goes to the last column, which is never read."""
        rank = counted.cumsum(0)
        kept = counted.logical_and(rank > rank[-1] - self.capacity)
        slots = (self._count + (rank - 1)).remainder_(self.capacity).masked_fill_(~kept, self.capacity)
        self._ring.index_copy_(1, slots, self._totals)
        self._count += rank[-1]

    def _finished(self) -> Tensor:
        count = self.count
        return self._ring[:, self._kept_slots(count, min(count, self.capacity))]

    def _kept_slots(self, count: int, kept: int) -> Tensor:
        """Columns of the last episodes, at most as many as the ring has."""
        last = self.capacity + count % self.capacity
        return self._slots[last - kept : last]

    def _set_names(self, names: Tuple[str, ...]) -> None:
        if self._names is not None:
            raise SimulatorError(f"reward components changed from {self._names} to {names}")
        self._names = names
        self._totals = self._zeros(2 + len(names), self.num_envs)
        self._set_ring(2 + len(names))

    def _set_ring(self, rows: int) -> None:
        """Empty places for finished episodes, and one more for what is not kept; where the ring's turns go on."""
        self._ring = self._zeros(rows, self.capacity + 1)
        self._slots = torch.arange(2 * self.capacity, device=self.device).remainder_(self.capacity)

    def _zeros(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        return torch.zeros(*shape, dtype=dtype, device=self.device)

    def _check_fits(self, state: Mapping[str, Any]) -> None:
        missing = [name for name in STATE_ENTRIES if name not in state]
        if missing:
            raise CheckpointError(f"saved episode statistics: {', '.join(missing)} missing")
        found = (state["totals"].shape[1], state["total_quota"])
        for what, saved, own in zip(("number of environments", "quota"), found, (self.num_envs, self._total_quota)):
            if saved != own:
                raise CheckpointError(f"saved episode statistics: the {what} is {saved}, expected {own}")


def _mean(values: List[float]) -> float:
    return math.fsum(values) / len(values)
