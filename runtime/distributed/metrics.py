"""Metrics of several processes as one."""

from __future__ import annotations

import math
from typing import Dict, List, Mapping, Sequence

Metrics = Mapping[str, float]


def mean_metrics(parts: Sequence[Metrics]) -> Dict[str, float]:
    """Each metric's mean over the processes that report it."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _mean([part[name] for part in parts if name in part]) for name in names}


def merged_episode_metrics(parts: Sequence[Metrics], window: int) -> Dict[str, float]:
    """episode/* of all processes: means weighted by the episodes behind them, and the sum of the counts.

    Args:
        parts: `EpisodeTracker.metrics` of each process; empty where no episode has finished.
        window: Finished episodes that each process averages over.
    """
    weights = [min(part["episode/count"], window) if part else 0.0 for part in parts]
    total = sum(weights)
    if not total:
        return {}
    names = next(part for part in parts if part)
    merged = {
        name: math.fsum(weight * part[name] for weight, part in zip(weights, parts) if part) / total for name in names
    }
    merged["episode/count"] = math.fsum(part["episode/count"] for part in parts if part)
    return merged


def _mean(values: List[float]) -> float:
    """Their own value where all are equal: rounding must not change it."""
    return values[0] if values.count(values[0]) == len(values) else sum(values) / len(values)
