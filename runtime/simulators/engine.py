"""What the factory needs to know of a physics engine, before a simulator of it is made."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Tuple

import torch

from ..specs import TaskSpec
from .interface import Simulator


class Engine(ABC):
    """One way to simulate tasks. An engine is one file with one subclass, and one entry in the factory's list.

    Attributes:
        name: Its name in workflow files.
        option_names: Options that `make` takes.
    """

    name: ClassVar[str]
    option_names: ClassVar[Tuple[str, ...]] = ()

    @abstractmethod
    def is_available(self) -> bool:
        """Whether what it needs is installed. Cheap, and imports nothing large."""

    def unavailable_reason(self) -> str:
        """Why it cannot be used, and what to do, after the words "simulator NAME"; empty where it can."""
        return "" if self.is_available() else "is not installed"

    def requirements(self, task: str) -> Tuple[str, ...]:
        """What must be installed to simulate a task: modules, or distributions with extras. Empty for torch alone."""
        return ()

    @abstractmethod
    def task_names(self) -> Tuple[str, ...]:
        """The tasks that it can simulate."""

    @abstractmethod
    def task_spec(self, task: str, num_envs: int, **options: Any) -> TaskSpec:
        """Spaces and sizes of one of its tasks, without making a simulator.

        Args:
            task: Name of the task.
            num_envs: Number of environments, N.
            options: Those options of `make` that the spaces depend on.
        """

    @abstractmethod
    def make(
        self, task: str, num_envs: int, device: torch.device, generator: torch.Generator, **options: Any
    ) -> Simulator:
        """Make a simulator of one of its tasks."""
