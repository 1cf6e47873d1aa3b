"""Storage of one rollout: T steps of N environments."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..errors import CheckpointError, DnneError
from ..spaces import Box, Space, flat_size
from .distributions import distribution_for
from .types import PolicyOutput

Fields = Dict[str, Tensor]


class RolloutStorage:
    """Preallocated tensors of shape (T, N, ...), filled step by step.

    V(s_{t+1}) is V(s_t) of the next row except where an episode was truncated, and after the last step. Of final
    observations, those of truncated rows and of the last step are therefore all that is kept.

    Args:
        horizon: Steps of a rollout, T.
        num_envs: Environments, N.
        observation_shape: Shape of one environment's observation.
        action_space: A space of `runtime.spaces`.
        critic_observation_shape: Shape of privileged observations; None where the critic sees the actor's.
        observation_dtype: uint8 for camera images.
        device: Where the tensors live.

    Attributes:
        observations: s_t. Shape: (T, N, *observation_shape).
        critic_observations: Privileged s_t, or None. Shape: (T, N, *critic_observation_shape).
        actions: a_t. Shape: (T, N, A) float32, (T, N) or (T, N, K) int64.
        log_probs, values, rewards: Shape: (T, N).
        distribution: Flat parameters. Shape: (T, N, P).
        terminated, truncated: Shape: (T, N), bool.
        step: Number of steps held.
    """

    def __init__(
        self,
        horizon: int,
        num_envs: int,
        observation_shape: Sequence[int],
        action_space: Space,
        critic_observation_shape: Optional[Sequence[int]] = None,
        observation_dtype: torch.dtype = torch.float32,
        device: str = "cpu",
    ):
        self.horizon = horizon
        self.num_envs = num_envs
        self.step = 0
        self.privileged = critic_observation_shape is not None
        self._device = torch.device(device)
        box = isinstance(action_space, Box)
        self.observations = self._empty(observation_shape, observation_dtype)
        self.actions = self._empty(
            (flat_size(action_space),) if box else action_space.shape, torch.float32 if box else torch.int64
        )
        self.log_probs = self._empty(())
        self.values = self._empty(())
        self.distribution = self._empty((distribution_for(action_space).parameter_size,))
        self.rewards = self._empty(())
        self.terminated = self._empty((), torch.bool)
        self.truncated = self._empty((), torch.bool)
        self.critic_observations: Optional[Tensor] = None
        if critic_observation_shape is not None:
            self.critic_observations = self._empty(critic_observation_shape)
        self._rows = list(zip(*(tensor.unbind(0) for tensor in self.fields.values())))
        self._cuts: List[Tuple[int, Tensor, Tensor]] = []
        self._last_observations: Optional[Tensor] = None

    def _empty(self, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.zeros((self.horizon, self.num_envs, *shape), dtype=dtype, device=self._device)

    @property
    def full(self) -> bool:
        """True once T steps are held."""
        return self.step == self.horizon

    @property
    def fields(self) -> Fields:
        """All stored tensors by name. Shape: (T, N, ...)."""
        names = ("observations", "actions", "log_probs", "values", "distribution", "rewards", "terminated", "truncated")
        fields = {name: getattr(self, name) for name in names}
        if self.critic_observations is not None:
            fields["critic_observations"] = self.critic_observations
        return fields

    def clear(self) -> None:
        """Start the next rollout."""
        self.step = 0
        self._cuts = []
        self._last_observations = None

    @torch.no_grad()
    def add(
        self,
        observations: Tensor,
        policy_output: PolicyOutput,
        rewards: Tensor,
        terminated: Tensor,
        truncated: Tensor,
        final_observations: Tensor,
        final_critic_observations: Optional[Tensor] = None,
    ) -> None:
        """Append one step; everything is copied.

        Args:
            observations: s_t. Shape: (N, *observation_shape).
            policy_output: What the policy did at s_t.
            rewards: r_t. Shape: (N,).
            terminated: Shape: (N,), bool.
            truncated: Shape: (N,), bool.
            final_observations: s_{t+1} before any reset, valid in every row. Shape: (N, *observation_shape).
            final_critic_observations: Likewise for a privileged critic. Shape: (N, *critic_observation_shape).

        Raises:
            DnneError: if the storage is full, a shape does not fit, or privileged observations are missing.
        """
        if self.full:
            raise DnneError(f"the rollout storage already holds its {self.horizon} steps; clear it first")
        actions, log_probs, values, distribution, critic_observations = policy_output
        step = [observations, actions, log_probs, values, distribution, rewards, terminated, truncated]
        successors = final_observations
        if self.privileged:
            successors = self._present(final_critic_observations, "final_critic_observations")
            step.append(self._present(critic_observations, "critic_observations"))
        if self.step == 0:
            self._check_shapes(step, successors)
        # One call for all: a copy each takes seven times as long at 16 environments.
        torch._foreach_copy_(self._rows[self.step], step)
        self._keep_successors(successors)
        self.step += 1

    def _check_shapes(self, step: List[Tensor], successors: Tensor) -> None:
        if self.critic_observations is None:
            final, like = "final_observations", self.observations
        else:
            final, like = "final_critic_observations", self.critic_observations
        for name, row, value in zip((*self.fields, final), (*self._rows[0], like[0]), (*step, successors)):
            if value.shape != row.shape:
                raise DnneError(
                    f"{name} of a rollout step: expected the shape {tuple(row.shape)}, got {tuple(value.shape)}"
                )

    @staticmethod
    def _present(value: Optional[Tensor], name: str) -> Tensor:
        if value is None:
            raise DnneError(f"{name}: the critic has privileged observations, but this step brings none")
        return value

    def _keep_successors(self, successors: Tensor) -> None:
        rows = self.truncated[self.step].nonzero().squeeze(-1)
        if len(rows):
            self._cuts.append((self.step, rows, successors.to(self._device)[rows]))
        if self.step == self.horizon - 1:
            self._last_observations = successors.to(self._device, copy=True)

    def final_observations(self) -> Fields:
        """The kept successors: `last` (N, ...) after the last step, `cut` (M, ...) and their `cut_index` (2, M)."""
        kept: Fields = {} if self._last_observations is None else {"last": self._last_observations}
        if self._cuts:
            steps = [torch.full_like(rows, step) for step, rows, _ in self._cuts]
            kept["cut_index"] = torch.stack((torch.cat(steps), torch.cat([rows for _, rows, _ in self._cuts])))
            kept["cut"] = torch.cat([successors for _, _, successors in self._cuts])
        return kept

    def next_values(self, value_function: Callable[[Tensor], Tensor]) -> Tensor:
        """V(s_{t+1}) of the true successors, in one batched evaluation. Shape: (T, N).

        Args:
            value_function: V of observations as the critic sees them. Shape: (M, ...) -> (M,).
        """
        kept = self.final_observations()
        successors = torch.cat((kept["last"], kept["cut"])) if "cut" in kept else kept["last"]
        values = value_function(successors)
        next_values = torch.empty_like(self.values)
        next_values[:-1] = self.values[1:]
        next_values[-1] = values[: self.num_envs]
        if "cut" in kept:
            next_values[kept["cut_index"][0], kept["cut_index"][1]] = values[self.num_envs :]
        return next_values

    def state_dict(self) -> Dict[str, Any]:
        """The steps held so far, as tensors and numbers."""
        state: Dict[str, Any] = {"step": self.step}
        state.update({name: tensor[: self.step].clone() for name, tensor in self.fields.items()})
        state.update({f"final_{name}": tensor.clone() for name, tensor in self.final_observations().items()})
        return state

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            CheckpointError: if a tensor is missing or has another shape.
        """
        self.clear()
        step = int(state["step"])
        for name, tensor in self.fields.items():
            saved, target = state.get(name), tensor[:step]
            if saved is None or saved.shape != target.shape:
                found = "nothing" if saved is None else f"the shape {tuple(saved.shape)}"
                expected = tuple(target.shape)
                raise CheckpointError(f"saved rollout: {name} should have the shape {expected}, found {found}")
            target.copy_(saved)
        self.step = step
        if "final_last" in state:
            self._last_observations = state["final_last"].to(self._device, copy=True)
        if "final_cut" in state:
            self._load_cuts(state["final_cut_index"].to(self._device), state["final_cut"].to(self._device))

    def _load_cuts(self, index: Tensor, successors: Tensor) -> None:
        for step in index[0].unique().tolist():
            rows = index[0] == step
            self._cuts.append((step, index[1][rows], successors[rows]))
