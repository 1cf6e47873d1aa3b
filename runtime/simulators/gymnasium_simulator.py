"""N environments of a registered Gymnasium id, stepped by ``gymnasium.vector``."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

import torch
from torch import Tensor

from ..specs import TaskSpec
from .foreign_simulator import ForeignSimulator
from .gymnasium_spaces import ActionCodec, ObservationCodec, mean_figures
from .interface import Dones, SimulatorError, StepResult, ViewerState


class GymnasiumSimulator(ForeignSimulator):
    """Environments of Gymnasium, with the automatic reset done here.

    The vector environment does not reset by itself: the observation of every step is the true successor, and rows
    whose episode ended are reset within the same step.

    Args:
        vector: A ``gymnasium.vector.VectorEnv`` without automatic reset; closed with the simulator.
        task_spec: Its spaces and sizes.
        codecs: How its observations and actions are translated.
        device: Where the tensors live.
        generator: Source of the environments' seeds.
        desynchronise: Cut the first episode of every environment at a random age, so that the episodes do not all end
            in the same step; the cut is a truncation, and these episodes are `partial`.
        env_options: Keyword arguments that the environments were made with.
    """

    resume_note = "the state of Gymnasium's environments cannot be saved: all episodes begin anew"

    def __init__(
        self,
        vector: Any,
        task_spec: TaskSpec,
        codecs: Sequence[Any],
        device: torch.device,
        generator: torch.Generator,
        desynchronise: bool = False,
        env_options: Optional[Dict[str, Any]] = None,
    ):
        super().__init__(task_spec, device)
        self.vector = vector
        self.generator = generator
        self.env_options = dict(env_options or {})
        self.desynchronise = desynchronise and task_spec.max_episode_length > 1
        self._observation: ObservationCodec = codecs[0]
        self._action: ActionCodec = codecs[1]
        self._renders = False
        self._cut_at = torch.zeros(self.num_envs, dtype=torch.int64, device=device)

    def reset(self) -> Tensor:
        """Begin a new episode in every environment, on seeds drawn from the generator."""
        shape = (self.num_envs,)
        seeds = torch.randint(0, 2**31 - 1, shape, generator=self.generator, device=self.device).tolist()
        array, _ = self.vector.reset(seed=seeds)
        self._present = self._tensor(array)
        self._episode_steps = torch.zeros_like(self._episode_steps)
        self._partial = torch.full_like(self._partial, self.desynchronise)
        if self.desynchronise:
            limit = self.task_spec.max_episode_length
            self._cut_at = torch.randint(1, limit + 1, shape, generator=self.generator, device=self.device)
        return self._present

    def step(self, actions: Tensor) -> StepResult:
        """Advance every environment by one step; see `Simulator.step`. Unbounded actions are not clamped."""
        self.observations()
        self.check_actions(actions)
        array, rewards, terminations, truncations, infos = self._stepped(actions)
        final_observations = self._tensor(array)
        self._episode_steps = self._episode_steps + 1
        terminated = torch.from_numpy(terminations).to(self.device, copy=True)
        truncated = torch.from_numpy(truncations).to(self.device) | (
            self._partial & (self._episode_steps >= self._cut_at)
        )
        dones = Dones(terminated, truncated & ~terminated, final_observations)
        self._present = self._begin_episodes(dones.ended, final_observations)
        rewards = torch.from_numpy(rewards).to(self.device, torch.float32, copy=True)
        return StepResult(self._present, rewards, dones, {}, dict(mean_figures(infos, self.num_envs)))

    def _stepped(self, actions: Tensor) -> Any:
        try:
            return self.vector.step(self._action.to_array(actions))
        except (EOFError, ConnectionError) as error:
            self._end_processes()
            raise SimulatorError(f"{self.task_spec.name}: the process of an environment ended by itself") from error

    def _end_processes(self) -> None:
        from gymnasium.vector.async_vector_env import AsyncState

        self.vector._state = AsyncState.DEFAULT  # else closing would wait for the process that is gone
        self.vector.close(terminate=True)

    def _begin_episodes(self, ended: Tensor, final_observations: Tensor) -> Tensor:
        if not ended.any():
            return final_observations
        array, _ = self.vector.reset(options={"reset_mask": ended.cpu().numpy()})
        self._episode_steps = self._episode_steps.masked_fill(ended, 0)
        self._partial = self._partial & ~ended
        rows = ended.view(-1, *[1] * (final_observations.dim() - 1))
        return torch.where(rows, self._tensor(array), final_observations)

    def _tensor(self, array: Any) -> Tensor:
        return self._observation.to_tensor(array).to(self.device)

    def viewer_state(self, env_ids: Sequence[int]) -> Optional[ViewerState]:
        """Rendered frames of some environments; ``None`` where the environment cannot be rendered as an image.

        Raises:
            SimulatorError: Rendering failed; names the reason.
        """
        if self.vector.render_mode != "rgb_array":
            return None
        self._check_rendering()
        import numpy as np

        environments = getattr(self.vector, "envs", None)
        if environments is None:
            every = self.vector.call("render")
            frames = [every[index] for index in env_ids]
        else:
            frames = [environments[index].render() for index in env_ids]
        values = {"frames": torch.from_numpy(np.stack([np.asarray(frame, dtype=np.uint8) for frame in frames]))}
        return ViewerState("pixels", tuple(env_ids), values, {})

    def _check_rendering(self) -> None:
        """Render an environment of its own, once: a failure in a process of an environment would end that process."""
        if self._renders:
            return
        import gymnasium

        environment = gymnasium.make(self.vector.spec.id, render_mode="rgb_array", **self.env_options)
        try:
            environment.reset(seed=0)
            environment.render()
        except (gymnasium.error.Error, ImportError, RuntimeError, OSError, AttributeError) as error:
            raise SimulatorError(f"{self.task_spec.name} cannot be rendered: {error}") from error
        finally:
            environment.close()
        self._renders = True

    def close(self) -> None:
        """End the environments and their processes."""
        if not self.vector.closed:
            self.vector.close()
