"""Prints what passes."""

from typing import Any, Dict

import torch

from runtime.node import Node
from runtime.parameters import param
from runtime.ports import ANY, In, Out
from runtime.specs import Spec


class PrintNode(Node):
    """Passes a value on and writes its shape, dtype and range to the log, every n-th time."""

    title, category = "Print", "Utility"
    replaces = ("PrintValue",)
    value = In(ANY, "Any value")
    output = Out(ANY, "The same value", same_as="value")

    every: int = param(100, low=1, high=1_000_000_000, doc="Print every n-th value", live=True)
    prefix: str = param("", doc="Text in front; empty for the node's title")

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """The input's spec."""
        return {"output": inputs["value"]} if "value" in inputs else {}

    def setup(self) -> None:
        """Start counting."""
        self.seen = 0

    def compute(self, value: Any) -> Dict[str, Any]:
        """Print where it is time, and pass on."""
        self.seen += 1
        if self.seen % self.every == 0:
            self.context.log(f"{self.prefix or self.label} #{self.seen}: {describe(value)}", node_id=self.id)
        return {"output": value}

    def state_dict(self) -> Dict[str, Any]:
        """How many values have passed."""
        return {"seen": self.seen}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on counting."""
        self.seen = state["seen"]


def describe(value: Any) -> str:
    """Shape, dtype and range of tensors; tuples and dictionaries field by field; other values as they are."""
    if isinstance(value, torch.Tensor):
        return _describe_tensor(value)
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {describe(item)}" for name, item in value.items()) + "}"
    return repr(value)


def _describe_tensor(tensor: torch.Tensor) -> str:
    text = f"{str(tensor.dtype).replace('torch.', '')} {tuple(tensor.shape)}"
    if tensor.numel() == 0:
        return text
    if tensor.dtype == torch.bool:
        return f"{text} {int(tensor.sum())} true"
    numbers = tensor.detach().double()
    bad = int((~numbers.isfinite()).sum())
    finite = numbers[numbers.isfinite()]
    if finite.numel():
        text += f" min {finite.min():.4g} mean {finite.mean():.4g} max {finite.max():.4g}"
    return f"{text} ({bad} not finite)" if bad else text
