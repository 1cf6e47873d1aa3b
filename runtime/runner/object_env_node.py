"""The environment node of environments that a Python program made; no workflow file can hold one."""

from typing import Any, Dict

from ..environment_node import EnvironmentNode
from ..parameters import param
from ..ports import OBSERVATIONS, SIMULATOR, Out
from ..specs import TaskSpec


class ObjectEnvNode(EnvironmentNode):
    """Environments that a Python program made.

    Attributes:
        source: The object, an `ObjectEnvironment`; set when the graph is built.
    """

    title, category = "Env", "Environments"
    source: Any = None
    sim = Out(SIMULATOR, "Handle of the simulation, for Step")
    observations = Out(OBSERVATIONS, "The first observations. Shape: (N, obs)")

    num_envs: int = param(1, low=1, high=1_000_000, doc="Parallel environments, N")

    def announced_task(self) -> TaskSpec:
        """The object's sizes."""
        spec: TaskSpec = self.source.spec
        return spec

    def setup(self) -> None:
        """Put the object behind the interface of simulators."""
        self.simulation = self.source.simulator(self.device, self.generator)

    def compute(self) -> Dict[str, Any]:
        """Reset every environment."""
        return {"observations": self.simulation.reset(), "sim": self.simulation}

    def close(self) -> None:
        """The object belongs to the program, which closes it."""
