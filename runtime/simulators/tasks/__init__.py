"""Tasks: what is observed, what is rewarded and how episodes begin and end, as pure torch functions."""

from .cartpole import Cartpole

TASKS = (Cartpole,)
"""The built-in tasks."""
