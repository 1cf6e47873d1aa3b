"""The flags that exported runners have always published for users' own node code. Our code never reads them."""

from __future__ import annotations

import builtins
from typing import Any

from ..run.settings import RunSettings


def publish_flags(settings: RunSettings) -> None:
    """Set the documented names on `builtins`."""
    flags: Any = builtins
    flags.VISUAL_MODE = settings.visual
    flags.HEADLESS_MODE = not settings.visual
    flags.INFERENCE_MODE = settings.inference
    flags.VERBOSE = settings.verbose
    flags.SAVE_CHECKPOINT_DIR = settings.save_checkpoint_dir
    flags.LOAD_CHECKPOINT_DIR = settings.load_checkpoint_dir
