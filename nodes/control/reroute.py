"""A bend in a wire."""

from typing import Any, Dict

from runtime.node import Node
from runtime.ports import ANY, In, Out
from runtime.specs import Spec


class RerouteNode(Node):
    """Passes a value on unchanged; keeps long wires tidy."""

    title, category = "Reroute", "Control"
    replaces = ("Reroute",)
    value = In(ANY, "Any value")
    output = Out(ANY, "The same value", same_as="value")

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """The input's spec."""
        return {"output": inputs["value"]} if "value" in inputs else {}

    def compute(self, value: Any) -> Dict[str, Any]:
        """Pass it on."""
        return {"output": value}
