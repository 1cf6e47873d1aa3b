"""The gym of the double: records every call and refuses those that break the contract."""

import os
import sys
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from .physics import Actor, Asset
from .structs import ActionEvent, Call, Misuse, SimParams, record

VIEWER_KEYS = ("KEY_ESCAPE", "KEY_V")


class Handle:
    """Something that the gym gave out."""

    def __init__(self, label: str):
        self.label = label
        self.is_open = True

    def __repr__(self) -> str:
        return self.label


class Viewer(Handle):
    """A stand-in for the window. A test presses its keys and closes it."""

    def __init__(self) -> None:
        super().__init__("viewer")
        self.is_closed = False
        self.keys: Dict[str, str] = {}
        self.events: List[ActionEvent] = []
        self.frames = 0

    def press(self, key: str) -> None:
        """Press a key, which matters where it is subscribed to."""
        if key in self.keys:
            self.events.append(ActionEvent(self.keys[key]))


class Env(Handle):
    """One environment and its actor."""

    def __init__(self, index: int):
        super().__init__(f"env{index}")
        self.index = index
        self.origin = np.zeros(13)
        self.actor: Optional[Actor] = None


class Sim(Handle):
    """The simulation."""

    def __init__(self, graphics: int, params: SimParams):
        super().__init__("sim")
        self.graphics, self.params = graphics, params
        self.asset: Optional[Asset] = None
        self.envs: List[Env] = []
        self.is_prepared = False
        self.is_fetched = True
        self.arrays: Dict[str, np.ndarray] = {}
        self.forces: Optional[np.ndarray] = None
        self.pending: List[Any] = []

    @property
    def actors(self) -> List[Actor]:
        """All actors, in the order of their ids."""
        return [env.actor for env in self.envs if env.actor is not None]


