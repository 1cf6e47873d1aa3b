"""What MuJoCo's two ways of stepping on the CPU have in common: float64 rows in, float32 measurements out."""

import math
from abc import abstractmethod
from typing import Any, Dict, NamedTuple

import torch
from torch import Tensor

from ...errors import CheckpointError
from ..physics_backend import PhysicsBackend
from ..tasks.physics_state import PhysicsState
from .layout import Layout

QUATERNION = slice(3, 7)
"""The root's rotation in qpos, as w, x, y, z."""


class _LimitedJoint(NamedTuple):
    """Live columns of a joint whose speed has a limit. Shape of each: (N,) float64."""

    positions: Tensor
    speeds: Tensor
    limit: float


class CpuBackend(PhysicsBackend):
    """N simulations of a model whose state lies in rows of float64.

    Attributes:
        layout: The model, and where what lies in it.
        motion: qpos, then qvel, of every simulation; live. Shape: (N, nq + nv) float64.
        controls: ctrl; live. Shape: (N, nu) float64.
        sensors: Sensor readings of the last substep; live. Shape: (N, nsensordata) float64.
    """

    viewer_kind = "mujoco"
    motion: Tensor
    controls: Tensor
    sensors: Tensor

    def __init__(self, layout: Layout, num_envs: int):
        self.layout = layout
        self.num_envs = num_envs
        model = layout.model
        self.substeps = layout.task.substeps
        self._substep = layout.task.timestep / layout.task.substeps
        self._start = layout.task.start(num_envs)
        self._velocities = slice(model.nq, model.nq + model.nv)
        self._positions_first = torch.as_tensor(model.qpos0.copy())
        self._controls_per_effort = 1.0 / layout.gears
        self._xyzw = torch.tensor([4, 5, 6, 3])
        self._direct = layout.controls == slice(0, model.nu) if isinstance(layout.controls, slice) else False
        # MuJoCo measures how strong the stop of a joint pushes, not whether it pushes up or down.
        declared = layout.task.model
        self._middles = torch.tensor(declared.joint_limits or ((0.0, 0.0),) * len(declared.joints)).mean(1)

    def attach(self, motion: Tensor, controls: Tensor, sensors: Tensor) -> None:
        """Take the engine's live rows."""
        self.motion, self.controls, self.sensors = motion, controls, sensors
        self._wrenches = sensors[:, self.layout.wrenches]
        speeds = motion[:, self._velocities]
        limits = self.layout.task.model.joint_speed_limits
        self._limited = [
            _LimitedJoint(motion[:, position], speeds[:, velocity], limit)
            for position, velocity, limit in zip(*self.layout.joint_columns(), limits)
            if math.isfinite(limit)
        ]

    def advance(self, efforts: Tensor) -> PhysicsState:
        """Drive the motors, advance by the task's substeps, and measure; see `PhysicsBackend.advance`."""
        if self._direct:
            torch.mul(efforts, self._controls_per_effort, out=self.controls)
        else:
            self.controls[:, self.layout.controls] = efforts * self._controls_per_effort
        if self._limited:
            self._run_limited()
        else:
            self.run(self.substeps)
        return self.measure()

    @abstractmethod
    def run(self, substeps: int) -> None:
        """Make some substeps with the controls, and renew ``motion`` and ``sensors``."""

    def _run_limited(self) -> None:
        """Substep by substep, with speeds kept in their limits before they move a joint, as PhysX does it."""
        for _ in range(self.substeps):
            self.run(1)
            for joint in self._limited:
                low, high = torch.aminmax(joint.speeds)
                if not (float(low) >= -joint.limit and float(high) <= joint.limit):
                    excess = joint.speeds - joint.speeds.clamp(-joint.limit, joint.limit)
                    joint.speeds.sub_(excess)
                    joint.positions.sub_(excess, alpha=self._substep)

    def measure(self) -> PhysicsState:
        """The present state, copied to float32 at once."""
        layout, start = self.layout, self._start
        motion = self.motion.float()
        speeds = motion[:, self._velocities]
        roots = start[2:6]
        if layout.is_free:
            rotations = motion.index_select(1, self._xyzw)
            angular = rotate(rotations, speeds[:, 3:6])
            roots = (motion[:, :3], rotations, speeds[:, :3], angular)
        wrenches, forces = start.sensor_wrenches, start.joint_forces
        if start.sensor_wrenches.shape[1]:
            wrenches = self._wrenches.float().view_as(wrenches)
        if layout.joint_forces:
            motors, limits = (self.sensors[:, columns] for columns in layout.joint_forces)
            is_upper = motion[:, layout.positions] > self._middles
            forces = torch.where(is_upper, motors - limits, motors + limits).float()
        return PhysicsState(motion[:, layout.positions], speeds[:, layout.velocities], *roots, wrenches, forces)

    def place(self, env_ids: Tensor, physics: PhysicsState) -> None:
        """Write first positions and velocities into the rows."""
        layout, rows = self.layout, len(env_ids)
        positions = self._positions_first.repeat(rows, 1)
        speeds = torch.zeros(rows, layout.model.nv, dtype=torch.float64)
        if layout.is_free:
            positions[:, :3] = physics.root_positions
            positions[:, QUATERNION] = physics.root_rotations[:, [3, 0, 1, 2]].double()
            speeds[:, :3] = physics.root_linear_velocities
            speeds[:, 3:6] = rotate(_inverse(physics.root_rotations), physics.root_angular_velocities)
        positions[:, layout.positions] = physics.joint_positions.double()
        speeds[:, layout.velocities] = physics.joint_velocities.double()
        self.write(env_ids, torch.cat((positions, speeds), 1))

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
                    "belongs to another model or another version of MuJoCo"
                )
            own.copy_(saved)

    @abstractmethod
    def rows(self) -> Dict[str, Tensor]:
        """The live tensors that the next step depends on, by name."""

    def viewer_values(self, env_ids: Tensor) -> Dict[str, Tensor]:
        """``qpos``. Shape: (K, nq) float64."""
        return {"qpos": self.motion.index_select(0, env_ids)[:, : self.layout.model.nq]}

    def viewer_description(self) -> Dict[str, str]:
        """``model_xml`` and, for meshes beside it, ``model_path``."""
        path = self.layout.task.model.path
        return {"model_xml": path.read_text(encoding="utf-8"), "model_path": str(path)}


def rotate(quaternions: Tensor, vectors: Tensor) -> Tensor:
    """q v q⁻¹ = v + 2w·(u × v) + 2u × (u × v) for q = (u, w). Shapes: (N, 4), (N, 3)."""
    axes, scalars = quaternions[:, :3], quaternions[:, 3:]
    crossed = torch.linalg.cross(axes, vectors).mul_(2.0)
    return torch.addcmul(vectors, scalars, crossed).add_(torch.linalg.cross(axes, crossed))


def _inverse(quaternions: Tensor) -> Tensor:
    return quaternions * torch.tensor([-1.0, -1.0, -1.0, 1.0])
