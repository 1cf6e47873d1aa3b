"""The part of `isaacgym.gymapi` that callers of tensors use."""

import atexit
import os
import sys
from typing import Any

from .gym import Gym
from .physics import DRIVE_MODES
from .structs import (  # noqa: F401 - what callers take from gymapi
    AssetOptions,
    CameraProperties,
    Constant,
    PlaneParams,
    Quat,
    SimParams,
    Transform,
    Vec3,
)

UP_AXIS_Y, UP_AXIS_Z = Constant(0, "UP_AXIS_Y"), Constant(1, "UP_AXIS_Z")
SIM_FLEX, SIM_PHYSX = Constant(0, "SIM_FLEX"), Constant(1, "SIM_PHYSX")
KEY_ESCAPE, KEY_V = Constant(27, "KEY_ESCAPE"), Constant(86, "KEY_V")
DOMAIN_SIM = Constant(2, "DOMAIN_SIM")
DOF_MODE_NONE, DOF_MODE_POS, DOF_MODE_VEL, DOF_MODE_EFFORT = DRIVE_MODES


class ContactCollection(int):
    """How contacts are collected."""


_gym = Gym(fails_to_create=os.environ.get("ISAACGYM_DOUBLE_FAILS") == "create_sim")


def _report() -> None:
    """What the real package would leak."""
    if _gym.left_open():
        print(f"isaacgym double: left undestroyed: {', '.join(_gym.left_open())}", file=sys.stderr)


atexit.register(_report)


def acquire_gym(*arguments: Any) -> Gym:
    """The one gym of the process."""
    _gym.note("acquire_gym", arguments)
    return _gym
