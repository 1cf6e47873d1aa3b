"""Which positions of the x axis are shown while a run grows."""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np

from .drawing import Ends, RunCurves
from .metric_table import TIME

_ROOM, _SECONDS_OF_ROOM = 1 / 8, 2.0
_LEAST_FILLED = 0.45


class Following:
    """Shows all there is, with room for more while a run grows: axes cost more to paint than the curves on them.

    The room is an eighth of what there is, and at least what comes in two seconds. It is given anew when it is used up,
    or much too large because another axis or run is shown.
    """

    def __init__(self) -> None:
        self._shown: Optional[Ends] = None

    def ends(self, runs: Sequence[RunCurves], axis: str, is_growing: bool) -> Ends:
        """The least and the greatest position that is shown; ``runs`` begin with the one that may grow."""
        low, high = whole_range(runs, axis)
        if not is_growing:
            self._shown = None
            return low, high
        if self._shown is None or not self._still_fits(self._shown, low, high):
            self._shown = low, high + max((high - low) * _ROOM, _lately(runs[0], axis))
        return self._shown

    @staticmethod
    def _still_fits(shown: Ends, low: float, high: float) -> bool:
        return low == shown[0] and high <= shown[1] and high - low >= _LEAST_FILLED * (shown[1] - low)


def whole_range(runs: Sequence[RunCurves], axis: str) -> Ends:
    """The least and the greatest position of all runs; some range where there are less than two."""
    axes = [run.table.axis(axis) for run in runs if len(run.table)]
    low = min((float(positions[0]) for positions in axes), default=0.0)
    high = max((float(positions[-1]) for positions in axes), default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _lately(run: RunCurves, axis: str) -> float:
    """How far a run has come in the last two seconds."""
    times, positions = run.table.axis(TIME), run.table.axis(axis)
    if not len(times):
        return 0.0
    return float(positions[-1] - positions[int(np.searchsorted(times, times[-1] - _SECONDS_OF_ROOM))])
