"""How long the present episodes of N environments last, kept without a tensor operation in most steps."""

from typing import Optional

import torch
from torch import Tensor


class EpisodeClock:
    """Counts steps as one number, and remembers at which of them every episode began.

    Whether time is up is looked up only in steps in which it can be: an episode that ended before its time only makes
    the next look too early.

    Args:
        num_envs: Number of environments, N.
        limit: Steps of the longest episode.
        device: Where the tensors live.
    """

    def __init__(self, num_envs: int, limit: int, device: torch.device):
        self.limit = limit
        self.restart(
            torch.zeros(num_envs, dtype=torch.int64, device=device),
            torch.zeros(num_envs, dtype=torch.bool, device=device),
        )

    def restart(self, steps: Tensor, partial: Tensor) -> None:
        """Every episode has made some steps. Shapes: (N,) int64, (N,) bool."""
        self._now = 0
        self._began = -steps
        self._partial = partial
        self._next_look = 0

    def tick(self) -> Optional[Tensor]:
        """One step of every environment. Returns where the time is up, Shape: (N,) bool; None where nowhere."""
        self._now += 1
        if self._now < self._next_look:
            return None
        self._next_look = int(self._began.min()) + self.limit
        if self._now < self._next_look:
            return None
        return self._began <= self._now - self.limit

    def begin(self, env_ids: Tensor) -> None:
        """New episodes, at step 0, in some environments. Shape: (K,) int64."""
        self._began = self._began.index_fill(0, env_ids, self._now)
        if self._now < self.limit:  # by then every episode has ended that began before the restart
            self._partial = self._partial.index_fill(0, env_ids, False)

    @property
    def steps(self) -> Tensor:
        """Steps of the present episodes; a tensor of its own. Shape: (N,) int64."""
        return self._now - self._began

    @property
    def partial(self) -> Tensor:
        """True where the present episode did not begin at its step 0; never written to again. Shape: (N,) bool."""
        return self._partial
