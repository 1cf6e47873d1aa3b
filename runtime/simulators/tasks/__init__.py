"""Tasks: what is observed, what is rewarded and how episodes begin and end, as pure torch functions."""

from .catalogue import BUILT_IN as TASKS
from .catalogue import own_task
from .physics_task import PhysicsModel, PhysicsTask, start_ranges
from .task import Evaluation, TaskParameter

__all__ = ["TASKS", "Evaluation", "PhysicsModel", "PhysicsTask", "TaskParameter", "own_task", "start_ranges"]
