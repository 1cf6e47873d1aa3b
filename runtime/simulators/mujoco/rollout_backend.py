"""MuJoCo's `mujoco.rollout`, for versions before 3.17: the way for Python 3.8, whose last MuJoCo is 3.2.3."""

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..tasks.physics_task import BodyProperties
from .cpu_backend import CpuBackend
from .layout import Layout


class RolloutBackend(CpuBackend):
    """N simulations, in one part per thread; results are the same bits with any number of threads.

    The solver starts every control step cold, for `mujoco.rollout` does not tell its warm start.
    """

    def __init__(self, layout: Layout, num_envs: int, threads: int):
        super().__init__(layout, num_envs)
        import mujoco.rollout

        self._mujoco = mujoco
        model = layout.model
        size = mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS)
        self._states = torch.zeros(num_envs, size, dtype=torch.float64)
        self._trace = torch.zeros(num_envs * self.substeps * size, dtype=torch.float64)
        self._readings = torch.zeros(num_envs * self.substeps * model.nsensordata, dtype=torch.float64)
        controls = torch.zeros(num_envs, model.nu, dtype=torch.float64)
        sensors = torch.zeros(num_envs, model.nsensordata, dtype=torch.float64)
        self.attach(self._states[:, 1 : 1 + model.nq + model.nv], controls, sensors)
        self._models: Optional[List[Any]] = None
        bounds = torch.linspace(0, num_envs, min(threads, num_envs) + 1).long().tolist()
        self._parts = [(slice(first, last), mujoco.MjData(model)) for first, last in zip(bounds, bounds[1:])]
        self._pool = ThreadPoolExecutor(len(self._parts)) if len(self._parts) > 1 else None

    def run(self, substeps: int) -> None:
        """Substeps of every simulation."""
        rows = _Rows(
            self.controls.unsqueeze(1).repeat(1, substeps, 1),
            self._shaped(self._trace, substeps, self._states),
            self._shaped(self._readings, substeps, self.sensors),
        )
        if self._pool is None:
            self._advance_part(self._parts[0], rows)
        else:
            list(self._pool.map(lambda part: self._advance_part(part, rows), self._parts))
        self._states.copy_(rows.trace[:, -1])
        self.sensors.copy_(rows.readings[:, -1])

    def write(self, env_ids: Tensor, motion: Tensor) -> None:
        """Time 0, no activation, and these positions and velocities."""
        self._states.index_fill_(0, env_ids, 0.0)
        self.motion.index_copy_(0, env_ids, motion)

    def set_bodies(self, env_ids: Tensor, bodies: Dict[str, BodyProperties]) -> None:
        """A model of its own for every simulation, from now on."""
        if not len(env_ids):
            return
        if self._models is None:
            self._models = [self.layout.model] * self.num_envs
        for row, env_id in enumerate(env_ids.tolist()):
            model = copy.copy(self.layout.model)
            for name, body in bodies.items():
                number = self.layout.body(name)
                model.body_mass[number] = float(body.masses[row])
                model.body_ipos[number] = body.centres[row].numpy()
                model.body_inertia[number] = body.inertias[row].numpy()
            self._mujoco.mj_setConst(model, self._mujoco.MjData(model))
            self._models[env_id] = model

    def restore_bodies(self, env_ids: Tensor, names: Sequence[str]) -> None:
        """The common model in simulations that may have had one of their own."""
        if self._models is not None:
            for env_id in env_ids.tolist():
                self._models[env_id] = self.layout.model

    def rows(self) -> Dict[str, Tensor]:
        """Time, positions, velocities and activations."""
        return {"physics_state": self._states}

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _shaped(self, memory: Tensor, substeps: int, last: Tensor) -> Tensor:
        return memory[: substeps * last.numel()].view(self.num_envs, substeps, last.shape[1])

    def _advance_part(self, part: Tuple[slice, Any], rows: "_Rows") -> None:
        envs, data = part
        if self._models is None:
            self._roll_out(self.layout.model, data, envs, rows)
            return
        for env in range(envs.start, envs.stop):
            self._roll_out(self._models[env], data, slice(env, env + 1), rows)

    def _roll_out(self, model: Any, data: Any, envs: slice, rows: "_Rows") -> None:
        self._mujoco.rollout.rollout(
            model,
            data,
            self._states[envs].numpy(),
            rows.controls[envs].numpy(),
            state=rows.trace[envs].numpy(),
            sensordata=rows.readings[envs].numpy(),
        )


class _Rows(NamedTuple):
    """What a rollout reads and writes, substep by substep. Shape of each: (N, substeps, columns) float64."""

    controls: Tensor
    trace: Tensor
    readings: Tensor
