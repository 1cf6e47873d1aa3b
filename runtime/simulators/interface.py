"""The interface that environment and step nodes talk to, whatever engine computes the physics.

All tensors are batched over N environments and live on the simulator's device.
"""

from abc import ABC, abstractmethod
from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor

from ..errors import DnneError
from ..specs import TaskSpec


class SimulatorError(DnneError):
    """A simulator cannot be made or used as asked. Names the engine, the task or the argument."""


class Dones(NamedTuple):
    """How the episodes of one step ended, and where they stood then.

    Attributes:
        terminated: The task ended the episode (failure or success): no value beyond it. Shape: (N,) bool.
        truncated: The time limit cut the episode, and the task did not end it. Shape: (N,) bool.
        final_observations: The true successor observation, before the automatic reset. Valid in every row, and equal
            to the next observation where no episode ended (it may then be the very same tensor: do not write to it).
            Shape: (N, *observation) float32.
        final_critic_observations: Likewise for the critic's privileged observations, where the task has them.
    """

    terminated: Tensor
    truncated: Tensor
    final_observations: Tensor
    final_critic_observations: Optional[Tensor] = None

    @property
    def ended(self) -> Tensor:
        """Terminated or truncated. Shape: (N,) bool."""
        return self.terminated | self.truncated


class StepResult(NamedTuple):
    """What one step of all environments gives. A result never changes after it was returned.

    Do not write to its tensors: steps may share what is the same in them.

    Attributes:
        observations: What the policy sees next: the first observation of the new episode where one ended.
            Shape: (N, *observation) float32.
        rewards: Raw rewards of the task, neither scaled nor clipped. Shape: (N,) float32.
        dones: How episodes ended in this step.
        reward_components: The parts of the reward; their sum is ``rewards``, to the rounding. Shape of each: (N,).
        log: Further figures of the engine or task, for metrics: numbers, or tensors of one element.
        critic_observations: Privileged observations of the critic, where the task has them.
    """

    observations: Tensor
    rewards: Tensor
    dones: Dones
    reward_components: Dict[str, Tensor]
    log: Dict[str, Union[float, Tensor]]
    critic_observations: Optional[Tensor] = None


class ViewerState(NamedTuple):
    """What a viewer needs to draw some environments, on the CPU.

    Attributes:
        kind: How it is drawn: ``cartpole``, ``mujoco`` or ``pixels``.
        env_ids: The K environments, in the order of the rows.
        values: Of ``cartpole``: cart_position (m), pole_angle (rad), pole_length (m), Shape of each: (K,). Of
            ``mujoco``: qpos, Shape: (K, nq). Of ``pixels``: frames, Shape: (K, H, W, 3) uint8.
        description: What stays the same while the run goes on: ``seconds_per_step`` of simulated time, and the
            ``model_xml`` of ``mujoco``.
    """

    kind: str
    env_ids: Tuple[int, ...]
    values: Dict[str, Tensor]
    description: Dict[str, str]


class Simulator(ABC):
    """N environments of one task on one engine, reset automatically in the step in which an episode ends.

    Randomness comes only from the `torch.Generator` that the simulator is made with; its owner saves its state.

    Attributes:
        num_envs: Number of environments, N.
        device: Where all tensors live.
        task_spec: Spaces and sizes of the task.
        exact_resume: Whether a saved state holds everything, so that a resumed run goes on bit for bit.
        resume_note: Where it does not: what a resumed run is told about its episodes.
        episodes_resume: Whether episodes go on from a saved state at all; where not, they begin anew.
        has_viewer: Whether the engine shows a window of its own.
        one_per_process: Whether the engine allows no second simulation in its process.
        stop_reason: Why the run should end, where the user asked for that in the engine's window.
    """

    num_envs: int
    device: torch.device
    task_spec: TaskSpec
    exact_resume: bool = True
    resume_note: str = ""
    episodes_resume: bool = True
    has_viewer: bool = False
    one_per_process: bool = False
    stop_reason: Optional[str] = None

    @abstractmethod
    def reset(self) -> Tensor:
        """Begin a new episode in every environment.

        Returns:
            The first observations. Shape: (N, *observation).
        """

    @abstractmethod
    def step(self, actions: Tensor) -> StepResult:
        """Advance every environment by one control step and reset those whose episode ended.

        Args:
            actions: Continuous actions are clamped to [-1, 1]. NaN is not hidden: it goes on into observations and
                rewards of its environment, where the trainer's check reports it. Shape: (N, *action).

        Raises:
            SimulatorError: The actions have another shape, or `reset` was not called yet.
        """

    @abstractmethod
    def observations(self) -> Tensor:
        """What the policy sees in the present state. Shape: (N, *observation)."""

    def critic_observations(self) -> Optional[Tensor]:
        """Privileged observations of the present state, where the task has them. Shape: (N, *critic_observation)."""
        return None

    @property
    @abstractmethod
    def episode_steps(self) -> Tensor:
        """Steps since the present episode of each environment began. Later steps leave it alone. Shape: (N,) int64."""

    @property
    @abstractmethod
    def partial(self) -> Tensor:
        """True where the present episode did not begin at its step 0, so that its return means nothing.

        Later steps leave the tensor alone: taken before a step, it belongs to the episodes of that step.
        Shape: (N,) bool.
        """

    @abstractmethod
    def set_task_parameters(self, values: Dict[str, float]) -> None:
        """Change parameters of the task; each environment takes them over at its own next reset.

        Args:
            values: New values by parameter name; parameters that are not named keep theirs.

        Raises:
            ParameterError: A name is unknown or a value is not a number in the parameter's range. Nothing is changed.
        """

    @abstractmethod
    def state_dict(self) -> Dict[str, Any]:
        """Everything that a bit-exact resume needs besides the generator. Tensors are copies."""

    @abstractmethod
    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            CheckpointError: The state belongs to another task or another number of environments.
        """

    def viewer_state(self, env_ids: Sequence[int]) -> Optional[ViewerState]:
        """What a viewer needs to draw these environments; ``None`` where the engine or task cannot be drawn.

        It changes nothing and draws nothing from the generator, so that watching a run changes no bit of it.
        """
        return None

    def metrics(self) -> Dict[str, float]:
        """Figures of the engine itself, for every iteration's metrics; the same names in every call."""
        return {}

    def close(self) -> None:  # noqa: B027 - engines without handles have nothing to release
        """Release the engine's resources. May be called twice."""
