"""Statistics of episode returns. Agarwal et al. 2021, arXiv:2108.13264."""

from __future__ import annotations

import math
from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..errors import NoEpisodeEnded, RunError

TRIMMED = 0.25
CONFIDENCE = 0.95
RESAMPLES = 2000
BOOTSTRAP_SEED = 0


class Episodes(NamedTuple):
    """Finished episodes in the order in which they were counted.

    Attributes:
        returns: Undiscounted raw returns.
        lengths: Unit: steps.
        success_return: An episode with this return or more is a success; ``None`` where the task defines none.
        unfinished: Further episodes, which were given up.
        longest: Steps after which they were.
    """

    returns: Sequence[float]
    lengths: Sequence[int]
    success_return: Optional[float] = None
    unfinished: int = 0
    longest: int = 0

    @property
    def left_out(self) -> str:
        """What is to be said of episodes that were given up; empty where there are none."""
        if not self.unfinished:
            return ""
        count = "1 episode" if self.unfinished == 1 else f"{self.unfinished} episodes"
        return (
            f"{count} had not ended when one took {self.longest:,} steps, and do not count beside the "
            f"{len(self.returns)} that did end; --longest-episode N allows more steps"
        )


def interquartile_mean(values: Tensor) -> Tensor:
    """Mean of the middle half along the last dimension: a quarter of the values, rounded down, is cut off at each end.

    Section 4.3 there. Shape: (..., N) -> (...).
    """
    count = values.shape[-1]
    cut = int(TRIMMED * count)
    return values.sort(-1).values[..., cut : count - cut].mean(-1)


def bootstrap_interval(groups: Sequence[Tensor], resamples: int = RESAMPLES) -> Tuple[float, float]:
    """95 % percentile interval of the interquartile mean, from resampling within each group (stratified, section 4.1).

    Args:
        groups: Returns per seed. Shape of each: (N,), float64.
        resamples: Number of bootstrap samples.
    """
    generator = torch.Generator().manual_seed(BOOTSTRAP_SEED)
    drawn = [
        group[torch.randint(len(group), (resamples, len(group)), generator=generator)] for group in groups if len(group)
    ]
    means = interquartile_mean(torch.cat(drawn, -1))
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = torch.quantile(means, torch.tensor([tail, 1.0 - tail], dtype=means.dtype)).tolist()
    return low, high


def summarize(groups: Sequence[Episodes]) -> Dict[str, Any]:
    """Mean, standard deviation (of the population), least, greatest and interquartile mean of returns, and the rest.

    Args:
        groups: Episodes of each seed.

    Raises:
        NoEpisodeEnded: There are no episodes.
        RunError: A return is NaN or infinite.
    """
    returns = [torch.tensor(group.returns, dtype=torch.float64) for group in groups]
    values = torch.cat(returns)
    unfinished = sum(group.unfinished for group in groups)
    if not len(values):
        longest = max(group.longest for group in groups if group.unfinished) if unfinished else 0
        within = f" within {longest:,} steps (--longest-episode N allows more)" if unfinished else ""
        raise NoEpisodeEnded(f"no episode has ended{within}: there is nothing to evaluate")
    if not bool(torch.isfinite(values).all()):
        raise RunError("this is no evaluation: a return is NaN or infinite, as observations or rewards were")
    low, high = bootstrap_interval(returns)
    lengths = [length for group in groups for length in group.lengths]
    return {
        "episodes": len(values),
        "unfinished": unfinished,
        "mean": float(values.mean()),
        "std": math.sqrt(float(values.var(unbiased=False))),
        "min": float(values.min()),
        "max": float(values.max()),
        "iqm": float(interquartile_mean(values)),
        "iqm_low": low,
        "iqm_high": high,
        "mean_length": sum(lengths) / len(lengths),
        "success_rate": success_rate(values, groups[0].success_return),
    }


def success_rate(returns: Tensor, success_return: Optional[float]) -> Optional[float]:
    """Share of episodes whose return is at least that of a success; ``None`` where there is no such return."""
    return None if success_return is None else float((returns >= success_return).double().mean())
