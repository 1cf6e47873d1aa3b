"""How fast a run goes, and how long it still takes."""

from collections import deque
from typing import Callable, Deque, List, NamedTuple, Optional, Tuple

_WINDOW_SECONDS = 30.0
_SAMPLE_SECONDS = 0.5


class _Sample(NamedTuple):
    time: float
    step: int
    iteration: int


class Pace:
    """Speed over the last half minute, share of the run that is done, and time left.

    Args:
        total_steps, total_iterations: Where the run ends, counted from its beginning, across resumes.
        total_seconds: When this process ends the run, counted from this process's start.
    """

    def __init__(
        self,
        total_steps: Optional[int] = None,
        total_iterations: Optional[int] = None,
        total_seconds: Optional[float] = None,
    ) -> None:
        self.total_steps = total_steps
        self.total_iterations = total_iterations
        self.total_seconds = total_seconds
        self._now = _Sample(0.0, 0, 0)
        self._past: Deque[_Sample] = deque()
        self._is_held = False

    def update(self, time: float, step: int, iteration: int) -> None:
        """Note where the run stands: seconds since the start, environment steps, iterations."""
        self._now = _Sample(time, step, iteration)
        if self._is_held:
            return
        if not self._past or time - self._past[-1].time >= _SAMPLE_SECONDS:
            self._past.append(self._now)
        while time - self._past[0].time > _WINDOW_SECONDS and len(self._past) > 2:
            self._past.popleft()

    def hold(self) -> None:
        """Forget the past speed, and measure none until `restart`: the run is paused."""
        self._past.clear()
        self._is_held = True

    def restart(self) -> None:
        """Measure anew: the run goes on after a pause."""
        self._past.clear()
        self._is_held = False

    @property
    def steps_per_second(self) -> Optional[float]:
        """Environment steps per second; ``None`` before there is anything to measure."""
        return self._rate(lambda sample: sample.step)

    @property
    def fraction(self) -> Optional[float]:
        """Share of the run that is done, in [0, 1]; ``None`` where no end is known."""
        shares = [done / total for done, total, _ in self._ends()]
        return min(1.0, max(shares)) if shares else None

    @property
    def seconds_left(self) -> Optional[float]:
        """Seconds until the first of the known ends; ``None`` where none is known or nothing moves."""
        times = [max(0.0, total - done) / rate for done, total, rate in self._ends() if rate]
        return min(times) if times else None

    def _ends(self) -> List[Tuple[float, float, Optional[float]]]:
        """(done, total, per second) of each known end."""
        now = self._now
        ends: List[Tuple[float, float, Optional[float]]] = []
        if self.total_steps:
            ends.append((now.step, self.total_steps, self.steps_per_second))
        if self.total_iterations:
            ends.append((now.iteration, self.total_iterations, self._rate(lambda sample: sample.iteration)))
        if self.total_seconds:
            ends.append((now.time, self.total_seconds, 1.0))
        return ends

    def _rate(self, count: Callable[[_Sample], int]) -> Optional[float]:
        if not self._past:
            return None
        seconds = self._now.time - self._past[0].time
        return (count(self._now) - count(self._past[0])) / seconds if seconds > 0 else None
