"""Tasks: what is observed, what is rewarded and how episodes begin and end, as pure torch functions."""

from .ant import Ant
from .cartpole import Cartpole
from .humanoid import Humanoid

TASKS = (Cartpole, Ant, Humanoid)
"""The built-in tasks."""
