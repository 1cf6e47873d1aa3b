"""What nodes share that own a simulation."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from .errors import DnneError
from .node import Node
from .simulators.interface import Simulator, ViewerState
from .spaces import Box
from .specs import Spec, TaskSpec


class EnvironmentNode(Node):
    """Base of environment nodes: they emit ``sim``, and ``observations`` of every episode's start.

    A subclass declares the ports, and sets ``self.simulation`` in its `setup`.
    """

    simulation: Simulator
    num_envs: int

    def announced_task(self) -> TaskSpec:
        """The task by the node's parameters, without making a simulation.

        Raises:
            DnneError: A parameter is wrong.
        """
        raise NotImplementedError

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Spaces of the task; empty where the task is unknown, which `check` reports."""
        try:
            task = self.announced_task()
        except DnneError:
            return {}
        specs = {"sim": Spec(task=task), "observations": _observation_spec(task, task.observation_space)}
        if task.critic_observation_space is not None:
            specs["critic_observations"] = _observation_spec(task, task.critic_observation_space)
        return specs

    @property
    def episodes_resume(self) -> bool:
        """Whether a resumed run can go on in the midst of episodes."""
        return self.simulation.episodes_resume

    @property
    def resume_note(self) -> str:
        """What a resumed run is told where it cannot go on bit for bit."""
        return self.simulation.resume_note

    @property
    def has_viewer(self) -> bool:
        """Whether the simulator shows a window of its own."""
        return bool(self.simulation.has_viewer)

    @property
    def one_per_process(self) -> bool:
        """Whether the engine allows no second simulation in this process."""
        return bool(self.simulation.one_per_process)

    def held_outputs(self) -> Dict[str, Any]:
        """The simulation, again, after a resume."""
        return {"sim": self.simulation}

    def viewer_state(self, env_ids: Sequence[int]) -> Optional[ViewerState]:
        """The simulation's, of those environments that there are."""
        return self.simulation.viewer_state([env_id for env_id in env_ids if env_id < self.num_envs])

    def state_dict(self) -> Dict[str, Any]:
        """State of every environment."""
        return {"simulation": self.simulation.state_dict()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Put every environment back where it was, as far as the simulator can."""
        if not self.simulation.exact_resume:
            self.context.log(self.simulation.resume_note, "warning", self.id)
        self.simulation.load_state_dict(state["simulation"])

    def close(self) -> None:
        """End the simulation."""
        if hasattr(self, "simulation"):
            self.simulation.close()


def _observation_spec(task: TaskSpec, space: Box) -> Spec:
    return Spec((task.num_envs, *space.shape), "uint8" if space.is_image else "float32", task)
