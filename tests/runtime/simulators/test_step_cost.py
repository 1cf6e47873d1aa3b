"""How many tensor operations a step takes: small ones cost as much as the physics of an environment.

Counts, not times: they are the same on every machine.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from runtime.simulators.factory import make_simulator

pytest.importorskip("mujoco")

N = 16


class Counter(TorchDispatchMode):
    """Counts what reaches the kernels, views and numbers that are read back among them."""

    def __init__(self):
        super().__init__()
        self.count = self.read = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        self.read += "_local_scalar_dense" in str(function)
        return function(*args, **(kwargs or {}))


def costs(engine, task):
    """Operations, and numbers read back, in steps without and with an end of an episode; the greatest of each."""
    generator = torch.Generator().manual_seed(0)
    simulator = make_simulator(engine, task, N, "cpu", generator, desynchronise=True)
    simulator.reset()
    shape = simulator.task_spec.action_space.shape
    seen = {False: (0, 0), True: (0, 0)}
    for _ in range(150):
        actions = torch.rand(N, *shape, generator=generator) * 0.2 - 0.1
        with Counter() as counter:
            result = simulator.step(actions)
        ended = bool(result.dones.ended.any())
        seen[ended] = max(seen[ended], (counter.count, counter.read))
    simulator.close()
    return seen


@pytest.mark.parametrize(
    ("engine", "task", "usual", "with_resets"),
    [("torch", "Cartpole", 60, 72), ("mujoco", "Cartpole", 36, 70), ("mujoco", "Ant", 76, 145)],
)
def test_a_step_takes_few_operations(engine, task, usual, with_resets):
    found = costs(engine, task)
    assert 0 < found[False][0] <= usual
    assert 0 < found[True][0] <= with_resets
    assert found[False][1] <= 8


def test_a_step_gives_tensors_that_no_other_step_gives():
    simulator = make_simulator("mujoco", "Ant", N, "cpu", torch.Generator().manual_seed(0), desynchronise=False)
    simulator.reset()
    first = simulator.step(torch.zeros(N, 8))
    first.dones.truncated.logical_not_()
    assert not simulator.step(torch.zeros(N, 8)).dones.truncated.any()
    simulator.close()
