"""MuJoCo's `mujoco.batch.Batch`, in MuJoCo 3.17 and later: many simulations on a pool of threads."""

import warnings
from typing import Dict, Sequence

import torch
from torch import Tensor

from ..tasks.physics_task import BodyProperties
from .cpu_backend import CpuBackend
from .layout import Layout


class BatchBackend(CpuBackend):
    """N simulations in one batch; its results are the same bits with any number of threads."""

    def __init__(self, layout: Layout, num_envs: int, threads: int):
        super().__init__(layout, num_envs)
        import mujoco.batch

        self._batch = mujoco.batch.Batch(layout.model, num_envs, threads)
        model = layout.model
        sensors = torch.zeros(num_envs, 0, dtype=torch.float64)
        if model.nsensordata:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # nor is it written
                sensors = torch.from_numpy(self._batch.bind("sensordata"))
        self.take(torch.from_numpy(self._batch.state), torch.from_numpy(self._batch.bind("ctrl")), sensors)

    def run(self, substeps: int) -> None:
        """Substeps of every simulation."""
        self._batch.step(nstep=substeps)

    def set_bodies(self, env_ids: Tensor, bodies: Dict[str, BodyProperties]) -> None:
        """Own masses in some simulations, with all that MuJoCo derives from them."""
        rows = env_ids.numpy()
        if not len(rows):
            return
        for name, body in bodies.items():
            number = self.layout.body(name)
            self._batch.expand("body_mass")[rows, number] = body.masses.numpy()
            self._batch.expand("body_ipos")[rows, number] = body.centres.numpy()
            self._batch.expand("body_inertia")[rows, number] = body.inertias.numpy()
        self._batch.set_const(rows)

    def restore_bodies(self, env_ids: Tensor, names: Sequence[str]) -> None:
        """The model's values in simulations that may have had own ones."""
        if self._batch.expanded("body_mass") is None or not len(env_ids):
            return
        rows = env_ids.numpy()
        for field in ("body_mass", "body_ipos", "body_inertia"):
            for number in map(self.layout.body, names):
                self._batch.expand(field)[rows, number] = getattr(self.layout.model, field)[number]
        self._batch.set_const(rows)

    def rows(self) -> Dict[str, Tensor]:
        """Positions, velocities, controls, and the solver's warm start."""
        return {"integration_state": self.states}
