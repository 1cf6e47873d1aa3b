"""The conditions that end a run."""

from __future__ import annotations

import math
from typing import Any, Dict, Optional

from ..context import RunContext
from ..duration import format_duration
from .settings import RunSettings

REWARD = "episode/mean_reward"


class Limits:
    """Decides at safe points whether the run has come to its end."""

    def __init__(self, settings: RunSettings, context: RunContext):
        self.settings = settings
        self.context = context
        self.best = -math.inf
        self.best_iteration = 0
        self._reason: Optional[str] = None

    def on_iteration(self, metrics: Dict[str, float]) -> None:
        """Look at the metrics of a finished iteration."""
        reward, iteration = metrics.get(REWARD), self.context.progress.iterations
        wanted, patience = self.settings.stop_reward, self.settings.patience
        if reward is None:
            return
        if wanted is not None and reward >= wanted:
            self._reason = f"{REWARD} reached {reward:.6g} (asked for {wanted:g})"
        if reward > self.best:
            self.best, self.best_iteration = reward, iteration
        elif patience is not None and iteration - self.best_iteration >= patience:
            self._reason = f"no improvement for {patience} iterations (best {REWARD} {self.best:.6g})"

    def reached(self) -> Optional[str]:
        """The reason to end now, or ``None``."""
        reason = self.counted()
        return self.timed_out() if reason is None and self.settings.timeout is not None else reason

    def timed_out(self) -> Optional[str]:
        """The reason that the clock gives."""
        timeout = self.settings.timeout
        if timeout is not None and self.context.elapsed >= timeout:
            return f"time-out after {format_duration(timeout)}"
        return None

    def counted(self) -> Optional[str]:
        """The reason that steps, iterations and rewards give: at the same time on every process of a run."""
        settings, progress = self.settings, self.context.progress
        if settings.total_timesteps is not None and progress.environment_steps >= settings.total_timesteps:
            return f"{progress.environment_steps:,} of {settings.total_timesteps:,} steps"
        if settings.iterations is not None and progress.iterations >= settings.iterations:
            return f"{progress.iterations:,} of {settings.iterations:,} iterations"
        return self._reason

    def state_dict(self) -> Dict[str, Any]:
        """Best reward so far, for a resume."""
        return {"best": self.best, "best_iteration": self.best_iteration}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.best, self.best_iteration = state["best"], state["best_iteration"]
