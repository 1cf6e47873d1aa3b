"""Loads a model from another node's checkpoint."""

from typing import Any, Dict

from runtime.checkpointed_node import CheckpointReader
from runtime.ports import HELD, MODEL, In, Out
from runtime.specs import Spec


class CheckpointLoaderNode(CheckpointReader):
    """Loads the agent that feeds ``model`` from the folder of another node id.

    For weights that were saved by another workflow, where the agent had another id. Obeys the same switch: without
    --load-checkpoint-dir nothing is loaded and the model passes through.
    """

    title, category = "Checkpoint Loader", "Utility"
    model = In(MODEL, "Model of the agent to load", kind=HELD)
    loaded = Out(MODEL, "The same model", same_as="model")

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """The model's spec."""
        return {"loaded": inputs["model"]} if "model" in inputs else {}

    def compute(self, model: Any) -> Dict[str, Any]:
        """Pass the model on."""
        return {"loaded": model}
