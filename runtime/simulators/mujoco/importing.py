"""How MuJoCo is imported: also where ``MUJOCO_GL`` names a graphics library that this machine lacks."""

import logging
import os
from importlib import import_module, util
from typing import Any

from ..interface import SimulatorError

logger = logging.getLogger(__name__)


def import_mujoco() -> Any:
    """The module ``mujoco``.

    Its import tries the graphics library of ``MUJOCO_GL``, which physics does not need: without it there are no
    pictures, and the log says so.

    Raises:
        SimulatorError: It is not installed.
    """
    if util.find_spec("mujoco") is None:
        raise SimulatorError("MuJoCo is not installed: pip install mujoco")
    wanted = os.environ.get("MUJOCO_GL")
    try:
        return import_module("mujoco")
    except (ImportError, AttributeError, RuntimeError, OSError) as error:
        if not wanted:
            raise
        logger.warning("MUJOCO_GL=%s does not work on this machine (%s): there are no pictures", wanted, error)
    os.environ["MUJOCO_GL"] = "disable"
    try:
        return import_module("mujoco")
    finally:
        os.environ["MUJOCO_GL"] = wanted
