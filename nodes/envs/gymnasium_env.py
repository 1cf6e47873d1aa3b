"""The environment node for environments that are registered with Gymnasium."""

from typing import Any, Dict, Iterable, Tuple, Union

from runtime.environment_node import EnvironmentNode
from runtime.errors import DnneError
from runtime.node import Finding
from runtime.parameters import param
from runtime.ports import OBSERVATIONS, SIMULATOR, Out
from runtime.simulators.factory import make_simulator, requirements, task_spec
from runtime.simulators.gymnasium_engine import VECTORIZATIONS
from runtime.specs import Spec, TaskSpec


class GymnasiumEnvNode(EnvironmentNode):
    """Creates N parallel environments of a registered Gymnasium id and gives their first observations.

    Continuous actions in [-1, 1] are spread over the environment's own range. Dictionaries, tuples and choices among
    the observations are flattened; images (H, W, C) become (C, H, W). What Gymnasium does by wrappers is done by nodes:
    FrameStack, ObservationNormalizer, RewardNormalizer, RewardShaper.
    """

    title, category = "Gymnasium Env", "Environments"
    sim = Out(SIMULATOR, "Handle of the simulation, for Step")
    observations = Out(OBSERVATIONS, "The first observations. Shape: (N, obs) or images (N, C, H, W)")

    env_id: str = param("CartPole-v1", doc="Registered id, such as HalfCheetah-v5")
    num_envs: int = param(16, low=1, high=100_000, doc="Parallel environments, N")
    vectorization: str = param(
        "sync", choices=VECTORIZATIONS, doc="All environments in this process, or each in a process of its own"
    )
    env_options: Dict[str, Union[bool, float, str]] = param({}, doc="Keyword arguments of gymnasium.make, by name")
    desynchronise: bool = param(
        True, doc="In training, cut first episodes at random ages, so that they do not all end in one step"
    )

    def requirements(self) -> Tuple[str, ...]:
        """Gymnasium, and what this environment needs besides."""
        return requirements("gymnasium", self.env_id)

    def announced_task(self) -> TaskSpec:
        """The task, by one environment that is made for this."""
        return task_spec(self.env_id, self.num_envs, "gymnasium", env_options=self.env_options)

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """The environment can be made."""
        try:
            self.announced_task()
        except DnneError as error:
            yield "env_id", str(error), ""

    def setup(self) -> None:
        """Create the environments."""
        self.simulation = make_simulator(
            "gymnasium",
            self.env_id,
            self.num_envs,
            self.device,
            self.generator,
            vectorization=self.vectorization,
            env_options=self.env_options,
            desynchronise=self.desynchronise and not self.context.inference,
        )

    def compute(self) -> Dict[str, Any]:
        """Reset every environment."""
        return {"observations": self.simulation.reset(), "sim": self.simulation}
