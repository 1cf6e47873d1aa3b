"""The global random generators, which a program's own environments may draw from."""

from __future__ import annotations

import random
import sys
from contextlib import contextmanager
from typing import Iterator

import torch


@contextmanager
def kept_global_generators() -> Iterator[None]:
    """Put the states of Python's, NumPy's and torch's global generators back at the end."""
    python, numpy = random.getstate(), sys.modules.get("numpy")
    of_numpy = None if numpy is None else numpy.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []):
        try:
            yield
        finally:
            random.setstate(python)
            if numpy is not None:
                numpy.random.set_state(of_numpy)
