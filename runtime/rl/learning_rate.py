"""How the learning rate of PPO moves during a training."""

from __future__ import annotations

from .settings import PPOSettings

ADAPTIVE_FACTOR = 1.5


def scheduled_rate(present: float, progress: float, settings: PPOSettings) -> float:
    """The rate that an update begins with.

    Args:
        present: That of the update before.
        progress: Share of the training that is done. Unit: 0 to 1.
        settings: Hyperparameters.
    """
    if settings.learning_rate_schedule == "linear":
        return settings.learning_rate * max(0.0, 1.0 - progress)
    return settings.learning_rate if settings.learning_rate_schedule == "fixed" else present


def adapted_rate(present: float, kl: float, settings: PPOSettings) -> float:
    """The rate after an epoch: aims at desired_kl, as rl_games' AdaptiveScheduler and rsl_rl do.

    Args:
        present: That of the epoch.
        kl: Mean divergence of the policies before and after it.
        settings: Hyperparameters.
    """
    if kl > 2.0 * settings.desired_kl:
        return max(present / ADAPTIVE_FACTOR, settings.learning_rate_low)
    if kl < 0.5 * settings.desired_kl:
        return min(present * ADAPTIVE_FACTOR, settings.learning_rate_high)
    return present
