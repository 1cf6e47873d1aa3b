"""Gives the policy a short memory of observations."""

from typing import Any, Dict, Iterable, Optional

import torch

from runtime.node import ANY_INPUT, Finding, Node
from runtime.parameters import param
from runtime.ports import DONES, OBSERVATIONS, In, Out
from runtime.specs import Spec
from runtime.transforms import check_transform, pair_error, transformed_specs


class FrameStackNode(Node):
    """Joins the last k observations along their first axis, the newest last.

    (N, D) becomes (N, k·D), and (N, C, H, W) becomes (N, k·C, H, W). Stands between OR and agent, and between Step's
    dones and the trainer: final observations are stacked alike, and where an episode ended the stack starts anew with
    k copies of the first observation.
    """

    title, category = "Frame Stack", "Data"
    fires_on = ANY_INPUT
    dones = In(DONES, "Episode ends of Step")
    observations = In(OBSERVATIONS, "Observations, also the first ones. Shape: (N, D) or (N, C, H, W)")
    stacked_dones = Out(DONES, "dones with stacked final_observations", on_input="dones")
    stacked = Out(OBSERVATIONS, "The last k observations. Shape: (N, k·D)", on_input="observations")

    frames: int = param(4, low=1, high=64, doc="Observations in a stack, k")

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """k times as long along the first axis."""
        return transformed_specs(self, inputs, "stacked", self._stacked_shape)

    def _stacked_shape(self, shape: Any) -> Any:
        if len(shape) < 2:
            return shape
        length = None if shape[1] is None else shape[1] * self.frames
        return (shape[0], length) + tuple(shape[2:])

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """Both inputs are wired and have gone through the same transforms, and there is an axis to stack along."""
        yield from check_transform(self, inputs)
        seen = inputs["observations"]
        if seen.shape is not None and len(seen.shape) < 2:
            yield "observations", f"they are {seen.text}", "link observations (N, D) or (N, C, H, W)"

    def setup(self) -> None:
        """Start with no observation."""
        self.stack: Optional[torch.Tensor] = None
        self.ended: Optional[torch.Tensor] = None

    def compute(self, dones: Any = None, observations: Optional[torch.Tensor] = None) -> Dict[str, Any]:
        """Stack what arrived: the ends of a step, or the observations after it."""
        if dones is not None:
            return {"stacked_dones": self._stack_dones(dones)}
        assert observations is not None
        return {"stacked": self._stack_observations(observations)}

    def _stack_dones(self, dones: Any) -> Any:
        if self.stack is None or self.ended is not None:
            raise pair_error(self)
        self.ended = dones.terminated | dones.truncated
        return dones._replace(final_observations=self._push(dones.final_observations))

    def _stack_observations(self, observations: torch.Tensor) -> torch.Tensor:
        fresh = torch.cat([observations] * self.frames, dim=1)
        if self.stack is None:
            self.stack = fresh
            return fresh
        if self.ended is None:
            raise pair_error(self)
        ended = self.ended.view(-1, *[1] * (observations.dim() - 1))
        self.stack = torch.where(ended, fresh, self._push(observations))
        self.ended = None
        return self.stack

    def _push(self, observations: torch.Tensor) -> torch.Tensor:
        assert self.stack is not None
        return torch.cat([self.stack[:, observations.shape[1] :], observations], dim=1)

    def state_dict(self) -> Dict[str, Any]:
        """The present stack."""
        return {"stack": self.stack, "ended": self.ended}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on with a saved stack."""
        self.stack, self.ended = state["stack"], state["ended"]
