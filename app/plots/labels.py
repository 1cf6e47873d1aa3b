"""What people read for the names of metrics: titles, units, and the plots that are shown at first."""

from __future__ import annotations

from typing import Collection, Dict, List, NamedTuple, Tuple

REWARD_PARTS = "episode/reward_"
REWARD_COMPONENTS = "reward components"


class Label(NamedTuple):
    """Title and unit of a metric; the unit may be empty."""

    title: str
    unit: str = ""

    @property
    def text(self) -> str:
        """Both in one line."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


_KNOWN: Dict[str, Label] = {
    "episode/mean_reward": Label("Episode reward"),
    "episode/mean_length": Label("Episode length", "steps"),
    "episode/count": Label("Episodes"),
    "train/policy_loss": Label("Policy loss"),
    "train/value_loss": Label("Value loss"),
    "train/entropy_loss": Label("Entropy loss"),
    "train/entropy": Label("Entropy", "nats"),
    "train/approx_kl": Label("KL divergence", "nats"),
    "train/kl": Label("KL divergence, exact", "nats"),
    "train/clip_fraction": Label("Clip fraction"),
    "train/learning_rate": Label("Learning rate"),
    "train/gradient_norm": Label("Gradient norm"),
    "train/weight_norm": Label("Weight norm"),
    "train/explained_variance": Label("Explained variance"),
    "time/steps_per_second": Label("Speed", "steps/s"),
    "time/elapsed_seconds": Label("Elapsed", "s"),
    "time/rollout_seconds": Label("Rollout", "s"),
    "time/update_seconds": Label("Update", "s"),
    "gpu/memory_allocated_mb": Label("GPU memory", "MiB"),
    "gpu/peak_memory_mb": Label("GPU memory, peak", "MiB"),
}

FIRST_PLOTS: Tuple[str, ...] = (
    "episode/mean_reward", "episode/mean_length", "train/policy_loss", "train/value_loss", "train/approx_kl",
    "train/entropy", "train/learning_rate", "time/steps_per_second", REWARD_COMPONENTS,
)  # fmt: skip


def label(name: str) -> Label:
    """Title and unit of a metric; those of unknown ones are made of their name."""
    if name == REWARD_COMPONENTS:
        return Label("Reward components")
    if name in _KNOWN:
        return _KNOWN[name]
    if name.startswith(REWARD_PARTS):
        return Label("Reward: " + _words(name[len(REWARD_PARTS) :]).lower())
    group, _, rest = name.rpartition("/")
    words = _words(rest or name)
    return Label(f"{words} ({group})" if group and group not in ("train", "episode") else words)


def curve_names(plot: str, metrics: Collection[str]) -> List[str]:
    """The metrics that a plot draws: itself, or every part of the reward."""
    if plot == REWARD_COMPONENTS:
        return sorted(name for name in metrics if name.startswith(REWARD_PARTS))
    return [plot]


def plots_for(metrics: Collection[str]) -> List[str]:
    """Every plot that these metrics make possible, the usual ones first, then by name."""
    usual = [plot for plot in FIRST_PLOTS if any(name in metrics for name in curve_names(plot, metrics))]
    return usual + sorted(name for name in metrics if name not in usual)


def short_number(value: float) -> str:
    """Four significant digits, with thousands separated."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 10_000:
        return f"{value:,.0f}"
    if size < 1e-3:
        return f"{value:.3g}"
    return f"{value:.4g}"


def duration_text(seconds: float) -> str:
    """Seconds as 42 s, 3:05 or 1:02:03."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _words(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
