"""How often nodes fire and what share of the time they take, without Qt."""

from __future__ import annotations

from collections import deque
from typing import Deque, Dict, Sequence, Tuple

from runtime.events import NodeStats

WINDOW_SECONDS = 5.0

Sample = Tuple[float, Dict[str, NodeStats]]
Figures = Tuple[Dict[str, float], Dict[str, float]]
"""By node: shares of the time, at most 1 altogether, and firings per second."""


class NodeRates:
    """Figures over the last few seconds: the time of a firing is known when it ends, which is in jumps.

    Args:
        start: When the first node was about to fire, in seconds since the start of the run.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._first: Sample = (start, {})
        self._samples: Deque[Sample] = deque([self._first])

    @property
    def time(self) -> float:
        """Of the newest statistics, or of the start."""
        return self._samples[-1][0]

    def add(self, time: float, nodes: Sequence[NodeStats]) -> None:
        """Statistics since the start of the run, at a time in seconds."""
        self._samples.append((time, {node.node_id: node for node in nodes}))
        while len(self._samples) > 2 and time - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()

    def recent(self) -> Figures:
        """Over the last seconds."""
        return _between(self._samples[0], self._samples[-1])

    def average(self) -> Figures:
        """Since the start."""
        return _between(self._first, self._samples[-1])


def _between(first: Sample, last: Sample) -> Figures:
    elapsed, before = last[0] - first[0], first[1]
    if elapsed <= 0.0:
        return {}, {}
    seconds, rates = {}, {}
    for node_id, node in last[1].items():
        earlier = before.get(node_id)
        seconds[node_id] = max(node.seconds - (earlier.seconds if earlier else 0.0), 0.0)
        rates[node_id] = max(node.firings - (earlier.firings if earlier else 0), 0) / elapsed
    whole = max(elapsed, sum(seconds.values()))
    return {node_id: spent / whole for node_id, spent in seconds.items()}, rates
