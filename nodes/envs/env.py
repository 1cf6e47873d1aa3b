"""The environment node: owns the simulation and gives its first observations."""

from typing import Any, Dict, Iterable, Sequence, Set, Tuple

from runtime.environment_node import EnvironmentNode
from runtime.errors import DnneError
from runtime.node import Finding
from runtime.parameters import param
from runtime.ports import HELD, OBSERVATIONS, SIMULATOR, TASK_PARAMETERS, In, Out
from runtime.simulators.factory import SIMULATOR_NAMES, make_simulator, option_names, requirements, task_spec
from runtime.simulators.mujoco_engine import BACKENDS
from runtime.simulators.physics_simulator import BAD_PHYSICS
from runtime.simulators.tasks.catalogue import find_own
from runtime.specs import Spec, TaskSpec, check_task_parameters

ENGINE_OPTIONS = ("simulation_threads", "on_bad_physics", "mujoco_backend")


class IsaacGymEnvNode(EnvironmentNode):
    """Creates N parallel environments of a task and gives the simulation and its first observations.

    The task definition is the same on every simulator. ``auto`` takes the first that is installed of Isaac Gym,
    MuJoCo and the built-in torch engine.
    """

    title, category = "Env", "Environments"
    task_parameters_input = In(TASK_PARAMETERS, "Difficulty of the first episodes", kind=HELD, optional=True)
    sim = Out(SIMULATOR, "Handle of the simulation, for Step", replaces=("sim_handle",))
    observations = Out(OBSERVATIONS, "The first observations. Shape: (N, obs)")
    critic_observations = Out(OBSERVATIONS, "Privileged observations of the critic, where the task has them")

    simulator: str = param("auto", choices=SIMULATOR_NAMES, doc="Physics engine")
    task: str = param("Cartpole", doc="Name of the task", replaces=("env_name",))
    num_envs: int = param(64, low=1, high=1_000_000, doc="Parallel environments, N")
    desynchronise: bool = param(
        True, doc="In training, start episodes at random ages, so that they do not all end in one step"
    )
    simulation_threads: int = param(
        0, low=0, high=1024, doc="Threads of MuJoCo on the CPU; 0: one per core, where there are environments enough"
    )
    mujoco_backend: str = param(
        "auto", choices=BACKENDS,
        doc="How MuJoCo steps: batch or rollout on the CPU, warp on a GPU (slow on a CPU); auto takes the fastest",
    )  # fmt: skip
    on_bad_physics: str = param(
        "error", choices=BAD_PHYSICS,
        doc="Where physics or an action is not finite: end the run, or reset that environment and count it",
    )  # fmt: skip
    task_parameters: Dict[str, float] = param({}, doc="Task settings by name, in force from the first episode")

    def requirements(self) -> Tuple[str, ...]:
        """What the simulator needs for the task."""
        return requirements(self.simulator, self.task)

    def announced_task(self) -> TaskSpec:
        """The task, wherever it is simulated."""
        return task_spec(self.task, self.num_envs, self.simulator)

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """The task exists, and has what is wired."""
        try:
            task = self.announced_task()
        except DnneError as error:
            yield "task", str(error), ""
            return
        if "critic_observations" in self.connected and task.critic_observation_space is None:
            yield "critic_observations", f"the task {self.task} has no privileged observations", "unlink the port"
        for name in sorted(self._ignored()):
            yield name, f"simulator {self.simulator!r} has no such option for {self.task}", "leave it at its default"
        yield from check_task_parameters(task, self.task_parameters, "task_parameters")
        yield from check_task_parameters(task, inputs["task_parameters_input"].keys, "task_parameters_input")

    def setup(self) -> None:
        """Create the simulation."""
        self.simulation = make_simulator(
            self.simulator, self.task, self.num_envs, self.device, self.generator, **self._options()
        )
        if self.task_parameters:
            self.simulation.set_task_parameters(self.task_parameters)

    def carried_classes(self) -> Sequence[type]:
        """The task, where it is the user's own."""
        own = find_own(self.task)
        return () if own is None else (own,)

    def _ignored(self) -> Set[str]:
        """Options of an engine that were set though this one does not take them."""
        known = option_names(self.simulator, self.task)
        changed = {name for name in ENGINE_OPTIONS if getattr(self, name) != self.parameters[name].default}
        return changed.difference(known)

    def _options(self) -> Dict[str, Any]:
        """What the engine takes."""
        known = option_names(self.simulator, self.task)
        wanted = {"desynchronise": self.desynchronise and not self.context.inference, "visual": self.context.visual}
        wanted.update({name: getattr(self, name) for name in ENGINE_OPTIONS})
        return {name: value for name, value in wanted.items() if name in known}

    def compute(self, task_parameters_input: Any = None) -> Dict[str, Any]:
        """Reset every environment."""
        if task_parameters_input:
            self.simulation.set_task_parameters(task_parameters_input)
        observations = self.simulation.reset()
        return {
            "sim": self.simulation,
            "observations": observations,
            "critic_observations": self.simulation.critic_observations(),
        }
