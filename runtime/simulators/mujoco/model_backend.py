"""What MuJoCo's ways of stepping have in common: rows of positions and velocities in, float32 measurements out."""

from abc import abstractmethod
from typing import Any, Dict

import torch
from torch import Tensor

from ...errors import CheckpointError
from ..physics_backend import PhysicsBackend
from ..tasks.physics_state import PhysicsState
from .layout import Layout


class ModelBackend(PhysicsBackend):
    """N simulations of a model.

    Attributes:
        layout: The model, and where what lies in it.
        controls: ctrl; live. Shape: (N, nu), in the engine's precision.
        sensors: Sensor readings of the last substep; live. Shape: (N, nsensordata), likewise.
    """

    viewer_kind = "mujoco"
    controls: Tensor
    sensors: Tensor

    def __init__(self, layout: Layout, num_envs: int, precision: torch.dtype):
        self.layout = layout
        self.num_envs = num_envs
        self.device = device = layout.task.device
        self.precision = precision
        model = layout.model
        self.substeps = layout.task.substeps
        self.substep = layout.task.timestep / layout.task.substeps
        self._start = layout.task.start(num_envs)
        self._velocities = slice(model.nq, model.nq + model.nv)
        self._controls_per_effort = (1.0 / layout.gears).to(device, precision)
        self._xyzw = torch.tensor([4, 5, 6, 3], device=device)
        self._inverse = torch.tensor([-1.0, -1.0, -1.0, 1.0], device=device)
        self._direct = layout.controls == slice(0, model.nu) if isinstance(layout.controls, slice) else False
        # MuJoCo measures how strong the stop of a joint pushes, not whether it pushes up or down.
        declared = layout.task.model
        limits = declared.joint_limits or ((0.0, 0.0),) * len(declared.joints)
        self._middles = torch.tensor(limits, device=device).mean(1)

    def advance(self, efforts: Tensor) -> PhysicsState:
        """Drive the motors, advance by the task's substeps, and measure; see `PhysicsBackend.advance`."""
        if self._direct:
            torch.mul(efforts, self._controls_per_effort, out=self.controls)
        else:
            self.controls[:, self.layout.controls] = efforts * self._controls_per_effort
        self.make_substeps()
        return self.measure()

    @abstractmethod
    def make_substeps(self) -> None:
        """Make the task's substeps with the controls, keep its limits of speed, and renew the sensors."""

    @abstractmethod
    def motion_copy(self) -> Tensor:
        """A copy of qpos, then qvel. Shape: (N, nq + nv) float32."""

    def measure(self) -> PhysicsState:
        """The present state, copied to float32 at once."""
        layout, start = self.layout, self._start
        motion = self.motion_copy()
        speeds = motion[:, self._velocities]
        roots = start[2:6]
        if layout.is_free:
            rotations = motion.index_select(1, self._xyzw)
            angular = rotate(rotations, speeds[:, 3:6])
            roots = (motion[:, :3], rotations, speeds[:, :3], angular)
        wrenches, forces = start.sensor_wrenches, start.joint_forces
        if start.sensor_wrenches.shape[1]:
            wrenches = self.sensors[:, layout.wrenches].to(torch.float32, copy=True).view_as(wrenches)
        if layout.joint_forces:
            motors, limits = (self.sensors[:, columns] for columns in layout.joint_forces)
            is_upper = motion[:, layout.positions] > self._middles
            forces = torch.where(is_upper, motors - limits, motors + limits).float()
        return PhysicsState(motion[:, layout.positions], speeds[:, layout.velocities], *roots, wrenches, forces)

    def place(self, env_ids: Tensor, physics: PhysicsState) -> None:
        """Write first positions and velocities into the rows."""
        layout, rows = self.layout, len(env_ids)
        speeds = torch.zeros(rows, layout.model.nv, dtype=self.precision, device=self.device)
        if layout.is_free:
            speeds[:, :3] = physics.root_linear_velocities
            speeds[:, 3:6] = rotate(physics.root_rotations * self._inverse, physics.root_angular_velocities)
        speeds[:, layout.velocities] = physics.joint_velocities.to(self.precision)
        self.write(env_ids, torch.cat((layout.positions_of(physics).to(self.precision), speeds), 1))

    @abstractmethod
    def write(self, env_ids: Tensor, motion: Tensor) -> None:
        """Begin at these positions and velocities, with nothing else left of earlier steps."""

    def state_dict(self) -> Dict[str, Any]:
        """The rows, and what they mean."""
        return {name: tensor.clone() for name, tensor in self.rows().items()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Write the rows back; see `PhysicsBackend.load_state_dict`."""
        for name, own in self.rows().items():
            saved = state.get(name)
            if saved is None or saved.shape != own.shape:
                found = "is missing" if saved is None else f"has the shape {tuple(saved.shape)}"
                raise CheckpointError(
                    f"saved physics of {self.layout.task.name}: {name} {found}, expected {tuple(own.shape)}; it "
                    "belongs to another model, another mujoco_backend or another version of MuJoCo"
                )
            own.copy_(saved)

    @abstractmethod
    def rows(self) -> Dict[str, Tensor]:
        """The live tensors that the next step depends on, by name."""

    def viewer_values(self, env_ids: Tensor) -> Dict[str, Tensor]:
        """``qpos``. Shape: (K, nq) float64."""
        return {"qpos": self.positions().index_select(0, env_ids).cpu().double()}

    @abstractmethod
    def positions(self) -> Tensor:
        """qpos; live. Shape: (N, nq)."""

    def viewer_description(self) -> Dict[str, str]:
        """``model_xml`` and, for meshes beside it, ``model_path``."""
        return self.layout.description()


def rotate(quaternions: Tensor, vectors: Tensor) -> Tensor:
    """q v q⁻¹ = v + 2w·(u × v) + 2u × (u × v) for q = (u, w). Shapes: (N, 4), (N, 3)."""
    axes, scalars = quaternions[:, :3], quaternions[:, 3:]
    crossed = torch.linalg.cross(axes, vectors).mul_(2.0)
    return torch.addcmul(vectors, scalars, crossed).add_(torch.linalg.cross(axes, crossed))
