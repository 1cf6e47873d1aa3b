"""Where the engine's event loop may run."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, TypeVar

Result = TypeVar("Result")


def outside_event_loops(work: Callable[[], Result]) -> Result:
    """Do work that runs an event loop of its own: in a thread, where this one has a loop already, as notebooks do."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1, "dnne-runner") as executor:
        return executor.submit(work).result()
