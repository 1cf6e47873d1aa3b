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
        states = torch.zeros(num_envs, size, dtype=torch.float64)
        states[:, 1 : 1 + model.nq] = torch.as_tensor(model.qpos0)
        controls = torch.zeros(num_envs, model.nu, dtype=torch.float64)
        sensors = torch.zeros(num_envs, model.nsensordata, dtype=torch.float64)
        self.take(states, controls, sensors)
        self._memory = {count: _memory(states, controls, sensors, count) for count in {1, self.substeps}}
        self._models: Optional[List[Any]] = None
        bounds = torch.linspace(0, num_envs, min(threads, num_envs) + 1).long().tolist()
        self._parts = [(slice(first, last), mujoco.MjData(model)) for first, last in zip(bounds, bounds[1:])]
        self._pool = ThreadPoolExecutor(len(self._parts)) if len(self._parts) > 1 else None

    def run(self, substeps: int) -> None:
        """Substeps of every simulation."""
        rows = self._memory[substeps]
        rows.controls.copy_(self.controls.unsqueeze(1))
        if self._pool is None:
            self._advance_part(self._parts[0], rows)
        else:
            list(self._pool.map(lambda part: self._advance_part(part, rows), self._parts))
        self.states.copy_(rows.last_states)
        self.sensors.copy_(rows.last_readings)

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
        return {"physics_state": self.states}

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _advance_part(self, part: Tuple[slice, Any], rows: "_Rows") -> None:
        envs, data = part
        if self._models is None:
            self._roll_out(self.layout.model, data, envs, rows)
            return
        for env in range(envs.start, envs.stop):
            self._roll_out(self._models[env], data, slice(env, env + 1), rows)

    def _roll_out(self, model: Any, data: Any, envs: slice, rows: "_Rows") -> None:
        states, controls, trace, readings = (array[envs] for array in rows.arrays)
        self._mujoco.rollout.rollout(model, data, states, controls, state=trace, sensordata=readings)


class _Rows(NamedTuple):
    """What a rollout reads and writes.

    Attributes:
        controls: Shape: (N, substeps, nu) float64.
        last_states, last_readings: Of the last substep. Shapes: (N, W), (N, nsensordata).
        arrays: First states; controls, states and sensor readings of every substep; as numpy sees the memory.
    """

    controls: Tensor
    last_states: Tensor
    last_readings: Tensor
    arrays: Tuple[Any, Any, Any, Any]


def _memory(states: Tensor, controls: Tensor, sensors: Tensor, substeps: int) -> _Rows:
    """Memory for rollouts from live rows."""
    inputs, trace, readings = (
        torch.zeros(len(rows), substeps, rows.shape[1], dtype=torch.float64) for rows in (controls, states, sensors)
    )
    arrays = states.numpy(), inputs.numpy(), trace.numpy(), readings.numpy()
    return _Rows(inputs, trace[:, -1], readings[:, -1], arrays)
