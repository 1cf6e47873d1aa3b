"""Saves the model that is wired to it."""

from typing import Any, Dict, Optional

from runtime.checkpointed_node import CheckpointSettings
from runtime.ports import HELD, MODEL, In


class CheckpointSaverNode(CheckpointSettings):
    """Saves the state of the agent that feeds ``model``, by its own trigger, instead of the agent's.

    Obeys the same switches: nothing is saved without --save-checkpoint-dir or with checkpoint_enabled off. The files
    are those of the agent, ``node_{agent id}/model.pt``; switch the agent's own checkpoint_enabled off.
    """

    title, category = "Checkpoint Saver", "Utility"
    model = In(MODEL, "Model of the agent to save", kind=HELD)

    def saves_state_of(self, owners: Dict[str, str]) -> Optional[str]:
        """The node that gives the model."""
        return owners.get("model") if self.checkpoint_enabled else None

    def compute(self, model: Any) -> None:
        """Nothing to do: saving happens between two firings."""
