"""The metrics of an inference at its end."""

from __future__ import annotations

import math
from typing import Dict

from ..context import RunContext
from ..errors import NoEpisodeEnded, RunError


def inference_metrics(context: RunContext) -> Dict[str, float]:
    """What all nodes report of the episodes.

    Raises:
        NoEpisodeEnded: Episodes were asked for, and given up before one had ended.
        RunError: A metric is NaN or infinite.
    """
    metrics: Dict[str, float] = {}
    for source in context.metric_sources:
        metrics.update(source())
    if context.unfinished_episodes and not metrics.get("eval/episodes"):
        raise NoEpisodeEnded(f"there is nothing to evaluate: {context.stop_reason}; --longest-episode N allows more")
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise RunError(
                f"this is no evaluation: {name} is {value}, as observations or rewards held NaN or infinity; a "
                "Print node shows where"
            )
    return metrics
