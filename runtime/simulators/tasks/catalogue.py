"""The tasks there are: the built-in ones, and those of users' own files.

A user's file declares its task with ``@own_task``. It is found as node files are: in a folder of node files, or through
an entry point of the group ``dnne.tasks``; an exported runner imports the copy that it carries.
"""

import inspect
import sys
from typing import Dict, Optional, Tuple, Type, TypeVar

from ...errors import TaskDefinitionError
from .ant import Ant
from .cartpole import Cartpole
from .humanoid import Humanoid
from .physics_task import PhysicsTask
from .task import AnalyticTask, Task

BUILT_IN: Tuple[Type[Task], ...] = (Cartpole, Ant, Humanoid)
"""The tasks of this package."""

_own: Dict[str, Type[Task]] = {}

AnyTask = TypeVar("AnyTask", bound=Task)


def own_task(task: Type[AnyTask]) -> Type[AnyTask]:
    """Class decorator: put a task into the list of every engine that can simulate it.

    Raises:
        TaskDefinitionError: It lacks a method, or another file has a task of this name.
    """
    if inspect.isabstract(task):
        missing = ", ".join(sorted(task.__abstractmethods__))
        raise TaskDefinitionError(f"task {task.__name__} lacks {missing}")
    if any(task.name == other.name for other in BUILT_IN):
        raise TaskDefinitionError(f"task {task.__name__}: there is a built-in task {task.name!r}; choose another name")
    earlier = _own.get(task.name)
    if earlier is not None and earlier.__module__ != task.__module__:
        raise TaskDefinitionError(f"two tasks are named {task.name!r}: in {_file(earlier)} and in {_file(task)}")
    _own[task.name] = task
    return task


def find_own(name: str) -> Optional[Type[Task]]:
    """A task of a user's file, by name."""
    return _own.get(name)


def physics_tasks() -> Dict[str, Type[PhysicsTask]]:
    """The tasks with a model for physics engines, by name."""
    return {task.name: task for task in (*BUILT_IN, *_own.values()) if issubclass(task, PhysicsTask)}


def analytic_tasks() -> Dict[str, Type[AnalyticTask]]:
    """The tasks that bring their own equations of motion, by name."""
    return {task.name: task for task in (*BUILT_IN, *_own.values()) if issubclass(task, AnalyticTask)}


def _file(task: Type[Task]) -> str:
    return str(getattr(sys.modules.get(task.__module__), "__file__", task.__module__))
