"""MuJoCo Warp (`mujoco_warp`): many simulations on a GPU, in float32. On a CPU it is slow, and good for trying only."""

import logging
import math
import warnings
from contextlib import contextmanager
from importlib import import_module, util
from typing import Any, Dict, Iterator, Sequence

import torch
from torch import Tensor

from ..interface import SimulatorError
from ..tasks.physics_task import BodyProperties
from .layout import Layout
from .model_backend import ModelBackend

logger = logging.getLogger(__name__)

CONTACTS = 48
"""Contacts of one environment that there is room for."""
ROWS_PER_CONTACT = 4
"""Rows of constraints that a contact with friction in two directions takes."""
EXPANDED = (
    "body_mass", "body_ipos", "body_inertia", "body_subtreemass", "body_invweight0", "dof_invweight0", "actuator_acc0",
)  # fmt: skip
"""What differs between environments once their bodies do: the properties, and what follows from them."""


def is_installed() -> bool:
    """Whether MuJoCo Warp is installed."""
    return util.find_spec("mujoco_warp") is not None


class WarpBackend(ModelBackend):
    """N simulations on the device of the task. On CUDA all substeps of a control step are one captured graph.

    Raises:
        SimulatorError: MuJoCo Warp is not installed, or does not know a part of the model.
    """

    def __init__(self, layout: Layout, num_envs: int):
        super().__init__(layout, num_envs, torch.float32)
        self._warp, self._engine = _import_engine()
        self._graph: Any = None
        self._has_own_bodies = False
        # The flag that keeps states that are not finite is unknown here, and not needed: nothing resets itself.
        flag = int(import_module("mujoco").mjtDisableBit.mjDSBL_AUTORESET)
        layout.model.opt.disableflags &= ~flag
        with self._on_device():
            self._model = self._put_model()
            rows = layout.model.njnt + layout.model.nv + CONTACTS * ROWS_PER_CONTACT
            self._data = self._engine.make_data(layout.model, num_envs, nconmax=CONTACTS, njmax=rows)
            self._limiter = self._make_limiter()
        data, tensor = self._data, self._warp.to_torch
        self._qpos, self._qvel, self._warm_start = tensor(data.qpos), tensor(data.qvel), tensor(data.qacc_warmstart)
        self._time = tensor(data.time)
        self.attach(self._qpos, tensor(data.ctrl), tensor(data.sensordata))
        self.first_rows(
            torch.cat((layout.positions_of(layout.task.start(1)).float(), torch.zeros_like(self._qvel[:1])), 1)
        )
        self._capture()

    def make_substeps(self) -> None:
        """By the graph, in the order of torch's own work on the device; on a CPU kernel by kernel."""
        if self._graph is None:
            with self._on_device():
                self._launch_substeps()
        else:
            self._warp.capture_launch(self._graph, stream=self._warp.stream_from_torch(self.device))

    def motion_copy(self) -> Tensor:
        """Positions and velocities beside one another."""
        return torch.cat((self._qpos, self._qvel), 1)

    def write(self, env_ids: Tensor, rows: Tensor) -> None:
        """Time 0, a cold solver, and these positions and velocities."""
        positions = self.layout.model.nq
        self._qpos.index_copy_(0, env_ids, rows[:, :positions])
        self._qvel.index_copy_(0, env_ids, rows[:, positions:])
        self._warm_start.index_fill_(0, env_ids, 0.0)
        self._time.index_fill_(0, env_ids, 0.0)

    def set_bodies(self, env_ids: Tensor, bodies: Dict[str, BodyProperties]) -> None:
        """Own masses in some simulations, with all that MuJoCo derives from them."""
        if not len(env_ids):
            return
        if not self._has_own_bodies:
            with self._on_device():
                self._model = self._put_model(dict.fromkeys(EXPANDED, self.num_envs))
            self._has_own_bodies = True
            self._capture()
        for name, body in bodies.items():
            number = self.layout.body(name)
            for field, values in zip(EXPANDED, body):
                self._field(field)[env_ids, number] = values
        self._derive()

    def restore_bodies(self, env_ids: Tensor, names: Sequence[str]) -> None:
        """The model's values in simulations that may have had own ones."""
        if not self._has_own_bodies or not len(env_ids):
            return
        for number in map(self.layout.body, names):
            for field in EXPANDED[:3]:
                own = self._field(field)
                own[env_ids, number] = torch.as_tensor(getattr(self.layout.model, field)[number]).to(own)
        self._derive()

    def rows(self) -> Dict[str, Tensor]:
        """Positions, velocities, the solver's warm start, and the time."""
        return {
            "positions": self._qpos,
            "velocities": self._qvel,
            "warm_start": self._warm_start,
            "time": self._time,
        }

    def _launch_substeps(self) -> None:
        for _ in range(self.substeps):
            self._engine.step(self._model, self._data)
            if self._limiter is not None:
                self._limiter()

    def _capture(self) -> None:
        """Put the substeps into a graph, on CUDA. The first ones compile; where they lead to is overwritten."""
        if self.device.type != "cuda":
            return
        saved = self.state_dict()
        with self._on_device():
            logger.info("compiling MuJoCo Warp's kernels, which takes minutes where they are not cached")
            self._launch_substeps()
            with self._warp.ScopedCapture() as capture:
                self._launch_substeps()
        self._warp.synchronize_device(str(self.device))
        self._graph = capture.graph
        self.load_state_dict(saved)

    def _put_model(self, batch_sizes: Any = None) -> Any:
        try:
            return self._engine.put_model(self.layout.model, batch_sizes=batch_sizes)
        except NotImplementedError as error:
            task = self.layout.task
            raise SimulatorError(f"{task.name}: MuJoCo Warp does not simulate {task.model.path}: {error}") from error

    def _field(self, name: str) -> Tensor:
        field: Tensor = self._warp.to_torch(getattr(self._model, name))
        return field

    def _derive(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.current_stream(self.device).synchronize()
        with self._on_device():
            self._engine.set_const(self._model, self._data)
        self._warp.synchronize_device(str(self.device))

    def _make_limiter(self) -> Any:
        """What limits the joints' speeds after a substep; None where no speed has a limit."""
        limits = self.layout.task.model.joint_speed_limits
        limited = [row for row in zip(*self.layout.joint_columns(), limits) if math.isfinite(row[2])]
        if not limited:
            return None
        warp, data = self._warp, self._data
        positions, velocities, speeds = zip(*limited)
        inputs = [warp.array(positions, dtype=int), warp.array(velocities, dtype=int), warp.array(speeds, dtype=float)]
        kernel, size = _limiting_kernel(warp), (self.num_envs, len(limited))
        return lambda: warp.launch(kernel, dim=size, inputs=[*inputs, self.substep], outputs=[data.qpos, data.qvel])

    @contextmanager
    def _on_device(self) -> Iterator[None]:
        with self._warp.ScopedDevice(str(self.device)):
            yield


def _import_engine() -> Any:
    """The modules ``warp`` and ``mujoco_warp``."""
    if not is_installed():
        raise SimulatorError(
            "MuJoCo on a GPU needs MuJoCo Warp, which is not installed: pip install mujoco-warp (Python 3.11 or "
            "later); or use --device cpu"
        )
    warp = import_module("warp")
    warp.config.log_level = warp.LOG_WARNING
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return warp, import_module("mujoco_warp")


def _limiting_kernel(warp: Any) -> Any:
    """A kernel that caps speeds and takes back the part of the position that the excess made."""

    def limit_speeds(positions, velocities, limits, substep, qpos, qvel):
        env, joint = warp.tid()
        speed = qvel[env, velocities[joint]]
        kept = warp.clamp(speed, -limits[joint], limits[joint])
        qvel[env, velocities[joint]] = kept
        qpos[env, positions[joint]] = qpos[env, positions[joint]] + (kept - speed) * substep

    columns, numbers, rows = warp.array(dtype=int), warp.array(dtype=float), warp.array2d(dtype=float)
    names = ("positions", "velocities", "limits", "substep", "qpos", "qvel")
    limit_speeds.__annotations__ = dict(zip(names, (columns, columns, numbers, float, rows, rows)))
    return warp.kernel(limit_speeds)
