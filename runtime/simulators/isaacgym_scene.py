"""The simulation inside NVIDIA Isaac Gym: its robots, its tensors, and the calls that move them.

Isaac Gym allows one simulation per process. It is kept when a run ends, for a next run of the same environment, and is
destroyed when the process ends.
"""

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any, List, Optional, Type

import torch
from torch import Tensor

from .interface import SimulatorError
from .isaacgym_first import at_end
from .isaacgym_viewer import IsaacGymViewer, display_problem
from .physics_backend import PhysicsBackend
from .rotation import rotate, rotate_back
from .tasks.physics_state import PhysicsState
from .tasks.physics_task import PhysicsTask

SPACING = 2.5
"""Half the distance between neighbouring environments, in metres. They never touch; it is for the eye."""
NEW_PROCESS = (
    "Isaac Gym has one simulation per process; start this one in a new process: from the command line, or from the "
    "editor with its process host"
)


@dataclass(frozen=True)
class SceneSettings:
    """What a simulation is made of; two runs of the same settings can share one.

    Attributes:
        task: The task's class.
        num_envs: Number of environments, N.
        device: Where the tensors live; its index chooses the GPU.
        use_gpu: Simulate on the GPU, and exchange tensors there (the GPU pipeline).
        visual: With the native viewer.
    """

    task: Type[PhysicsTask]
    num_envs: int
    device: torch.device
    use_gpu: bool
    visual: bool = False


