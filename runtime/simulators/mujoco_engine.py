"""The MuJoCo engine: tasks with a model, on the CPU's threads."""

import os
from importlib import util
from typing import Any, Tuple

import torch

from ..specs import TaskSpec
from .engine import Engine
from .interface import SimulatorError
from .mujoco.batch_backend import BatchBackend
from .mujoco.layout import Layout
from .mujoco.rollout_backend import RolloutBackend
from .physics_backend import PhysicsBackend
from .physics_simulator import PhysicsSimulator
from .tasks.catalogue import physics_tasks
from .tasks.physics_task import PhysicsTask

ENVIRONMENTS_PER_THREAD = 16
"""Fewer than this are not worth a thread of their own."""


class MujocoEngine(Engine):
    """Every task with a model, wherever MuJoCo is installed.

    Options: ``desynchronise``, ``on_bad_physics`` (see `PhysicsSimulator`), ``simulation_threads`` (0: one per core,
    and no more than one for every 16 environments).
    """

    name = "mujoco"
    option_names = ("desynchronise", "on_bad_physics", "simulation_threads")

    def is_available(self) -> bool:
        """Whether MuJoCo is installed."""
        return util.find_spec("mujoco") is not None

    def unavailable_reason(self) -> str:
        """Not installed; names the command."""
        return "" if self.is_available() else "is not installed: pip install mujoco"

    def task_names(self) -> Tuple[str, ...]:
        """The tasks with a model."""
        return tuple(physics_tasks())

    def task_spec(self, task: str, num_envs: int, **options: Any) -> TaskSpec:
        """Spaces and sizes, from the task's declarations."""
        return physics_tasks()[task].spec(num_envs)

    def make(
        self, task: str, num_envs: int, device: torch.device, generator: torch.Generator, **options: Any
    ) -> PhysicsSimulator:
        """A simulator that was not reset yet.

        Raises:
            SimulatorError: The model does not load, or the device is none that MuJoCo computes on.
        """
        if device.type != "cpu":
            raise SimulatorError(f"simulator 'mujoco' computes on the CPU, not on {device}; use --device cpu")
        threads = _threads(options.pop("simulation_threads", 0), num_envs)
        definition = physics_tasks()[task](device)
        backend = make_backend(definition, num_envs, threads)
        return PhysicsSimulator(definition, backend, num_envs, generator, **options)


def make_backend(task: PhysicsTask, num_envs: int, threads: int) -> PhysicsBackend:
    """The fastest way that the installed MuJoCo has.

    Raises:
        SimulatorError: The model does not load or lacks a part.
    """
    layout = Layout(task)
    if util.find_spec("mujoco.batch") is not None:
        return BatchBackend(layout, num_envs, threads)
    return RolloutBackend(layout, num_envs, threads)


def _threads(asked: int, num_envs: int) -> int:
    if asked:
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, num_envs // ENVIRONMENTS_PER_THREAD))
