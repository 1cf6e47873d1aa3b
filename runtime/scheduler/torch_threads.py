"""CPU threads of torch in the thread that runs an engine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

import torch


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Set torch's threads in this thread for the time of a run (torch keeps the number per thread)."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
