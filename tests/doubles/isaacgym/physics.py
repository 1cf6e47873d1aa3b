"""Assets and actors of the double: MuJoCo behind the shapes of Isaac Gym."""

import math
from pathlib import Path
from typing import Any, List

import mujoco
import numpy as np

from .structs import AssetOptions, Constant, Misuse, SimParams, Transform

DRIVE_MODES = tuple(Constant(i, f"DOF_MODE_{name}") for i, name in enumerate(("NONE", "POS", "VEL", "EFFORT")))
DOF_FIELDS = [
    ("hasLimits", bool), ("lower", np.float32), ("upper", np.float32), ("driveMode", np.int32),
    ("velocity", np.float32), ("effort", np.float32), ("stiffness", np.float32), ("damping", np.float32),
    ("friction", np.float32), ("armature", np.float32),
]  # fmt: skip


class ActuatorProperties:
    """A motor."""

    def __init__(self, motor_effort: float):
        self.motor_effort = motor_effort


class Asset:
    """A loaded model."""

    def __init__(self, root: str, file: str, options: AssetOptions, params: SimParams):
        path = Path(root) / file
        if not path.is_file():
            raise Misuse(f"load_asset: there is no file {path}")
        self.options = options
        self.sensor_bodies: List[int] = []
        self.has_actors = False
        self.model = model = mujoco.MjModel.from_xml_path(str(path))
        model.opt.timestep = params.dt / params.substeps
        model.opt.gravity[:] = (params.gravity.x, params.gravity.y, params.gravity.z)
        free = mujoco.mjtJoint.mjJNT_FREE
        joints = [joint for joint in range(model.njnt) if model.jnt_type[joint] != free]
        self.is_free = len(joints) < model.njnt
        if self.is_free == options.fix_base_link:
            raise Misuse(f"fix_base_link = {options.fix_base_link} does not fit {file}")
        self.positions = np.array([model.jnt_qposadr[joint] for joint in joints], dtype=np.int64)
        self.velocities = np.array([model.jnt_dofadr[joint] for joint in joints], dtype=np.int64)
        self.joints = joints
        self.dof_names = [model.joint(joint).name for joint in joints]
        self.body_names = [model.body(body).name for body in range(1, model.nbody)]

    @property
    def dofs(self) -> int:
        """Number of DOFs, without those of a free root."""
        return len(self.joints)

    def dof_properties(self) -> Any:
        """Limits and drives of every DOF."""
        properties = np.zeros(self.dofs, dtype=DOF_FIELDS)
        model = self.model
        for row, joint in zip(properties, self.joints):
            row["hasLimits"] = model.jnt_limited[joint]
            row["lower"], row["upper"] = model.jnt_range[joint]
            row["velocity"] = row["effort"] = np.finfo(np.float32).max
            row["damping"] = model.dof_damping[model.jnt_dofadr[joint]]
        return properties

    def actuators(self) -> List[ActuatorProperties]:
        """The model's motors."""
        return [ActuatorProperties(float(gear[0])) for gear in self.model.actuator_gear]