class IsaacGymScene(PhysicsBackend):
    """N robots in Isaac Gym.

    Raises:
        SimulatorError: The simulation cannot be made; says what to look at.
    """

    def __init__(self, settings: SceneSettings):
        self.settings = settings
        self.model, self.num_envs = settings.task.model, settings.num_envs
        self.viewer: Optional[IsaacGymViewer] = None
        if settings.visual:
            _require_display()
        self._gymapi, self._gymtorch = import_module("isaacgym.gymapi"), import_module("isaacgym.gymtorch")
        self._gym = self._gymapi.acquire_gym()
        self._sim = self._create_sim()
        self._in_flight: List[Tensor] = []
        try:
            self._fill()
        except BaseException:
            self.destroy()
            raise

    def open_viewer(self) -> None:
        """Open the native window, where the scene was made for one."""
        if self.viewer is None:
            self.viewer = IsaacGymViewer(self._gymapi, self._gym, self._sim, self.settings.use_gpu)

    def close_viewer(self) -> None:
        """Close the native window."""
        if self.viewer is not None:
            self.viewer.close()
            self.viewer = None

    def destroy(self) -> None:
        """End the simulation."""
        self.close_viewer()
        if self._sim is not None:
            self._gym.destroy_sim(self._sim)
            self._sim = None

    def place(self, env_ids: Tensor, physics: PhysicsState) -> None:
        """Put some robots somewhere; see `PhysicsBackend.place`."""
        ids = self._actor_ids.index_select(0, env_ids).contiguous()
        count, handle = len(ids), self._gymtorch.unwrap_tensor
        if not self.model.fixed_base:
            self._root[env_ids] = self._root_rows(env_ids, physics)
            self._gym.set_actor_root_state_tensor_indexed(self._sim, handle(self._root), handle(ids), count)
        joints = torch.stack((physics.joint_positions, physics.joint_velocities), dim=2)
        self._joint_states[env_ids] = joints if self._to_gym is None else joints.index_select(1, self._to_gym)
        self._gym.set_dof_state_tensor_indexed(self._sim, handle(self._dof), handle(ids), count)
        self._in_flight.append(ids)  # Isaac Gym reads the ids in simulate; they must live until then

    def advance(self, efforts: Tensor) -> PhysicsState:
        """One control step; see `PhysicsBackend.advance`."""
        gym, sim = self._gym, self._sim
        self._forces.view(self.num_envs, -1).index_copy_(1, self._actuated, efforts)
        gym.set_dof_actuation_force_tensor(sim, self._gymtorch.unwrap_tensor(self._forces))
        gym.simulate(sim)
        if not self.settings.use_gpu:
            gym.fetch_results(sim, True)
        self._in_flight.clear()
        self._refresh()
        return self._measure()

    # Making

    def _create_sim(self) -> Any:
        settings = self.settings
        compute = settings.device.index or 0
        graphics = compute if settings.visual else -1
        sim = self._gym.create_sim(compute, graphics, self._gymapi.SIM_PHYSX, self._params())
        if sim is None:
            raise SimulatorError(
                f"Isaac Gym could not make a simulation of {settings.num_envs} × {settings.task.name} on "
                f"{'cuda' if settings.use_gpu else 'the CPU, compute device '}:{compute}. {_gpu_advice(settings)}"
            )
        return sim

    def _params(self) -> Any:
        gymapi, task = self._gymapi, self.settings.task
        params = gymapi.SimParams()
        params.dt, params.substeps = task.timestep, task.substeps
        params.up_axis = gymapi.UP_AXIS_Z
        params.gravity = gymapi.Vec3(0.0, 0.0, -9.81)
        params.use_gpu_pipeline = self.settings.use_gpu
        params.num_client_threads = 0
        params.physx.solver_type = 1
        params.physx.num_position_iterations = 4
        params.physx.num_velocity_iterations = 0
        params.physx.num_threads = 4
        params.physx.use_gpu = self.settings.use_gpu
        params.physx.contact_collection = gymapi.ContactCollection(0)
        return params

    def _fill(self) -> None:
        gymapi, gym, sim = self._gymapi, self._gym, self._sim
        plane = gymapi.PlaneParams()
        plane.normal = gymapi.Vec3(0.0, 0.0, 1.0)
        gym.add_ground(sim, plane)
        asset = self._load_asset()
        actors = [self._create_robot(asset, index) for index in range(self.num_envs)]
        gym.prepare_sim(sim)
        if self.settings.visual:
            self.open_viewer()
        self._acquire(actors)

    def _load_asset(self) -> Any:
        gym, model = self._gym, self.model
        options = self._gymapi.AssetOptions()
        options.fix_base_link = model.fixed_base
        options.angular_damping = 0.0
        path = model.path
        if not path.is_file():
            raise SimulatorError(f"{self.settings.task.name}: there is no model file {path}")
        asset = gym.load_asset(self._sim, str(path.parent), path.name, options)
        if asset is None:
            raise SimulatorError(f"{self.settings.task.name}: Isaac Gym cannot load {path}; its output says why")
        names = list(gym.get_asset_dof_names(asset))
        self._set_joint_order(names)
        for body in model.sensor_bodies:
            index = gym.find_asset_rigid_body_index(asset, body)
            if index < 0:
                raise SimulatorError(f"{path} has no body {body!r}, which a sensor of {self.settings.task.name} needs")
            gym.create_asset_force_sensor(asset, index, self._gymapi.Transform())
        return asset

    def _set_joint_order(self, names: List[str]) -> None:
        """How Isaac Gym's order of joints, that of the tree, becomes the task's."""
        model, device = self.model, self.settings.device
        if sorted(names) != sorted(model.joints):
            raise SimulatorError(f"{model.path} has the joints {names}, the task {list(model.joints)}")
        in_order = tuple(names) == tuple(model.joints)
        order = [names.index(joint) for joint in model.joints]
        back = [model.joints.index(joint) for joint in names]
        self._from_gym = None if in_order else torch.tensor(order, device=device)
        self._to_gym = None if in_order else torch.tensor(back, device=device)
        self._actuated = torch.tensor([names.index(joint) for joint in model.actuated_joints], device=device)
        self._joint_names = names

    def _create_robot(self, asset: Any, index: int) -> int:
        """One environment with its robot; returns the id of the actor in the tensors."""
        gymapi, gym, model = self._gymapi, self._gym, self.model
        lower, upper = gymapi.Vec3(-SPACING, -SPACING, 0.0), gymapi.Vec3(SPACING, SPACING, SPACING)
        env = gym.create_env(self._sim, lower, upper, int(math.sqrt(self.num_envs)))
        pose = gymapi.Transform()
        pose.p, pose.r = gymapi.Vec3(*model.start_position), gymapi.Quat(*model.start_rotation)
        collision_filter = 0 if model.self_collision else 1
        actor = gym.create_actor(env, asset, pose, self.settings.task.name.lower(), index, collision_filter, 0)
        if len(model.actuated_joints) < len(model.joints) or model.joint_speed_limits:
            self._set_drives(env, actor)
        if model.measures_joint_forces:
            gym.enable_actor_dof_force_sensors(env, actor)
        return int(gym.get_actor_index(env, actor, gymapi.DOMAIN_SIM))

    def _set_drives(self, env: Any, actor: Any) -> None:
        """Motors where actions drive, nothing where a joint swings freely, and the limits of speed."""
        gymapi, model = self._gymapi, self.model
        properties = self._gym.get_actor_dof_properties(env, actor)
        for row, name in enumerate(self._joint_names):
            is_driven = name in model.actuated_joints
            properties["driveMode"][row] = gymapi.DOF_MODE_EFFORT if is_driven else gymapi.DOF_MODE_NONE
            limit = model.joint_speed_limits[model.joints.index(name)] if model.joint_speed_limits else math.inf
            if math.isfinite(limit):
                properties["velocity"][row] = limit
        properties["stiffness"][:] = 0.0
        properties["damping"][:] = 0.0
        self._gym.set_actor_dof_properties(env, actor, properties)

    # Tensors

    def _acquire(self, actors: List[int]) -> None:
        gym, sim, wrap, model = self._gym, self._sim, self._gymtorch.wrap_tensor, self.model
        device, joints = self.settings.device, len(model.joints)
        self._dof = wrap(gym.acquire_dof_state_tensor(sim))
        self._root = wrap(gym.acquire_actor_root_state_tensor(sim))
        self._joint_states = self._dof.view(self.num_envs, joints, 2)
        self._sensors = wrap(gym.acquire_force_sensor_tensor(sim)) if model.sensor_bodies else None
        self._joint_forces = wrap(gym.acquire_dof_force_tensor(sim)) if model.measures_joint_forces else None
        self._forces = torch.zeros(self.num_envs * joints, device=device)
        self._actor_ids = torch.tensor(actors, dtype=torch.int32, device=device)
        self._refresh()
        start = torch.tensor(model.start_position[:2], device=device)
        self._origins = self._root[:, :2] - start  # zero where Isaac Gym measures from the environment's own origin

    def _refresh(self) -> None:
        gym, sim = self._gym, self._sim
        gym.refresh_dof_state_tensor(sim)
        gym.refresh_actor_root_state_tensor(sim)
        if self._sensors is not None:
            gym.refresh_force_sensor_tensor(sim)
        if self._joint_forces is not None:
            gym.refresh_dof_force_tensor(sim)

    def _measure(self) -> PhysicsState:
        """Copies of what the tensors show, in the task's order of joints."""
        joints, root = self._in_order(self._joint_states), self._root.clone()
        root[:, :2] -= self._origins
        rotations, angular = root[:, 3:7], root[:, 10:13]
        if self.model.local_angular_velocities:
            angular = rotate_back(rotations, angular)
        empty = joints.new_zeros
        sensors = len(self.model.sensor_bodies)
        return PhysicsState(
            joint_positions=joints[..., 0].contiguous(),
            joint_velocities=joints[..., 1].contiguous(),
            root_positions=root[:, 0:3],
            root_rotations=rotations,
            root_linear_velocities=root[:, 7:10],
            root_angular_velocities=angular,
            sensor_wrenches=empty(self.num_envs, 0, 6)
            if self._sensors is None
            else self._sensors.view(self.num_envs, sensors, 6).clone(),
            joint_forces=torch.zeros_like(joints[..., 0])
            if self._joint_forces is None
            else self._in_order(self._joint_forces.view(self.num_envs, -1)),
        )

    def _in_order(self, rows: Tensor) -> Tensor:
        """A copy with the joints in the task's order."""
        return rows.clone() if self._from_gym is None else rows.index_select(1, self._from_gym)

    def _root_rows(self, env_ids: Tensor, physics: PhysicsState) -> Tensor:
        positions = physics.root_positions.clone()
        positions[:, :2] += self._origins.index_select(0, env_ids)
        angular = physics.root_angular_velocities
        if self.model.local_angular_velocities:
            angular = rotate(physics.root_rotations, angular)
        return torch.cat((positions, physics.root_rotations, physics.root_linear_velocities, angular), dim=1)


