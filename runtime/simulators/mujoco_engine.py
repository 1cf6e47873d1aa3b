"""The MuJoCo engine: tasks with a model, on the CPU's threads or, with MuJoCo Warp, on a GPU."""

from importlib import util
from typing import Any, Tuple

import torch

from ..cores import usable_cores
from ..specs import TaskSpec
from .engine import Engine
from .interface import SimulatorError
from .mujoco.batch_backend import BatchBackend
from .mujoco.importing import import_mujoco
from .mujoco.layout import Layout
from .mujoco.rollout_backend import RolloutBackend
from .mujoco.warp_backend import WarpBackend
from .physics_backend import PhysicsBackend
from .physics_simulator import PhysicsSimulator
from .tasks.catalogue import physics_tasks
from .tasks.physics_task import PhysicsTask

BACKENDS = ("auto", "batch", "rollout", "warp")
"""Ways to step: `mujoco.batch` and `mujoco.rollout` on the CPU, MuJoCo Warp on a GPU. ``auto`` takes the fastest."""
ENVIRONMENTS_PER_THREAD = 16
"""Fewer than this are not worth a thread of their own."""


class MujocoEngine(Engine):
    """Every task with a model, wherever MuJoCo is installed.

    Options: ``desynchronise``, ``on_bad_physics`` (see `PhysicsSimulator`), ``simulation_threads`` (0: one per core,
    and no more than one for every 16 environments), ``mujoco_backend`` (one of `BACKENDS`).
    """

    name = "mujoco"
    option_names = ("desynchronise", "on_bad_physics", "simulation_threads", "mujoco_backend")

    def is_available(self) -> bool:
        """Whether MuJoCo is installed."""
        return util.find_spec("mujoco") is not None

    def unavailable_reason(self) -> str:
        """Not installed; names the command."""
        return "" if self.is_available() else "is not installed: pip install mujoco"

    def requirements(self, task: str) -> Tuple[str, ...]:
        """MuJoCo."""
        return ("mujoco",)

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
            SimulatorError: The model does not load, or there is no backend for the device.
        """
        threads = _threads(options.pop("simulation_threads", 0), num_envs)
        definition = physics_tasks()[task](device)
        backend = make_backend(definition, num_envs, threads, options.pop("mujoco_backend", "auto"))
        kind = WarpSimulator if device.type == "cuda" else PhysicsSimulator
        return kind(definition, backend, num_envs, generator, **options)


class WarpSimulator(PhysicsSimulator):
    """N environments on a GPU, whose order of additions is not the same in every run."""

    exact_resume = False
    resume_note = (
        "MuJoCo Warp adds up forces on a GPU in no fixed order: the run goes on from the saved positions, velocities "
        "and solver state, but not bit for bit as if it had not stopped"
    )


def make_backend(task: PhysicsTask, num_envs: int, threads: int, backend: str = "auto") -> PhysicsBackend:
    """N copies of a task's model.

    Args:
        task: On the device of the simulation.
        num_envs: Number of environments, N.
        threads: Of the CPU's backends.
        backend: One of `BACKENDS`.

    Raises:
        SimulatorError: The model does not load or lacks a part, or the backend cannot be used here.
    """
    if backend not in BACKENDS:
        raise SimulatorError(f"mujoco_backend must be one of {', '.join(BACKENDS)}, got {backend!r}")
    import_mujoco()
    has_batch = util.find_spec("mujoco.batch") is not None
    if backend == "auto":
        backend = "warp" if task.device.type == "cuda" else "batch" if has_batch else "rollout"
    if backend != "warp" and task.device.type != "cpu":
        raise SimulatorError(
            f"mujoco_backend {backend!r} computes on the CPU, not on {task.device}; use warp, or --device cpu"
        )
    if backend == "batch" and not has_batch:
        raise SimulatorError("mujoco_backend 'batch' needs MuJoCo 3.17 or later: pip install -U mujoco; or use rollout")
    if backend == "warp":
        return WarpBackend(Layout(task), num_envs)
    return (BatchBackend if backend == "batch" else RolloutBackend)(Layout(task), num_envs, threads)


def _threads(asked: int, num_envs: int) -> int:
    if asked:
        return asked
    return max(1, min(usable_cores(), num_envs // ENVIRONMENTS_PER_THREAD))