class Gym:
    """What `acquire_gym` gives.

    Attributes:
        calls: Everything that was called, but queries.
        fails_to_create: `create_sim` gives None.
        counts_from_world: Root positions count from the world's origin; else from each environment's.
    """

    def __init__(self, fails_to_create: bool = False):
        self.calls: List[Call] = []
        self.fails_to_create = fails_to_create
        self.counts_from_world = False
        self.sim: Optional[Sim] = None
        self.viewer: Optional[Viewer] = None
        self.assets: Dict[int, Asset] = {}

    def note(self, name: str, arguments: Tuple[Any, ...]) -> None:
        """Record a call."""
        record(self.calls, name, arguments)

    def left_open(self) -> List[str]:
        """What was created and never destroyed."""
        return [handle.label for handle in (self.viewer, self.sim) if handle is not None]

    # Set-up

    def create_sim(self, compute: int, graphics: int, kind: Any, params: SimParams) -> Optional[Sim]:
        self.note("create_sim", (compute, graphics, kind, params))
        if self.sim is not None:
            raise Misuse("create_sim: there is a simulation already; one per process at a time")
        if params.use_gpu_pipeline and not params.physx.use_gpu:
            raise Misuse("the GPU pipeline needs physx.use_gpu")
        if self.fails_to_create:
            return None
        self.sim = Sim(graphics, params)
        return self.sim

    def add_ground(self, sim: Sim, plane: Any) -> None:
        self._open(sim, "add_ground", sim, plane)
        if (plane.normal.x, plane.normal.y, plane.normal.z) != (0.0, 0.0, 1.0):
            raise Misuse("the ground's normal is not the up axis")

    def load_asset(self, sim: Sim, root: str, file: str, options: Any) -> Handle:
        self._open(sim, "load_asset", sim, root, file, options)
        sim.asset = Asset(root, file, options, sim.params)
        handle = Handle("asset")
        handle.asset = sim.asset
        return handle

    def get_asset_dof_count(self, asset: Any) -> int:
        return asset.asset.dofs

    def get_asset_dof_names(self, asset: Any) -> List[str]:
        return list(asset.asset.dof_names)

    def get_asset_rigid_body_count(self, asset: Any) -> int:
        return len(asset.asset.body_names)

    def get_asset_rigid_body_names(self, asset: Any) -> List[str]:
        return list(asset.asset.body_names)

    def find_asset_rigid_body_index(self, asset: Any, name: str) -> int:
        names = asset.asset.body_names
        return names.index(name) if name in names else -1

    def get_asset_actuator_properties(self, asset: Any) -> List[Any]:
        return asset.asset.actuators()

    def create_asset_force_sensor(self, asset: Any, body: int, pose: Any) -> int:
        self.note("create_asset_force_sensor", (asset, body, pose))
        if asset.asset.has_actors:
            raise Misuse("create_asset_force_sensor after an actor was made of the asset")
        if not 0 <= body < len(asset.asset.body_names):
            raise Misuse(f"create_asset_force_sensor: there is no body {body}")
        asset.asset.sensor_bodies.append(body + 1)
        return len(asset.asset.sensor_bodies) - 1

    def create_env(self, sim: Sim, lower: Any, upper: Any, per_row: int) -> Env:
        self._open(sim, "create_env", sim, lower, upper, per_row)
        self._not_prepared(sim, "create_env")
        env = Env(len(sim.envs))
        if self.counts_from_world:
            row, column = divmod(env.index, per_row)
            env.origin[:2] = column * (upper.x - lower.x), row * (upper.y - lower.y)
        sim.envs.append(env)
        return env

    def create_actor(
        self, env: Env, asset: Any, pose: Any, name: str, group: int, collision_filter: int, segmentation: int
    ) -> Handle:
        self.note("create_actor", (env, asset, pose, name, group, collision_filter, segmentation))
        self._not_prepared(self._sim(), "create_actor")
        env.actor = Actor(asset.asset, pose)
        asset.asset.has_actors = True
        handle = Handle(f"actor{env.index}")
        handle.env = env
        return handle

    def get_actor_index(self, env: Env, actor: Handle, domain: Any) -> int:
        return env.index

    def get_actor_dof_properties(self, env: Env, actor: Handle) -> Any:
        return env.actor.properties.copy()

    def set_actor_dof_properties(self, env: Env, actor: Handle, properties: Any) -> bool:
        from .physics import DRIVE_MODES

        shown = [f"properties.driveMode = {', '.join(repr(DRIVE_MODES[mode]) for mode in properties['driveMode'])}"]
        for field in ("stiffness", "damping"):
            shown.append(f"properties.{field} = {', '.join(f'{value:g}' for value in properties[field])}")
        self.calls.append(Call(f"set_actor_dof_properties({env!r}, {actor!r}, properties)", shown))
        env.actor.apply_properties(properties)
        return True

    def enable_actor_dof_force_sensors(self, env: Env, actor: Handle) -> bool:
        self.note("enable_actor_dof_force_sensors", (env, actor))
        self._not_prepared(self._sim(), "enable_actor_dof_force_sensors")
        env.actor.measures_dof_forces = True
        return True

    def prepare_sim(self, sim: Sim) -> bool:
        self._open(sim, "prepare_sim", sim)
        sim.is_prepared = True
        return True

    # Tensors

    def acquire_dof_state_tensor(self, sim: Sim) -> np.ndarray:
        return self._acquire(sim, "dof_state", (len(sim.actors) * sim.asset.dofs, 2))

    def acquire_actor_root_state_tensor(self, sim: Sim) -> np.ndarray:
        return self._acquire(sim, "actor_root_state", (len(sim.actors), 13))

    def acquire_force_sensor_tensor(self, sim: Sim) -> np.ndarray:
        return self._acquire(sim, "force_sensor", (len(sim.actors) * len(sim.asset.sensor_bodies), 6))

    def acquire_dof_force_tensor(self, sim: Sim) -> np.ndarray:
        if not all(actor.measures_dof_forces for actor in sim.actors):
            raise Misuse("acquire_dof_force_tensor without enable_actor_dof_force_sensors: it would stay zero")
        return self._acquire(sim, "dof_force", (len(sim.actors) * sim.asset.dofs,))

    def refresh_dof_state_tensor(self, sim: Sim) -> bool:
        return self._refresh(sim, "dof_state", [actor.dof_state() for actor in sim.actors])

    def refresh_actor_root_state_tensor(self, sim: Sim) -> bool:
        return self._refresh(sim, "actor_root_state", [env.actor.root_state()[None] + env.origin for env in sim.envs])

    def refresh_force_sensor_tensor(self, sim: Sim) -> bool:
        return self._refresh(sim, "force_sensor", [actor.sensor_forces() for actor in sim.actors])

    def refresh_dof_force_tensor(self, sim: Sim) -> bool:
        return self._refresh(sim, "dof_force", [actor.dof_forces() for actor in sim.actors])

    def set_dof_actuation_force_tensor(self, sim: Sim, forces: Any) -> bool:
        self._open(sim, "set_dof_actuation_force_tensor", sim, forces)
        count = len(sim.actors) * sim.asset.dofs
        self._check(forces, "float32", (count,), (len(sim.actors), sim.asset.dofs))
        sim.forces = forces.tensor.detach().cpu().numpy().reshape(len(sim.actors), -1).astype(np.float64)
        return True

    def set_dof_state_tensor_indexed(self, sim: Sim, states: Any, ids: Any, count: int) -> bool:
        self._open(sim, "set_dof_state_tensor_indexed", sim, states, ids, count)
        dofs = sim.asset.dofs
        self._check(states, "float32", (len(sim.actors) * dofs, 2))
        rows = states.tensor.cpu().numpy().reshape(len(sim.actors), dofs, 2)
        for actor in self._ids(sim, ids, count):
            sim.actors[actor].set_dof_state(rows[actor])
        sim.pending += [states, ids]
        return True

    def set_actor_root_state_tensor_indexed(self, sim: Sim, states: Any, ids: Any, count: int) -> bool:
        self._open(sim, "set_actor_root_state_tensor_indexed", sim, states, ids, count)
        self._check(states, "float32", (len(sim.actors), 13))
        rows = states.tensor.cpu().numpy()
        for actor in self._ids(sim, ids, count):
            sim.actors[actor].set_root(rows[actor] - sim.envs[actor].origin)
        sim.pending += [states, ids]
        return True

    def simulate(self, sim: Sim) -> None:
        self._open(sim, "simulate", sim)
        if not sim.is_prepared:
            raise Misuse("simulate before prepare_sim")
        for handle in sim.pending:
            _ = handle.tensor
        sim.pending = []
        forces = np.zeros((len(sim.actors), sim.asset.dofs)) if sim.forces is None else sim.forces
        for actor, force in zip(sim.actors, forces):
            actor.step(force, sim.params.substeps)
        sim.forces = None
        sim.is_fetched = sim.params.use_gpu_pipeline

    def fetch_results(self, sim: Sim, wait: bool) -> None:
        self._open(sim, "fetch_results", sim, wait)
        sim.is_fetched = True

    # Viewer

    def create_viewer(self, sim: Sim, camera: Any) -> Optional[Viewer]:
        self._open(sim, "create_viewer", sim, camera)
        if sim.graphics < 0:
            print("[Error] [carb.gym.plugin] Graphics is nullptr", file=sys.stderr)
            return None
        if not os.environ.get("DISPLAY"):
            raise Misuse("create_viewer without a display: the real package crashes")
        self.viewer = Viewer()
        return self.viewer

    def subscribe_viewer_keyboard_event(self, viewer: Viewer, key: Any, action: str) -> None:
        self._open(viewer, "subscribe_viewer_keyboard_event", viewer, key, action)
        viewer.keys[repr(key)] = action

    def viewer_camera_look_at(self, viewer: Viewer, env: Any, position: Any, target: Any) -> None:
        self._open(viewer, "viewer_camera_look_at", viewer, env, position, target)

    def query_viewer_has_closed(self, viewer: Viewer) -> bool:
        self._open(viewer, "query_viewer_has_closed", viewer)
        return viewer.is_closed

    def query_viewer_action_events(self, viewer: Viewer) -> List[ActionEvent]:
        self._open(viewer, "query_viewer_action_events", viewer)
        events, viewer.events = viewer.events, []
        return events

    def poll_viewer_events(self, viewer: Viewer) -> None:
        self._open(viewer, "poll_viewer_events", viewer)

    def step_graphics(self, sim: Sim) -> None:
        self._open(sim, "step_graphics", sim)

    def draw_viewer(self, viewer: Viewer, sim: Sim, wait: bool) -> None:
        self._open(viewer, "draw_viewer", viewer, sim, wait)
        viewer.frames += 1

    def sync_frame_time(self, sim: Sim) -> None:
        self._open(sim, "sync_frame_time", sim)

    # End

    def destroy_viewer(self, viewer: Viewer) -> None:
        self._open(viewer, "destroy_viewer", viewer)
        viewer.is_open, self.viewer = False, None

    def destroy_sim(self, sim: Sim) -> None:
        self._open(sim, "destroy_sim", sim)
        if self.viewer is not None:
            raise Misuse("destroy_sim before destroy_viewer")
        sim.is_open, self.sim = False, None

    # Checks

    def _open(self, handle: Any, name: str, *arguments: Any) -> None:
        self.note(name, arguments)
        if not isinstance(handle, Handle) or not handle.is_open:
            raise Misuse(f"{name} with {handle!r}, which is not open")

    def _sim(self) -> Sim:
        assert self.sim is not None
        return self.sim

    def _not_prepared(self, sim: Sim, name: str) -> None:
        if sim.is_prepared:
            raise Misuse(f"{name} after prepare_sim")

    def _acquire(self, sim: Sim, name: str, shape: Tuple[int, ...]) -> np.ndarray:
        self._open(sim, f"acquire_{name}_tensor", sim)
        if not sim.is_prepared:
            raise Misuse(f"acquire_{name}_tensor before prepare_sim")
        return sim.arrays.setdefault(name, np.zeros(shape, dtype=np.float32))

    def _refresh(self, sim: Sim, name: str, rows: List[np.ndarray]) -> bool:
        self._open(sim, f"refresh_{name}_tensor", sim)
        if name not in sim.arrays:
            raise Misuse(f"refresh_{name}_tensor of a tensor that was not acquired")
        if not sim.is_fetched:
            raise Misuse(f"refresh_{name}_tensor before fetch_results")
        sim.arrays[name][...] = np.concatenate(rows)
        return True

    def _check(self, handle: Any, dtype: str, *shapes: Tuple[int, ...]) -> None:
        from .gymtorch import TensorHandle

        if not isinstance(handle, TensorHandle):
            raise Misuse(f"expected a tensor from unwrap_tensor, got {type(handle).__name__}")
        if str(handle.dtype) != f"torch.{dtype}":
            raise Misuse(f"expected a {dtype} tensor, got {handle!r}")
        if handle.shape not in shapes:
            raise Misuse(f"expected the shape {list(shapes[0])}, got {handle!r}")

    def _ids(self, sim: Sim, handle: Any, count: int) -> List[int]:
        self._check(handle, "int32", (count,))
        ids = handle.tensor.tolist()
        if any(not 0 <= actor < len(sim.actors) for actor in ids) or len(set(ids)) != len(ids):
            raise Misuse(f"actor ids {ids} with {len(sim.actors)} actors")
        return ids
