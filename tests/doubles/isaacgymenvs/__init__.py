"""A double of IsaacGymEnvs with its habits: zeros on reset, reset in the next step, aliased buffers, SystemExit.

Its one kind of task: a point on a line that moves by 0.1 of the action, fails beyond ±1, and starts an episode at 0.01
times the number of episodes that its environment has begun. Reward: the position after the step.
"""

import sys
from types import SimpleNamespace
from typing import Any, Dict, List, Tuple

import torch

EPISODE_LENGTH = 20
CLIP = 1000.0


class Window:
    """The viewer: a test may press ESC."""

    def __init__(self) -> None:
        self.escape = False


class Gym:
    """Records what is destroyed."""

    def __init__(self) -> None:
        self.destroyed: List[str] = []

    def destroy_viewer(self, viewer: Window) -> None:
        self.destroyed.append("viewer")

    def destroy_sim(self, sim: str) -> None:
        self.destroyed.append(sim)


class Line:
    """The task."""

    max_episode_length = EPISODE_LENGTH
    clip_obs = CLIP

    def __init__(self, num_envs: int, headless: bool):
        self.gym, self.sim, self.num_envs = Gym(), "sim", num_envs
        self.viewer = None if headless else Window()
        self.observation_space, self.action_space = SimpleNamespace(shape=(4,)), SimpleNamespace(shape=(1,))
        self.obs_buf, self.rew_buf = torch.zeros(num_envs, 4), torch.zeros(num_envs)
        self.reset_buf, self.progress_buf = (
            torch.ones(num_envs, dtype=torch.long),
            torch.zeros(num_envs, dtype=torch.long),
        )
        self.position, self.episodes = torch.zeros(num_envs), torch.zeros(num_envs)
        self.last_actions = torch.zeros(num_envs)
        self.extras: Dict[str, Any] = {}
        self.obs_dict: Dict[str, torch.Tensor] = {}
        self.simulated = 0

    def reset(self) -> Dict[str, torch.Tensor]:
        self.obs_dict["obs"] = self.obs_buf
        return self.obs_dict

    def step(self, actions: torch.Tensor) -> Tuple[Dict[str, torch.Tensor], torch.Tensor, torch.Tensor, Dict[str, Any]]:
        if self.viewer is not None and self.viewer.escape:
            sys.exit()
        self.simulated += 1
        self.last_actions[:] = actions[:, 0]
        self.position += 0.1 * actions[:, 0]
        self.progress_buf += 1
        ids = self.reset_buf.nonzero(as_tuple=False).squeeze(-1)
        if len(ids) > 0:
            self.reset_idx(ids)
        self.compute_observations()
        self.rew_buf[:] = self.position
        failed = self.position.abs() > 1.0
        timed_out = self.progress_buf >= self.max_episode_length - 1
        self.reset_buf[:] = (failed | timed_out).long()
        self.extras["time_outs"] = timed_out & (self.reset_buf != 0)
        self.obs_dict["obs"] = self.obs_buf
        return self.obs_dict, self.rew_buf, self.reset_buf, self.extras

    def reset_idx(self, ids: torch.Tensor) -> None:
        self.episodes[ids] += 1
        self.position[ids] = 0.01 * self.episodes[ids]
        self.last_actions[ids] = 0.0
        self.reset_buf[ids], self.progress_buf[ids] = 0, 0

    def compute_observations(self) -> None:
        columns = (self.position, self.progress_buf.float(), self.episodes, self.last_actions)
        self.obs_buf[:] = torch.stack(columns, dim=1)


def make(
    seed: int, task: str, num_envs: int, sim_device: str, rl_device: str, graphics_device_id: int = -1,
    headless: bool = False, cfg: Any = None,
) -> Line:  # fmt: skip
    """Make a task."""
    if sim_device == "cpu" and getattr(cfg, "pipeline", "gpu") != "cpu":
        raise RuntimeError("physx.use_gpu is True on the CPU: compose the configuration with pipeline=cpu")
    if task == "Broken":
        sys.exit(1)
    if int(cfg.num_envs) != num_envs or cfg.headless != str(headless):
        raise RuntimeError("the configuration is of another environment")
    return Line(num_envs, headless)
