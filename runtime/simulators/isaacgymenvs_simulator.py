"""A task of IsaacGymEnvs behind the interface of all simulators, whatever its habits."""

from typing import Any

import torch
from torch import Tensor

from ..specs import TaskSpec
from .foreign_simulator import ForeignSimulator
from .interface import Dones, SimulatorError, StepResult

NEEDED = ("reset_idx", "compute_observations", "reset_buf", "progress_buf", "obs_buf")


class IsaacGymEnvsSimulator(ForeignSimulator):
    """N environments of a vectorised task of IsaacGymEnvs.

    Its habits, and what is made of them:

    - ``reset`` gives zeros; the first observations are those after one step of zero actions, which resets all.
    - It begins a new episode in the step *after* the last one, and ignores that step's action. Such a step is no
      transition: neither its action nor its reward mean anything. So ended environments are reset here at once, by the
      task's own ``reset_idx`` and ``compute_observations``; the next step then belongs to the new episode from its
      first action on. Only rows of ended environments are taken from the second observation.
    - Rewards, flags and observations are buffers that the next step overwrites, in a dictionary that is always the
      same: all that is returned is copied.
    - ``time_outs`` is true as well where the task failed in the very last step. The two cannot be told apart there:
      such an episode counts as truncated. Without ``time_outs`` every end counts as a failure.
    - ESC and the window's closing raise SystemExit, before anything is simulated. The step is done again without the
      window, and the run is asked to stop.

    Args:
        env: What ``isaacgymenvs.make`` gave.
        task_spec: Its sizes.
        device: Where the tensors live.

    Raises:
        SimulatorError: The task does not have what a reset within the step needs.
    """

    one_per_process = True
    resume_note = "the state of environments of IsaacGymEnvs cannot be saved: all episodes begin anew"

    def __init__(self, env: Any, task_spec: TaskSpec, device: torch.device):
        missing = [name for name in NEEDED if not hasattr(env, name)]
        if missing:
            raise SimulatorError(
                f"the task {task_spec.name} of IsaacGymEnvs has no {', '.join(missing)}, so that its episodes cannot "
                "be ended within a step"
            )
        super().__init__(task_spec, device)
        self.env = env
        self.has_viewer = getattr(env, "viewer", None) is not None
        self._viewer = getattr(env, "viewer", None)

    def reset(self) -> Tensor:
        """Begin a new episode in every environment. Returns the observations. Shape: (N, obs)."""
        self.env.reset()
        self.env.reset_buf.fill_(1)
        self._env_step(torch.zeros(self._action_shape, device=self.device))
        self._clear(torch.ones(self.num_envs, dtype=torch.bool, device=self.device))
        self._present = self._seen()
        self._episode_steps = torch.zeros_like(self._episode_steps)
        return self._present

    def step(self, actions: Tensor) -> StepResult:
        """One control step; see `Simulator.step`."""
        self.observations()
        self.check_actions(actions)
        _, raw_rewards, raw_resets, extras = self._env_step(actions.detach().to(torch.float32).clamp(-1.0, 1.0))
        observations = final_observations = self._seen()
        rewards = raw_rewards.to(self.device, torch.float32, copy=True)
        ended = raw_resets.to(self.device, copy=True).bool()
        time_outs = extras.get("time_outs")
        truncated = torch.zeros_like(ended) if time_outs is None else ended & time_outs.to(self.device).bool()
        self._episode_steps = (self._episode_steps + 1).masked_fill(ended, 0)
        if ended.any():
            observations = self._begin_episodes(ended, final_observations)
        self._present = observations
        dones = Dones(ended & ~truncated, truncated, final_observations)
        return StepResult(observations, rewards, dones, {"reward": rewards}, {})

    def close(self) -> None:
        """Destroy the window and the simulation."""
        env, self.env = self.env, None
        if env is None:
            return
        if self._viewer is not None:
            env.gym.destroy_viewer(self._viewer)
        env.gym.destroy_sim(env.sim)

    def _env_step(self, actions: Tensor) -> Any:
        try:
            return self.env.step(actions)
        except SystemExit:
            self.stop_reason = "ESC in the viewer, or it was closed"
            self.env.viewer = None
            return self.env.step(actions)

    def _begin_episodes(self, ended: Tensor, observations: Tensor) -> Tensor:
        """Reset ended environments now; observations with their first ones in place of their last ones."""
        self.env.reset_idx(ended.nonzero().squeeze(1))
        self._clear(ended)
        self.env.compute_observations()
        return torch.where(ended.unsqueeze(1), self._seen(), observations)

    def _clear(self, rows: Tensor) -> None:
        """Take back the wish to be reset, so that the next step does not do it again."""
        self.env.reset_buf.masked_fill_(rows, 0)
        self.env.progress_buf.masked_fill_(rows, 0)

    def _seen(self) -> Tensor:
        """A copy of the present observations, limited as IsaacGymEnvs limits them."""
        limit = float(getattr(self.env, "clip_obs", float("inf")))
        return torch.clamp(self.env.obs_buf, -limit, limit).to(self.device, torch.float32, copy=True)
