"""Where the joints, motors and sensors of a task lie in a MuJoCo model."""

from typing import Any, Dict, List, Sequence, Tuple, Union

import torch
from torch import Tensor

from ..interface import SimulatorError
from ..tasks.physics_state import PhysicsState
from ..tasks.physics_task import PhysicsTask
from .importing import import_mujoco
from .warnings import log_warnings

Columns = Union[slice, Tensor]
ROOT, QUATERNION = slice(0, 3), slice(3, 7)
"""Position of a free root in qpos, and its rotation as w, x, y, z."""


class Layout:
    """A task's model, compiled, with the columns of what the task measures and drives.

    Attributes:
        model: The ``mujoco.MjModel``.
        positions, velocities: Columns of the joints in qpos and qvel. D each.
        controls: Columns of the actuated joints' motors in ctrl. A.
        gears: Torque per control of these motors. Shape: (A,) float64.
        is_free: Whether the root has a free joint, which then comes first.
        motion: Columns in qpos, and then qvel, of a state's parts up to ``root_angular_velocities``, in their order.
        motion_widths: How many columns each part has.
        readings: Columns in sensordata of the wrenches and of the two parts of the joint forces, in this order.
        reading_widths: Likewise.
    """

    def __init__(self, task: PhysicsTask):
        """Load the model.

        Raises:
            SimulatorError: It does not load, or lacks a joint, motor or sensor of the task; names file and part.
        """
        self._mujoco = mujoco = import_mujoco()
        log_warnings(mujoco, task.name)
        self.task = task
        declared = task.model
        self.model = model = self._load()
        self._first_positions = torch.as_tensor(model.qpos0.copy()).to(task.device)
        model.opt.timestep = task.timestep / task.substeps
        # Values that are not finite must show: MuJoCo would put such a simulation back to its start unnoticed.
        model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
        joints = [self._id(mujoco.mjtObj.mjOBJ_JOINT, "joint", name) for name in declared.joints]
        self.is_free = bool(model.njnt) and model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE
        if self.is_free == declared.fixed_base:
            raise self._error("its first joint must be a free one unless the base is fixed")
        self.positions, self.velocities = (
            self._columns(model.jnt_qposadr[joints]),
            self._columns(model.jnt_dofadr[joints]),
        )
        motors = [self._motor(name) for name in declared.actuated_joints]
        self.controls = self._columns(motors)
        self.gears = torch.as_tensor(model.actuator_gear[motors, 0].copy())
        self.motion, self.motion_widths = _joined(self._motion_parts())
        readings = [[column for name in declared.sensor_bodies for column in self._wrench(name)]]
        if declared.measures_joint_forces:
            kinds = (mujoco.mjtSensor.mjSENS_JOINTACTFRC, mujoco.mjtSensor.mjSENS_JOINTLIMITFRC)
            readings += [[self._joint_force(kind, joint) for joint in joints] for kind in kinds]
        self.readings, self.reading_widths = _joined(readings)

    def body(self, name: str) -> int:
        """Number of a body in the model."""
        return self._id(self._mujoco.mjtObj.mjOBJ_BODY, "body", name)

    def joint_columns(self) -> Tuple[List[int], List[int]]:
        """Columns of the joints in qpos and qvel, as numbers. D each."""
        every = torch.arange(max(self.model.nq, self.model.nv), device=self.task.device)
        return every[self.positions].tolist(), every[self.velocities].tolist()

    def positions_of(self, physics: PhysicsState) -> Tensor:
        """qpos of robots that were measured or are to be placed. Shape: (N, nq) float64."""
        rows = len(physics.joint_positions)
        positions = self._first_positions.repeat(rows, 1)
        if self.is_free:
            positions[:, ROOT] = physics.root_positions.double()
            positions[:, QUATERNION] = physics.root_rotations[:, [3, 0, 1, 2]].double()
        positions[:, self.positions] = physics.joint_positions.double()
        return positions

    def description(self) -> Dict[str, str]:
        """What a viewer of the kind ``mujoco`` needs of the model: ``model_xml`` and, for meshes, ``model_path``."""
        path = self.task.model.path
        return {"model_xml": path.read_text(encoding="utf-8"), "model_path": str(path)}

    def _motion_parts(self) -> List[List[int]]:
        joints, speeds = self.joint_columns()
        velocities = self.model.nq
        parts = [joints, [velocities + speed for speed in speeds]]
        if self.is_free:
            parts += [[0, 1, 2], [4, 5, 6, 3], [velocities, velocities + 1, velocities + 2]]
            parts += [[velocities + 3, velocities + 4, velocities + 5]]
        return parts

    def _columns(self, numbers: Sequence[int]) -> Columns:
        return columns(numbers, self.task.device)

    def _load(self) -> Any:
        path = self.task.model.path
        if not path.is_file():
            raise self._error("there is no such file")
        try:
            return self._mujoco.MjModel.from_xml_path(str(path))
        except ValueError as error:
            raise self._error(str(error)) from error

    def _id(self, kind: Any, what: str, name: str) -> int:
        found = self._mujoco.mj_name2id(self.model, kind, name)
        if found < 0:
            raise self._error(f"it has no {what} {name!r}")
        return int(found)

    def _motor(self, joint: str) -> int:
        number = self._id(self._mujoco.mjtObj.mjOBJ_JOINT, "joint", joint)
        for motor in range(self.model.nu):
            drives_joints = self.model.actuator_trntype[motor] == self._mujoco.mjtTrn.mjTRN_JOINT
            if drives_joints and self.model.actuator_trnid[motor, 0] == number:
                return motor
        raise self._error(f"joint {joint!r} has no motor")

    def _wrench(self, body: str) -> List[int]:
        number, model = self.body(body), self.model
        found: List[int] = []
        kinds = self._mujoco.mjtSensor
        for kind, tag in ((kinds.mjSENS_FORCE, "force"), (kinds.mjSENS_TORQUE, "torque")):
            at = [
                int(model.sensor_adr[sensor])
                for sensor in range(model.nsensor)
                if model.sensor_type[sensor] == kind and model.site_bodyid[model.sensor_objid[sensor]] == number
            ]
            if not at:
                raise self._error(f"body {body!r} has no {tag} sensor")
            found += range(at[0], at[0] + 3)
        return found

    def _joint_force(self, kind: Any, joint: int) -> int:
        model = self.model
        for sensor in range(model.nsensor):
            if model.sensor_type[sensor] == kind and model.sensor_objid[sensor] == joint:
                return int(model.sensor_adr[sensor])
        name = self._mujoco.mj_id2name(model, self._mujoco.mjtObj.mjOBJ_JOINT, joint)
        raise self._error(f"joint {name!r} has no jointactuatorfrc or no jointlimitfrc sensor")

    def _error(self, text: str) -> SimulatorError:
        return SimulatorError(f"{self.task.name}: the model {self.task.model.path}: {text}")


def columns(numbers: Sequence[int], device: Union[torch.device, str] = "cpu") -> Columns:
    """Columns by number: a slice where the columns have the same distance from one another: that needs no copy."""
    listed = [int(number) for number in numbers]
    if len(listed) < 2:
        return slice(listed[0], listed[0] + 1) if listed else slice(0, 0)
    step = listed[1] - listed[0]
    if step > 0 and listed == list(range(listed[0], listed[-1] + 1, step)):
        return slice(listed[0], listed[-1] + 1, step)
    return torch.tensor(listed, device=device)


def _joined(parts: Sequence[Sequence[int]]) -> Tuple[List[int], List[int]]:
    return [column for part in parts for column in part], [len(part) for part in parts]