class Actor:
    """One robot in one environment."""

    def __init__(self, asset: Asset, pose: Transform):
        self.asset, self.data = asset, mujoco.MjData(asset.model)
        self.properties = asset.dof_properties()
        self.measures_dof_forces = False
        self.pose = [pose.p.x, pose.p.y, pose.p.z, pose.r.x, pose.r.y, pose.r.z, pose.r.w]
        if asset.is_free:
            self.set_root(np.array(self.pose + [0.0] * 6))
        self.speed_limits = np.full(asset.dofs, np.inf)

    def apply_properties(self, properties: Any) -> None:
        """Take DOF properties over."""
        self.properties = properties.copy()
        limits = properties["velocity"].astype(np.float64)
        self.speed_limits = np.where(limits < np.finfo(np.float32).max, limits, np.inf)

    def step(self, forces: np.ndarray, substeps: int) -> None:
        """Apply forces for a number of substeps."""
        asset, data = self.asset, self.data
        data.qfrc_applied[asset.velocities] = forces
        if np.isinf(self.speed_limits).all():
            mujoco.mj_step(asset.model, data, substeps)
        else:
            for _ in range(substeps):
                mujoco.mj_step(asset.model, data)
                self._limit_speeds()
        if asset.sensor_bodies and not asset.model.nsensor:  # else the step itself has computed the forces
            mujoco.mj_rnePostConstraint(asset.model, data)

    def _limit_speeds(self) -> None:
        """Cap joint speeds, and take back the part of the position that the excess made."""
        asset, data = self.asset, self.data
        speeds = data.qvel[asset.velocities]
        excess = speeds - np.clip(speeds, -self.speed_limits, self.speed_limits)
        data.qvel[asset.velocities] -= excess
        data.qpos[asset.positions] -= excess * asset.model.opt.timestep

    def dof_state(self) -> np.ndarray:
        """Positions and velocities. Shape: (D, 2)."""
        return np.stack((self.data.qpos[self.asset.positions], self.data.qvel[self.asset.velocities]), axis=1)

    def set_dof_state(self, state: np.ndarray) -> None:
        """Put every DOF somewhere."""
        self.data.qpos[self.asset.positions], self.data.qvel[self.asset.velocities] = state[:, 0], state[:, 1]
        self.data.qacc_warmstart[:] = 0.0

    def root_state(self) -> np.ndarray:
        """Position, quaternion xyzw, linear and angular velocity in the world's frame. Shape: (13,)."""
        if not self.asset.is_free:
            return np.array(self.pose + [0.0] * 6)
        qpos, qvel = self.data.qpos, self.data.qvel
        angular = np.zeros(3)
        mujoco.mju_rotVecQuat(angular, qvel[3:6].copy(), qpos[3:7].copy())
        return np.concatenate((qpos[:3], qpos[4:7], qpos[3:4], qvel[:3], angular))

    def set_root(self, state: np.ndarray) -> None:
        """Put the root somewhere."""
        if not self.asset.is_free:
            self.pose = list(state[:7])
            return
        norm = math.sqrt(float(np.dot(state[3:7], state[3:7])))
        if abs(norm - 1.0) > 1e-3:
            raise Misuse(f"a root's quaternion has the length {norm:g}, expected 1")
        data = self.data
        data.qpos[:3], data.qpos[3], data.qpos[4:7] = state[:3], state[6], state[3:6]
        inverse, angular = np.zeros(4), np.zeros(3)
        mujoco.mju_negQuat(inverse, data.qpos[3:7].copy())
        mujoco.mju_rotVecQuat(angular, np.asarray(state[10:13], dtype=np.float64), inverse)
        data.qvel[:3], data.qvel[3:6] = state[7:10], angular

    def sensor_forces(self) -> np.ndarray:
        """Force, then torque, between every sensor's body and its parent, in the body's frame. Shape: (S, 6)."""
        model, data = self.asset.model, self.data
        wrenches = np.zeros((len(self.asset.sensor_bodies), 6))
        for wrench, body in zip(wrenches, self.asset.sensor_bodies):
            spatial, rotation = data.cfrc_int[body], data.xmat[body].reshape(3, 3)
            arm = data.subtree_com[model.body_rootid[body]] - data.xpos[body]
            wrench[:3] = rotation.T @ spatial[3:]
            wrench[3:] = rotation.T @ (spatial[:3] + np.cross(arm, spatial[3:]))
        return wrenches

    def dof_forces(self) -> np.ndarray:
        """Force of motor and limit at every DOF. Shape: (D,)."""
        model, data = self.asset.model, self.data
        forces = data.qfrc_applied.copy()
        for row in range(data.nefc):
            if data.efc_type[row] == mujoco.mjtConstraint.mjCNSTR_LIMIT_JOINT:
                joint = data.efc_id[row]
                middle = model.jnt_range[joint].mean()
                is_low = data.qpos[model.jnt_qposadr[joint]] < middle
                forces[model.jnt_dofadr[joint]] += data.efc_force[row] * (1.0 if is_low else -1.0)
        return forces[self.asset.velocities]