class _ProcessScene:
    """The one simulation of this process, and whether a run uses it."""

    def __init__(self) -> None:
        self.scene: Optional[IsaacGymScene] = None
        self.is_lent = False

    def destroy(self) -> None:
        scene, self.scene, self.is_lent = self.scene, None, False
        if scene is not None:
            scene.destroy()


_process = _ProcessScene()


def borrow_scene(settings: SceneSettings) -> IsaacGymScene:
    """The scene of this process, made now or left by an earlier run of the same settings.

    Raises:
        SimulatorError: Another run uses it, or it is of another environment; or it cannot be made.
    """
    if _process.is_lent:
        raise SimulatorError(f"Isaac Gym is in use by another environment of this process. {NEW_PROCESS}")
    if _process.scene is not None and _process.scene.settings != settings:
        raise SimulatorError(f"Isaac Gym holds {_difference(_process.scene.settings, settings)}. {NEW_PROCESS}")
    if _process.scene is None:
        _process.scene = IsaacGymScene(settings)
        at_end(destroy_scene)
    elif settings.visual:
        _require_display()
        _process.scene.open_viewer()
    _process.is_lent = True
    return _process.scene


def return_scene(scene: IsaacGymScene) -> None:
    """Keep a scene for the next run; its window closes."""
    if scene is _process.scene:
        scene.close_viewer()
        _process.is_lent = False


def destroy_scene() -> None:
    """End the simulation of this process, if there is one."""
    _process.destroy()


def _difference(held: SceneSettings, wanted: SceneSettings) -> str:
    def text(settings: SceneSettings) -> str:
        viewer = " with a viewer" if settings.visual else ""
        return f"{settings.num_envs} × {settings.task.name} on {settings.device}{viewer}"

    return f"an earlier run's simulation of {text(held)}, and this run wants {text(wanted)}"


def _require_display() -> None:
    problem = display_problem()
    if problem:
        raise SimulatorError(f"Isaac Gym's viewer needs an X display: {problem}; run without --visual")


def _gpu_advice(settings: SceneSettings) -> str:
    if not torch.cuda.is_available():
        return "There is no NVIDIA GPU that torch can use here: check nvidia-smi, or use the mujoco or torch simulator"
    graphics = "; without --visual no graphics are needed" if settings.visual else ""
    return f"Its output above says why; fewer environments need less GPU memory{graphics}"
