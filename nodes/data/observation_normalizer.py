"""Brings observations to zero mean and unit variance."""

from typing import Any, Dict, Iterable, Optional

import torch

from runtime.checkpointed_node import CheckpointedNode
from runtime.checkpoints.matching import Fit, check_state_fits, fitting, state_shapes
from runtime.node import ANY_INPUT, Finding
from runtime.parameters import param
from runtime.ports import DONES, OBSERVATIONS, In, Out
from runtime.rl.normalization import RunningMeanStd
from runtime.rl.shared_statistics import SharedStatistics, shared_part
from runtime.specs import Spec
from runtime.transforms import check_transform, transformed_specs


class ObservationNormalizerNode(CheckpointedNode):
    """Normalises observations by running mean and variance (Chan et al. 1979), updated with every step of training.

    Where several processes train, each adds its own observations step by step, and once per iteration all take over the
    statistics of all.

    For agents that do not normalise themselves. Final observations go through the same statistics as the
    observations of their step; in inference, and where a part of the model is frozen, the statistics stand still.
    """

    title, category = "Observation Normalizer", "Data"
    takes_pretrained = True
    fires_on = ANY_INPUT
    dones = In(DONES, "Episode ends of Step")
    observations = In(OBSERVATIONS, "Observations, also the first ones. Shape: (N, obs)")
    normalized_dones = Out(DONES, "dones with normalised final_observations", on_input="dones")
    normalized = Out(OBSERVATIONS, "Normalised observations. Shape: (N, obs)", on_input="observations")

    clip: float = param(10.0, low=0.1, high=1000.0, doc="Largest magnitude of a normalised observation", live=True)

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Same shapes."""
        return transformed_specs(self, inputs, "normalized", lambda shape: shape)

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """Both inputs are wired alike, and the checkpoint trigger is right."""
        yield from self.check_trigger()
        yield from check_transform(self, inputs)
        shape = inputs.get("observations", Spec()).shape
        if shape is None or None in shape[1:]:
            yield "observations", "their shape is not known before the run", "link observations of an environment"

    def setup(self) -> None:
        """Start with mean 0 and variance 1."""
        shape = self.input_specs["observations"].shape
        assert shape is not None
        sizes = [int(size or 0) for size in shape[1:]]
        self.statistics = RunningMeanStd(sizes, clip=self.clip).to(self.device)
        self.shared = SharedStatistics(self.statistics, self.context)

    def parameters_changed(self, names: Any) -> None:
        """Take over an edited clip."""
        self.statistics.clip = self.clip

    def compute(self, dones: Any = None, observations: Optional[torch.Tensor] = None) -> Dict[str, Any]:
        """Normalise what arrived: the ends of a step, or the observations after it."""
        if dones is not None:
            final = self.statistics.normalize(dones.final_observations)
            return {"normalized_dones": dones._replace(final_observations=final)}
        assert observations is not None
        if not self.context.inference and not self.context.freeze:
            self.shared.update(observations)
        return {"normalized": self.statistics.normalize(observations)}

    def load_partial_state(self, state: Dict[str, Any]) -> Fit:
        """Take over the statistics where they are of observations of this shape."""
        own = self.checkpoint_state()["statistics"]
        fit = fitting(own, state["statistics"])
        if not fit.left_out:
            self.shared.load_state_dict({"statistics": fit.loaded})
        return fit

    def observation_module(self) -> RunningMeanStd:
        """What it does in inference, as an exported policy takes it in."""
        return self.statistics

    def state_dict(self) -> Dict[str, Any]:
        """Mean, variance and count."""
        return self.shared.state_dict()

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on with saved statistics."""
        self.shared.load_state_dict(state)

    def shared_state(self, state: Dict[str, Any]) -> Dict[str, Any]:
        """What all processes had at the last exchange."""
        return shared_part(state)

    def checkpoint_state(self) -> Dict[str, Any]:
        """Mean, variance and count."""
        return {"statistics": dict(self.statistics.state_dict())}

    def load_checkpoint_state(self, state: Dict[str, Any]) -> None:
        """Take over loaded statistics."""
        check_state_fits(state_shapes(self.checkpoint_state()), state)
        self.load_state_dict(state)
