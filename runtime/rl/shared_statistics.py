"""Running statistics of a node, the same on all processes of a run from one iteration to the next."""

from __future__ import annotations

from typing import Any, Dict

from torch import Tensor

from ..context import RunContext
from .moments import joint_moments
from .normalization import RunningMeanStd


class SharedStatistics:
    """Keeps a node's `RunningMeanStd` up to date.

    Where several processes train, each adds its own batches as they come, and once per iteration all take over the
    statistics of all.

    Args:
        statistics: What the node normalises by.
        context: The run's.
    """

    def __init__(self, statistics: RunningMeanStd, context: RunContext):
        self.statistics = statistics
        self.context = context
        self._joint = RunningMeanStd(statistics.shape).to(context.device)
        self._recent = RunningMeanStd(statistics.shape).to(context.device)
        if context.exchange is not None:
            context.exchange.synchronisers.append(self._synchronise)

    def update(self, batch: Tensor) -> None:
        """Merge a batch into the statistics. Shape: (..., *shape)."""
        self.statistics.update(batch)
        if self.context.exchange is not None:
            self._recent.update(batch)

    def _synchronise(self) -> None:
        """All processes' batches since the last time, merged into what all had then."""
        self._joint.merge(joint_moments(self._recent.moments, self.context.communicator))
        self.statistics.load_state_dict(self._joint.state_dict())
        self._recent = RunningMeanStd(self._recent.shape).to(self.context.device)

    def state_dict(self) -> Dict[str, Any]:
        """Mean, variance and count; with several processes also those of the last exchange and since then."""
        state = {"statistics": dict(self.statistics.state_dict())}
        if self.context.exchange is not None:
            state["shared"] = dict(self._joint.state_dict())
            state["recent"] = dict(self._recent.state_dict())
        return state

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on with saved statistics."""
        self.statistics.load_state_dict(state["statistics"])
        self._joint.load_state_dict(state.get("shared", state["statistics"]))
        if "recent" in state:
            self._recent.load_state_dict(state["recent"])


def shared_part(state: Dict[str, Any]) -> Dict[str, Any]:
    """Of what `SharedStatistics.state_dict` gave, what all processes had at the last exchange."""
    return {"statistics": state.get("shared", state["statistics"])}
