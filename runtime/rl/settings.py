"""The hyperparameters of PPO, each with its meaning and range."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Optional

from ..errors import ParameterError

SCHEDULES = ("fixed", "linear", "adaptive")
PRECISIONS = ("off", "bf16", "fp16")

_RANGES = {
    "horizon_length": (1, None),
    "num_epochs": (1, None),
    "minibatch_size": (1, None),
    "num_minibatches": (1, None),
    "gamma": (0.0, 1.0),
    "gae_lambda": (0.0, 1.0),
    "clip_param": (0.0, None),
    "value_clip_param": (0.0, None),
    "value_coef": (0.0, None),
    "entropy_coef": (0.0, None),
    "bounds_coef": (0.0, None),
    "bounds_limit": (0.0, None),
    "max_grad_norm": (0.0, None),
    "learning_rate": (0.0, None),
    "learning_rate_low": (0.0, None),
    "learning_rate_high": (0.0, None),
    "desired_kl": (0.0, None),
    "target_kl": (0.0, None),
    "adam_epsilon": (0.0, None),
    "gradient_accumulation": (1, None),
}


@dataclass(frozen=True)
class PPOSettings:
    """Hyperparameters of `runtime.rl.ppo.PPO`. Replace them with `dataclasses.replace`, also during a run.

    Attributes:
        horizon_length: Steps of every environment between two updates, T.
        num_epochs: Passes over the rollout per update.
        minibatch_size: Transitions per minibatch; 0 to give their number instead.
        num_minibatches: Minibatches per epoch where minibatch_size is 0.
        gamma: Discount per step.
        gae_lambda: λ of generalised advantage estimation.
        clip_param: ε of the clipped surrogate objective.
        clip_value: Clip the change of the value prediction, too.
        value_clip_param: Largest change of the value; None takes clip_param. Unit: normalised return.
        value_coef: Weight of the mean squared value error (as in Stable-Baselines3, without a factor of ½).
        entropy_coef: Weight of the entropy bonus.
        bounds_coef: Weight of the penalty on Gaussian means beyond ±bounds_limit.
        bounds_limit: Magnitude from which on a mean is penalised.
        max_grad_norm: Gradients are scaled down to this 2-norm; 0 for no limit.
        learning_rate: Adam's step size, or what its schedule starts from.
        learning_rate_schedule: "fixed"; "linear" down to 0 at the end of training; "adaptive" to the KL divergence.
        learning_rate_low: Lower end of the adaptive learning rate.
        learning_rate_high: Upper end of the adaptive learning rate.
        desired_kl: KL divergence per update that the adaptive schedule aims at. Unit: nats.
        target_kl: No further epoch once the approximate KL exceeds 1.5 of this; None for never. Unit: nats.
        normalize_advantages: Zero mean and unit variance within each minibatch.
        reward_scale: Factor on rewards before returns are computed.
        bootstrap_timeouts: Add γ V(s_{t+1}) where an episode was truncated; off, truncation counts as termination.
        amp: Forward precision in updates: "off", "bf16" or "fp16".
        adam_epsilon: Adam's ε.
        gradient_accumulation: Equal parts of a minibatch that are computed one after another, to save memory.
    """

    horizon_length: int = 16
    num_epochs: int = 8
    minibatch_size: int = 0
    num_minibatches: int = 4
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip_param: float = 0.2
    clip_value: bool = False
    value_clip_param: Optional[float] = None
    value_coef: float = 2.0
    entropy_coef: float = 0.0
    bounds_coef: float = 0.0
    bounds_limit: float = 1.1
    max_grad_norm: float = 1.0
    learning_rate: float = 3e-4
    learning_rate_schedule: str = "fixed"
    learning_rate_low: float = 1e-6
    learning_rate_high: float = 1e-2
    desired_kl: float = 0.008
    target_kl: Optional[float] = None
    normalize_advantages: bool = True
    reward_scale: float = 1.0
    bootstrap_timeouts: bool = True
    amp: str = "off"
    adam_epsilon: float = 1e-5
    gradient_accumulation: int = 1

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            self._check_range(name, low, high)
        if self.learning_rate_schedule not in SCHEDULES:
            raise ParameterError(f"learning_rate_schedule: {self.learning_rate_schedule!r} is not one of {SCHEDULES}")
        if self.amp not in PRECISIONS:
            raise ParameterError(f"amp: {self.amp!r} is not one of {PRECISIONS}")

    def _check_range(self, name: str, low: float, high: Optional[float]) -> None:
        value = getattr(self, name)
        if value is None or (name == "minibatch_size" and value == 0):
            return
        if not low <= value <= (float("inf") if high is None else high):
            allowed = f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
            raise ParameterError(f"{name}: {value!r} is out of range, allowed is {allowed}")

    def rows_per_minibatch(self, num_envs: int) -> int:
        """Transitions in a minibatch of a rollout of num_envs environments.

        Raises:
            ParameterError: if the rollout does not divide into equal minibatches, or a minibatch into equal parts.
        """
        rows = self._rows_per_minibatch(num_envs)
        if rows % self.gradient_accumulation:
            raise ParameterError(
                f"gradient_accumulation: a minibatch of {rows} transitions does not divide into "
                f"{self.gradient_accumulation} equal parts; {_nearest_divisor(rows, self.gradient_accumulation)} would "
                "fit"
            )
        return rows

    def _rows_per_minibatch(self, num_envs: int) -> int:
        batch = self.horizon_length * num_envs
        rollout = f"a rollout of {self.horizon_length} steps x {num_envs} environments = {batch} transitions"
        if self.minibatch_size:
            if batch % self.minibatch_size:
                raise ParameterError(
                    f"minibatch_size: {rollout} does not divide into minibatches of {self.minibatch_size}; "
                    f"{_nearest_divisor(batch, self.minibatch_size)} would fit"
                )
            return self.minibatch_size
        if batch % self.num_minibatches:
            raise ParameterError(
                f"num_minibatches: {rollout} does not divide into {self.num_minibatches} equal minibatches; "
                f"{_nearest_divisor(batch, self.num_minibatches)} would fit"
            )
        return batch // self.num_minibatches


def _nearest_divisor(batch: int, wanted: int) -> int:
    divisors = [n for n in range(1, batch + 1) if batch % n == 0]
    return min(divisors, key=lambda n: abs(n - wanted))


SETTING_NAMES = tuple(entry.name for entry in fields(PPOSettings))
