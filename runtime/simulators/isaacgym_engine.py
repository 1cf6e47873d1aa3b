"""NVIDIA Isaac Gym Preview 4, straight on its tensors: every physical task, on its CPU or its GPU pipeline."""

import logging
from importlib import util
from typing import Any, Dict, Optional, Sequence, Tuple, Type

import torch
from torch import Tensor

from ..errors import ParameterError
from ..specs import TaskSpec
from .engine import Engine
from .interface import SimulatorError, StepResult, ViewerState
from .isaacgym_first import import_isaacgym_first, unavailable_reason
from .isaacgym_scene import IsaacGymScene, SceneSettings, borrow_scene, return_scene
from .mujoco.layout import Layout
from .physics_simulator import PhysicsSimulator
from .tasks.catalogue import physics_tasks
from .tasks.physics_state import map_tensors, select_rows
from .tasks.physics_task import PhysicsTask

logger = logging.getLogger(__name__)


class IsaacGymSimulator(PhysicsSimulator):
    """N environments in Isaac Gym.

    A saved state holds positions and velocities of every robot and the task's own memory; the contacts and solver
    state inside PhysX cannot be saved, so that a resumed run goes on from there, but not bit for bit.

    Args:
        task: What is observed and rewarded.
        scene: The simulation, borrowed until `close`.
        num_envs: Number of environments, N.
        generator: Source of all randomness, on the same device.
        desynchronise: Begin the first episodes at random steps.
    """

    one_per_process = True
    exact_resume = False
    resume_note = (
        "Isaac Gym cannot save contacts and solver state: every robot is put back to its position and velocity, and "
        "the run goes on from there, but not bit for bit as if it had not stopped"
    )

    def __init__(
        self,
        task: PhysicsTask,
        scene: IsaacGymScene,
        num_envs: int,
        generator: torch.Generator,
        desynchronise: bool = False,
    ):
        super().__init__(task, scene, num_envs, generator, desynchronise)
        self._drawn: Optional[Layout] = None
        self._can_be_drawn = util.find_spec("mujoco") is not None
        self.scene = scene
        self.has_viewer = scene.viewer is not None

    def step(self, actions: Tensor) -> StepResult:
        """One control step and, with a viewer, one frame; see `Simulator.step`."""
        result = super().step(actions)
        if self.scene.viewer is not None and self.stop_reason is None:
            self.stop_reason = self.scene.viewer.draw()
        return result

    def set_task_parameters(self, values: Dict[str, float]) -> None:
        """Change task parameters; see `Simulator.set_task_parameters`.

        Raises:
            ParameterError: It would change a mass, which Isaac Gym fixes when the simulation is made.
        """
        self.task.check_parameters(values)
        for name, value in values.items():
            if self._changes_bodies(name, value):
                raise ParameterError(
                    f"{self.task.name}: {name} = {value:g} would change a body's mass, which Isaac Gym fixes when the "
                    "simulation is made; use the mujoco or torch simulator for this parameter"
                )
        super().set_task_parameters(values)

    def viewer_state(self, env_ids: Sequence[int]) -> Optional[ViewerState]:
        """The robots' positions in the model, which MuJoCo draws; None where it is not installed or cannot load it."""
        layout = self._drawn_layout()
        if self._state is None or layout is None:
            return None
        rows = torch.as_tensor(list(env_ids), device=self.device, dtype=torch.int64)
        physics = map_tensors(lambda tensor: tensor.cpu(), select_rows(self.task.physics(self._state), rows))
        description = {"seconds_per_step": repr(self.task.timestep), **layout.description()}
        return ViewerState("mujoco", tuple(env_ids), {"qpos": layout.positions_of(physics)}, description)

    def _drawn_layout(self) -> Optional[Layout]:
        if self._drawn is None and self._can_be_drawn:
            try:
                self._drawn = Layout(type(self.task)("cpu"))
            except SimulatorError as error:
                self._can_be_drawn = False
                logger.warning("no pictures of Isaac Gym's robots, for MuJoCo cannot draw them: %s", error)
        return self._drawn

    def close(self) -> None:
        """Give the simulation back; the next run of the same environment in this process may use it."""
        return_scene(self.scene)

    def _changes_bodies(self, name: str, value: float) -> bool:
        defaults = {parameter.name: parameter.default for parameter in self.task.parameters}
        before, after = (self._bodies(values) for values in (defaults, {**defaults, name: value}))
        return any(
            not torch.equal(old, new) for body in before for old, new in zip(before[body], after[body])
        )  # fmt: skip

    def _bodies(self, values: Dict[str, float]) -> Dict[str, Any]:
        rows = {name: torch.tensor([value], device=self.device) for name, value in values.items()}
        return self.task.bodies(rows)


class IsaacGymEngine(Engine):
    """Every physical task in Isaac Gym, where it is installed. Options: ``desynchronise``, ``visual``."""

    name = "isaacgym"
    option_names = ("desynchronise", "visual")

    def is_available(self) -> bool:
        """Whether it is imported, or can still be."""
        return not self.unavailable_reason()

    def unavailable_reason(self) -> str:
        """Not installed, not importable, or torch came first; says what to do."""
        import_isaacgym_first()
        reason = unavailable_reason()
        return f"cannot be used: {reason}" if reason else ""

    def task_names(self) -> Tuple[str, ...]:
        """The physical ones among the built-in tasks."""
        return tuple(_physical_tasks())

    def task_spec(self, task: str, num_envs: int, **options: Any) -> TaskSpec:
        """Spaces and sizes, from the task's declarations."""
        return _physical_tasks()[task].spec(num_envs)

    def make(
        self,
        task: str,
        num_envs: int,
        device: torch.device,
        generator: torch.Generator,
        visual: bool = False,
        **options: Any,
    ) -> IsaacGymSimulator:
        """A simulator that was not reset yet: on ``cuda`` with the GPU pipeline, on ``cpu`` with the other.

        Raises:
            SimulatorError: Isaac Gym cannot be used here, or its simulation is in use or of another environment.
        """
        reason = unavailable_reason()
        if reason:
            raise SimulatorError(reason)
        chosen = _physical_tasks()[task]
        settings = SceneSettings(chosen, num_envs, device, device.type == "cuda", visual)
        return IsaacGymSimulator(chosen(device), borrow_scene(settings), num_envs, generator, **options)


def _physical_tasks() -> Dict[str, Type[PhysicsTask]]:
    return physics_tasks()
