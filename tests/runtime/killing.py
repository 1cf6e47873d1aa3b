"""Processes that are killed with SIGKILL in the middle of their work."""

import os
import random
import signal
import sys
import time
import traceback
from typing import Callable, Iterator

_FILE_EVENTS = {"open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir"}


def kill_at_every_file_operation(work: Callable[[], None]) -> Iterator[int]:
    """Run ``work`` in a child that is killed just before its n-th file operation, for n = 1, 2, …, and yield each n.

    Ends when the child finishes its work alive.
    """
    n = 1
    while _run_until_operation(work, n) != 0:
        yield n
        n += 1


def kill_at_random(work: Callable[[int], None], rng: random.Random, longest: float) -> int:
    """Run ``work(1)``, ``work(2)``, … in a child that is killed after a random time; return how many were finished."""
    reading, writing = os.pipe()
    pid = _fork(lambda: _count_rounds(work, writing))
    os.close(writing)
    time.sleep(rng.uniform(0.0, longest))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the child failed before it was killed"
    with os.fdopen(reading, "rb") as pipe:
        return len(pipe.read())


def _count_rounds(work: Callable[[int], None], writing: int) -> None:
    number = 1
    while True:
        work(number)
        os.write(writing, b".")
        number += 1


def _run_until_operation(work: Callable[[], None], n: int) -> int:
    def work_and_die() -> None:
        count = 0

        def on_event(event: str, arguments: object) -> None:
            nonlocal count
            if event in _FILE_EVENTS:
                count += 1
                if count == n:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(on_event)
        work()

    _, status = os.waitpid(_fork(work_and_die), 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed before it was killed"
    return status


def _fork(action: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        action()
        status = 0
    except Exception:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)
