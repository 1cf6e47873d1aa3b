"""Training loops that take turns, so that what slows the machine down slows all of them down alike.

Absolute times of a shared machine mean little; the ratio of turns that follow one another does, over many rounds. Each
contender lives in a thread of its own and stands still between its turns, so that libraries whose training loop cannot
be left keep it.
"""

from __future__ import annotations

import contextlib
import queue
import random
import statistics
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence, Union

import torch

Done = Callable[[], bool]
"""To be called after every iteration; the loop ends when it returns False."""

LEAST_TURN_SECONDS = 0.05
LEAST_TURNS = 5
RESAMPLES = 300


class Enough(Exception):
    """Raised inside a training loop that has no other way to be ended."""


class Lap(NamedTuple):
    """One turn. Unit: seconds per iteration."""

    wall: float
    cpu: float


class Contender:
    """A training loop that moves on only when it is its turn.

    Args:
        name: For the table.
        train: Builds everything and trains until the function that it is given returns False (or raises `Enough`).
    """

    def __init__(self, name: str, train: Callable[[Done], None]):
        self.name = name
        self.laps: List[Lap] = []
        self.turn_length = 1
        self._train = train
        self._left = 0
        self._turns: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[Union[Lap, Future]] = queue.SimpleQueue()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._thread = self._executor.submit(self._run)
        self._thread.add_done_callback(self._finished.put)

    def turn(self, iterations: int) -> Lap:
        """Go on for some iterations; raises what the training loop raised."""
        self._turns.put(iterations)
        lap = self._finished.get()
        if isinstance(lap, Future):
            lap.result()
            raise RuntimeError(f"{self.name} ended by itself")
        return lap

    def warm_up(self) -> None:
        """Build, run three iterations, and find how many make a turn of at least 50 ms."""
        self.turn(3)
        self.turn_length = max(1, round(LEAST_TURN_SECONDS / self.turn(1).wall))

    def close(self) -> None:
        """End the training loop and its thread."""
        self._turns.put(0)
        self._executor.shutdown()

    @property
    def median(self) -> float:
        """Median seconds per iteration."""
        return statistics.median(lap.wall for lap in self.laps)

    def _run(self) -> None:
        torch.set_num_threads(1)
        if self._await_turn():
            try:
                self._train(self._iteration_done)
            except Enough:
                return

    def _iteration_done(self) -> bool:
        self._left -= 1
        if self._left:
            return True
        wall, cpu = time.perf_counter() - self._wall, time.thread_time() - self._cpu
        self._finished.put(Lap(wall / self._length, cpu / self._length))
        return self._await_turn()

    def _await_turn(self) -> bool:
        self._left = self._length = self._turns.get()
        self._wall, self._cpu = time.perf_counter(), time.thread_time()
        return self._length > 0


def take_turns(contenders: Sequence[Contender], seconds: float) -> None:
    """Let every contender, warmed up before, have its turn again and again; the first one changes from round to round.

    Args:
        contenders: Their `laps` are appended to, one per round.
        seconds: For all together.
    """
    deadline = time.perf_counter() + seconds
    rounds = 0
    while rounds < LEAST_TURNS or time.perf_counter() < deadline:
        for position in range(len(contenders)):
            contender = contenders[(position + rounds) % len(contenders)]
            contender.laps.append(contender.turn(contender.turn_length))
        rounds += 1


class Ratio(NamedTuple):
    """How many times as fast one contender is as another.

    Attributes:
        value: Median over the rounds of the ratio of wall-clock times within a round: a machine whose speed changes
            from second to second changes both of them.
        low, high: 95 % interval of it, from rounds drawn anew with replacement.
        cpu: The same of the threads' processor time, which other processes disturb less.
    """

    value: float
    low: float
    high: float
    cpu: float


def speed_ratio(contender: Contender, reference: Contender) -> Ratio:
    """Speed of a contender in units of the reference's."""
    pairs = list(zip(reference.laps, contender.laps))
    draw = random.Random(0)
    wall = [theirs.wall / ours.wall for theirs, ours in pairs]
    samples = sorted(statistics.median(draw.choices(wall, k=len(wall))) for _ in range(RESAMPLES))
    return Ratio(
        statistics.median(wall),
        samples[round(0.025 * RESAMPLES)],
        samples[round(0.975 * RESAMPLES) - 1],
        statistics.median(theirs.cpu / ours.cpu for theirs, ours in pairs),
    )


@contextlib.contextmanager
def started(contenders: Sequence[Contender], failures: Optional[List[str]] = None) -> Iterator[List[Contender]]:
    """Warm contenders up, and end them all when the block is left.

    Args:
        contenders: Fresh ones.
        failures: Where given, contenders that raise are named here and left out; else the error is raised.
    """
    try:
        yield [contender for contender in contenders if _starts(contender, failures)]
    finally:
        for contender in contenders:
            contender.close()


def _starts(contender: Contender, failures: Optional[List[str]]) -> bool:
    try:
        contender.warm_up()
    except Exception as error:
        if failures is None:
            raise
        failures.append(f"{contender.name} FAILED: {type(error).__name__}: {error}")
        return False
    return True
