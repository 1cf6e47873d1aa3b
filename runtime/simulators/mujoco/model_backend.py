"""What MuJoCo's ways of stepping have in common: rows of positions and velocities in, float32 measurements out."""

from abc import abstractmethod
from typing import Any, Dict, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ...errors import CheckpointError
from ..physics_backend import PhysicsBackend
from ..rotation import rotate, rotate_back
from ..tasks.physics_state import PhysicsState
from .layout import Layout


class ModelBackend(PhysicsBackend):
    """N simulations of a model.

    Attributes:
        layout: The model, and where what lies in it.
        positions: qpos; live. Shape: (N, nq), in the engine's precision.
        controls: ctrl; live. Shape: (N, nu), likewise.
        sensors: Sensor readings of the last substep; live. Shape: (N, nsensordata), likewise.
    """

    viewer_kind = "mujoco"
    positions: Tensor
    controls: Tensor
    sensors: Tensor

    def __init__(self, layout: Layout, num_envs: int, precision: torch.dtype):
        self.layout = layout
        self.num_envs = num_envs
        self.device = device = layout.task.device
        self.precision = precision
        self.substeps = layout.task.substeps
        self.substep = layout.task.timestep / layout.task.substeps
        self._start = layout.task.start(num_envs)
        self._controls_per_effort = (1.0 / layout.gears).to(device, precision)
        self._motion_order = _order(layout.motion, layout.model.nq + layout.model.nv, device)
        self._reading_order = _order(layout.readings, layout.model.nsensordata, device)
        self._turns_to_world = layout.is_free and not layout.task.model.local_angular_velocities
        # MuJoCo measures how strong the stop of a joint pushes, not whether it pushes up or down.
        declared = layout.task.model
        limits = declared.joint_limits or ((0.0, 0.0),) * len(declared.joints)
        self._middles = torch.tensor(limits, device=device).mean(1)

    def attach(self, positions: Tensor, controls: Tensor, sensors: Tensor) -> None:
        """Take the engine's live rows."""
        self.positions, self.controls, self.sensors = positions, controls, sensors
        columns = self.layout.controls
        self._motors = controls[:, columns] if isinstance(columns, slice) else None

    def first_rows(self, row: Tensor, column: int = 0) -> None:
        """Take what `write` begins with.

        Args:
            row: The row of a simulation at its start. Shape: (1, W), in the engine's precision.
            column: Where qpos begins in it, with qvel right after.
        """
        self._first_row = row
        self._placed = torch.tensor(self.layout.motion, device=self.device) + column

    def advance(self, efforts: Tensor) -> PhysicsState:
        """Drive the motors, advance by the task's substeps, and measure; see `PhysicsBackend.advance`."""
        if self._motors is None:
            self.controls[:, self.layout.controls] = efforts * self._controls_per_effort
        else:
            torch.mul(efforts, self._controls_per_effort, out=self._motors)
        self.make_substeps()
        return self.measure()

    @abstractmethod
    def make_substeps(self) -> None:
        """Make the task's substeps with the controls, keep its limits of speed, and renew the sensors."""

    @abstractmethod
    def motion_copy(self) -> Tensor:
        """A copy of qpos, then qvel. Shape: (N, nq + nv) float32."""

    def measure(self) -> PhysicsState:
        """The present state, copied to float32 in two blocks, of which its tensors are columns."""
        layout, start = self.layout, self._start
        motion = _reordered(self.motion_copy(), self._motion_order)
        joints, speeds, *roots = motion.split_with_sizes(layout.motion_widths, 1)
        wrenches, forces = start.sensor_wrenches, start.joint_forces
        if layout.readings:
            readings = _reordered(self.sensors.to(torch.float32, copy=True), self._reading_order)
            if layout.task.model.measures_joint_forces:
                readings, motors, limits = readings.split_with_sizes(layout.reading_widths, 1)
                forces = motors + torch.copysign(limits, self._middles - joints)  # stops push towards the middle
            wrenches = readings.view_as(wrenches)
        return PhysicsState(joints, speeds, *self._roots(*roots), wrenches, forces)

    def _roots(self, *measured: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
        """The root's part of a state; where it cannot move, nothing of it is measured."""
        if not measured:
            return self._start[2:6]
        positions, rotations, linear, angular = measured
        return positions, rotations, linear, rotate(rotations, angular) if self._turns_to_world else angular

    def place(self, env_ids: Tensor, physics: PhysicsState) -> None:
        """Write first positions and velocities into the rows."""
        values: Tuple[Tensor, ...] = physics[:2]
        if self.layout.is_free:
            angular = physics.root_angular_velocities
            if self._turns_to_world:
                angular = rotate_back(physics.root_rotations, angular)
            values = (*physics[:5], angular)
        placed = torch.cat(values, 1).to(self.precision)
        self.write(env_ids, self._first_row.expand(env_ids.numel(), -1).index_copy(1, self._placed, placed))

    @abstractmethod
    def write(self, env_ids: Tensor, rows: Tensor) -> None:
        """Begin at these rows, with nothing else left of earlier steps."""

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
        return {"qpos": self.positions.index_select(0, env_ids).cpu().double()}

    def viewer_description(self) -> Dict[str, str]:
        """``model_xml`` and, for meshes beside it, ``model_path``."""
        return self.layout.description()


def _order(columns: Sequence[int], count: int, device: torch.device) -> Optional[Tensor]:
    """Columns to be taken; None where they are all there are, in their order."""
    return None if list(columns) == list(range(count)) else torch.tensor(columns, device=device)


def _reordered(rows: Tensor, order: Optional[Tensor]) -> Tensor:
    return rows if order is None else rows.index_select(1, order)
