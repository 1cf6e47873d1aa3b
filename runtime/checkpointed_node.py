"""The parameters and hooks of nodes whose state goes into checkpoints."""

from __future__ import annotations

from typing import Any, Dict, Iterable

from .checkpoints.matching import Fit
from .checkpoints.triggers import CheckpointTrigger
from .errors import CheckpointError
from .node import Finding, Node
from .parameters import param
from .specs import Spec

TRIGGER_TYPES = ("epoch", "time", "best_metric")


class CheckpointSettings(Node):
    """When a node writes checkpoints; acts only while the run has ``--save-checkpoint-dir``."""

    checkpoint_enabled: bool = param(True, doc="Save checkpoints while the run has --save-checkpoint-dir")
    checkpoint_trigger_type: str = param(
        "epoch", choices=TRIGGER_TYPES, doc="Save every n iterations, every so often, or at a new best metric"
    )
    checkpoint_trigger_value: str = param(
        "50", doc="epoch: n iterations; time: 10m or 1h30m; best_metric: max, min, max:METRIC or min:METRIC"
    )
    checkpoint_keep_last: int = param(1, low=1, high=1000, doc="Newest checkpoints that stay, beside the best one")

    def check_trigger(self) -> Iterable[Finding]:
        """The trigger's value, checked against its type."""
        try:
            self.new_trigger()
        except CheckpointError as error:
            yield "checkpoint_trigger_value", str(error), ""

    def new_trigger(self) -> CheckpointTrigger:
        """The rule that says when a checkpoint is due."""
        return CheckpointTrigger(self.checkpoint_trigger_type, self.checkpoint_trigger_value)

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """Findings of the trigger; subclasses with own checks yield these too."""
        return self.check_trigger()


class CheckpointedNode(CheckpointSettings):
    """A node with trained state of its own.

    Class attributes:
        checkpoint_required: Loading from a folder that lacks this node is an error: it would run untrained.
        takes_pretrained: `load_partial_state` takes over what fits of another network's weights.
    """

    checkpoint_required = True
    takes_pretrained = False

    def checkpoint_state(self) -> Dict[str, Any]:
        """What goes into ``node_{id}/model.pt``."""
        raise NotImplementedError

    def load_checkpoint_state(self, state: Dict[str, Any]) -> None:
        """Take over a loaded state.

        Raises:
            CheckpointError: It does not fit; names every tensor, expected and found.
        """
        raise NotImplementedError

    def shared_state(self, state: Dict[str, Any]) -> Dict[str, Any]:
        """The part of what `state_dict` gave that is the same on all processes of a run; by default all of it."""
        return state

    def load_partial_state(self, state: Dict[str, Any]) -> Fit:
        """Take over what fits of a loaded state by name and shape, and say what that was."""
        raise NotImplementedError


class CheckpointReader(Node):
    """A node that has another node's state loaded from a folder of its choice."""

    source_node: str = param("", doc="Id of the node whose checkpoint is read; empty for the agent's own id")
