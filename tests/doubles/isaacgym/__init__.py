"""A double of Isaac Gym Preview 4's Python package, backed by MuJoCo, that refuses what the real one does not forgive.

Written from the calls of open callers alone; nothing of it comes from NVIDIA's package. It proves the order, arguments,
shapes and types of calls. It says nothing about PhysX's dynamics or about memory on a GPU.
"""

import os
import sys

if "torch" in sys.modules:
    raise ImportError("PyTorch was imported before isaacgym modules. Please import torch after isaacgym modules.")

import numpy

if tuple(int(part) for part in numpy.__version__.split(".")[:2]) >= (1, 24) and not os.environ.get(
    "ISAACGYM_DOUBLE_ANY_NUMPY"
):
    raise AttributeError("module 'numpy' has no attribute 'float'")

print("Importing module 'gym_38' (a double backed by MuJoCo)")
