"""A program's own vectorised environment behind the interface of all simulators."""

from __future__ import annotations

import logging
from typing import Any, Dict, Mapping, Tuple

import torch
from torch import Tensor

from ..simulators.foreign_simulator import ForeignSimulator
from ..simulators.interface import Dones, SimulatorError, StepResult
from ..specs import TaskSpec

FINAL = ("final_observations", "terminal_observations", "final_obs")
POLICY = ("policy", "obs", "observations")

logger = logging.getLogger(__name__)


class VectorSimulator(ForeignSimulator):
    """N environments of an object with ``reset()`` and ``step(actions)``, which resets ended ones within the step.

    ``step`` gives observations, rewards, dones and extras; or, as in Gymnasium, terminations and truncations in place
    of dones. Of ``extras``, these are read:

    - ``time_outs``, (N,) bool: where an episode was cut and did not end by itself. Without it every end is a failure.
    - ``final_observations``, (N, *observation): the true successor observations, read where an episode ended. Without
      them the value beyond a cut is taken at the observation before the step, and a warning says so, once.
    - ``reward_components``: parts of the reward by name, (N,) each, the same names in every step.
    - ``log``: numbers, or tensors of one element, by name.

    Tensors may be buffers that the next step overwrites: all that is kept is copied.

    Args:
        env: The object; whoever made it closes it.
        task_spec: Its sizes.
        to_env: Turns actions of the policy, (N, *action) on the run's device, into those that it takes.
        device: Where the run's tensors live.
    """

    resume_note = "the state of environments that a program made cannot be saved: all episodes begin anew"

    def __init__(self, env: Any, task_spec: TaskSpec, to_env: Any, device: torch.device):
        super().__init__(task_spec, device)
        self.env = env
        self._to_env = to_env
        self._shape = (self.num_envs, *task_spec.observation_space.shape)
        self._gives_final = False
        self._has_warned = False

    def reset(self) -> Tensor:
        """Begin a new episode in every environment. Shape: (N, *observation)."""
        self._present = self._observed(self.env.reset(), "reset")
        self._episode_steps = torch.zeros_like(self._episode_steps)
        return self._present

    def step(self, actions: Tensor) -> StepResult:
        """One control step; see `Simulator.step`. Actions are limited by the action node, if at all."""
        before = self.observations()
        observed, rewards, terminated, truncated, extras = self._stepped(actions)
        ended = terminated | truncated
        self._present = self._observed(observed, "step")
        final = self._final(extras, ended, truncated, before, self._present)
        self._episode_steps = (self._episode_steps + 1).masked_fill(ended, 0)
        dones = Dones(terminated, truncated, final)
        components = {name: self._column(value, f"reward component {name}") for name, value in _parts(extras).items()}
        return StepResult(self._present, rewards, dones, components or {}, self._log(extras))

    def _stepped(self, actions: Tensor) -> Tuple[Any, Tensor, Tensor, Tensor, Mapping[str, Any]]:
        result = self.env.step(self._to_env(actions))
        if not isinstance(result, tuple) or len(result) not in (4, 5):
            found = f"{len(result)} values" if isinstance(result, tuple) else type(result).__name__
            raise SimulatorError(
                f"{self.task_spec.name}.step gave {found}; expected observations, rewards, dones, extras, or "
                "observations, rewards, terminations, truncations, infos"
            )
        observed, rewards, first, *second, extras = result
        ended = self._flags(first, "dones")
        if second:
            truncated = self._flags(second[0], "truncations") & ~ended
            return observed, self._column(rewards, "rewards"), ended, truncated, extras
        time_outs = extras.get("time_outs")
        truncated = torch.zeros_like(ended) if time_outs is None else ended & self._flags(time_outs, "time_outs")
        return observed, self._column(rewards, "rewards"), ended & ~truncated, truncated, extras

    def _final(
        self, extras: Mapping[str, Any], ended: Tensor, truncated: Tensor, before: Tensor, after: Tensor
    ) -> Tensor:
        given = next((extras[name] for name in FINAL if extras.get(name) is not None), None)
        rows = ended.view(-1, *[1] * (after.dim() - 1))
        if given is not None:
            self._gives_final = True
            return torch.where(rows, self._observed(given, "extras"), after)
        if not (self._has_warned or self._gives_final) and bool(truncated.any()):
            self._has_warned = True
            logger.warning(
                "%s gives no final_observations in extras: where time runs out, the value beyond is taken at the "
                "observation before the last step",
                self.task_spec.name,
            )
        return torch.where(rows, before, after)

    def _observed(self, values: Any, where: str) -> Tensor:
        if isinstance(values, tuple):
            values = values[0]
        if not isinstance(values, Tensor) and hasattr(values, "keys"):
            values = _of_policy(values, f"{self.task_spec.name}.{where}")
        tensor = torch.as_tensor(values)
        image = self.task_spec.observation_space.is_image and tensor.dtype == torch.uint8
        if tuple(tensor.shape) != self._shape:
            raise SimulatorError(
                f"{self.task_spec.name}.{where} gave observations of the shape {tuple(tensor.shape)}; expected "
                f"{self._shape}"
            )
        return tensor.detach().to(self.device, torch.uint8 if image else torch.float32, copy=True)

    def _column(self, values: Any, what: str) -> Tensor:
        tensor = torch.as_tensor(values).detach()
        if tensor.numel() != self.num_envs:
            raise SimulatorError(
                f"{self.task_spec.name}: {what} have the shape {tuple(tensor.shape)}; expected ({self.num_envs},)"
            )
        return tensor.to(self.device, torch.float32, copy=True).reshape(self.num_envs)

    def _flags(self, values: Any, what: str) -> Tensor:
        return self._column(values, what) != 0.0

    def _log(self, extras: Mapping[str, Any]) -> Dict[str, Any]:
        log: Dict[str, Any] = {}
        for name, value in (extras.get("log") or {}).items():
            if getattr(value, "size", None) is not None and torch.as_tensor(value).numel() != 1:
                shape = tuple(torch.as_tensor(value).shape)
                raise SimulatorError(
                    f"{self.task_spec.name}: extras['log'][{name!r}] has the shape {shape}; expected one number"
                )
            log[name] = value.detach().clone() if isinstance(value, Tensor) else float(value)
        return log


def _parts(extras: Mapping[str, Any]) -> Mapping[str, Any]:
    return extras.get("reward_components") or {}


def _of_policy(values: Any, where: str) -> Any:
    for name in POLICY:
        if name in values.keys():  # noqa: SIM118 - a TensorDict has keys, but iterates over rows
            return values[name]
    raise SimulatorError(f"{where} gave observations by the names {list(values.keys())}; expected one of {POLICY}")
