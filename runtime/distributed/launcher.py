"""Starts the processes of a run through torch's own launcher, and says which one failed, and why."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
import time
import uuid
from typing import Any, Callable, Dict, Iterator, Sequence, Tuple, Type

from ..events import Failed
from .failures import LOST_ANOTHER, NODE
from .modes import Mode

EXIT_FAILED, EXIT_BAD_INPUT = 1, 2
MONITOR_SECONDS = 0.1
MEETING_SECONDS = 900


def launch(
    command: Sequence[str], mode: Mode, max_restarts: int = 0, tell: Callable[[Failed], None] = lambda event: None
) -> int:
    """Run a command in several processes and wait for all of them.

    Args:
        command: Program and arguments, the same for each process.
        mode: How many, and where the nodes meet.
        max_restarts: How often all are started again after one has failed.
        tell: Hears of a failure that rank 0, which sends the events of the run, cannot tell of.

    Returns:
        0; 2 where the input was bad; 130 or 143 after a signal, which all processes have heard; else 1.
    """
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    program, *arguments = command
    began = time.monotonic()
    try:
        with _quiet_launcher(), _forwarding_usr1(SignalException):
            elastic_launch(_config(mode, max_restarts), program)(*arguments)
    except ChildFailedError as error:
        return _report(error.failures, time.monotonic() - began, tell)
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


def _config(mode: Mode, max_restarts: int) -> Any:
    from torch.distributed.launcher.api import LaunchConfig

    several = bool(mode.address)
    return LaunchConfig(
        min_nodes=mode.world_size // mode.local,
        max_nodes=mode.world_size // mode.local,
        nproc_per_node=mode.local,
        run_id="dnne" if several else uuid.uuid4().hex,
        rdzv_backend="static" if several else "c10d",
        rdzv_endpoint=f"{mode.address}:{mode.port}" if several else "localhost:0",
        rdzv_configs={"rank": mode.node_rank, "timeout": MEETING_SECONDS} if several else {},
        max_restarts=max_restarts,
        monitor_interval=MONITOR_SECONDS,
        local_addr=None if several else "localhost",
    )


@contextlib.contextmanager
def _quiet_launcher() -> Iterator[None]:
    """What the launcher logs of failures and signals is told here, in one place."""
    logger = logging.getLogger("torch.distributed.elastic")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextlib.contextmanager
def _forwarding_usr1(error: Type[Exception]) -> Iterator[None]:
    """Slurm's warning reaches the processes as the signals do that torch's launcher forwards by itself."""
    if not hasattr(signal, "SIGUSR1") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        raise error(f"the launcher got signal {number}", signal.Signals(number))

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def _report(failures: Dict[int, Any], seconds: float, tell: Callable[[Failed], None]) -> int:
    """Name the process that failed first. Those that failed because they lost it are not to blame."""
    if any(failure.exitcode == EXIT_BAD_INPUT for failure in failures.values()):
        return EXIT_BAD_INPUT  # rank 0 has said what is wrong
    rank, failure = min(failures.items(), key=_blame)
    message, trace, node = _message(failure)
    if failure.exitcode < 0:
        name = signal.Signals(-failure.exitcode).name
        message, trace, node = f"it was ended by {name}", "", {}
    text = f"rank {rank} (process {failure.pid}) failed: {message}"
    event = Failed(seconds, text, trace, node.get("node_id", ""), node.get("label", ""))
    sys.stderr.write(f"error: {event.error}\n{event.traceback}")
    if rank or failure.exitcode < 0:
        tell(event)
    return EXIT_FAILED


def _blame(item: Tuple[int, Any]) -> Tuple[bool, int, int]:
    rank, failure = item
    return LOST_ANOTHER in _message(failure)[0], failure.timestamp, rank


def _message(failure: Any) -> Tuple[str, str, Dict[str, str]]:
    """What was raised, the traceback, and the node that raised it, where one did."""
    if isinstance(failure.message, dict):
        more = failure.message["extraInfo"]
        return str(failure.message["message"]), str(more["py_callstack"]), more.get(NODE, {})
    return f"exit code {failure.exitcode}", "", {}


def restart_count(environment: Any) -> int:
    """How often a launcher has started this process before; 0 where none has."""
    text = environment.get("TORCHELASTIC_RESTART_COUNT", "0")
    return int(text) if text.isdecimal() else 0
