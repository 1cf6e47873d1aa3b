"""A small vectorised environment, as a program of a user has it."""

import torch


class Reaching:
    """Come near to 0 along a line. Episodes end at 6 steps by the clock, or where |x| exceeds 2."""

    num_envs, num_obs, num_actions, max_episode_length = 4, 2, 1, 6
    device = "cpu"

    def __init__(self, final=True, seed=0):
        self.final, self.generator = final, torch.Generator().manual_seed(seed)
        self.position, self.ages = torch.zeros(4), torch.zeros(4)
        self.actions = []

    def reset(self):
        self._begin(torch.ones(4, dtype=torch.bool))
        return self._observe(), {}

    def step(self, actions):
        self.actions.append(actions.clone())
        self.position = self.position + 0.5 * actions[:, 0]
        self.ages = self.ages + 1
        failed, late = self.position.abs() > 2.0, self.ages >= 6
        near, effort = -self.position.abs(), -0.1 * actions[:, 0].square()
        extras = {
            "time_outs": late & ~failed,
            "reward_components": {"near": near, "effort": effort},
            "log": {"/robot/position_mean": self.position.mean(), "const": 2.0},
        }
        if self.final:
            extras["final_observations"] = self._observe()
        self._begin(failed | late)
        return self._observe(), near + effort, failed | late, extras

    def _begin(self, rows):
        self.position = torch.where(rows, torch.rand(4, generator=self.generator), self.position)
        self.ages = self.ages.masked_fill(rows, 0.0)

    def _observe(self):
        return torch.stack((self.position, self.ages / 6.0), 1)
