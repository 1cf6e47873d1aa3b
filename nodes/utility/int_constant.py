"""A constant."""

from typing import Any, Dict

from runtime.constant_node import ConstantNode
from runtime.parameters import param
from runtime.ports import INT, Out


class IntConstantNode(ConstantNode):
    """A whole number, given once. Wired to a parameter, it sets that parameter."""

    title, category = "Int Constant", "Utility"
    replaces = ("IntConstant",)
    output = Out(INT, "The value", replaces=("value",))

    value: int = param(0, doc="The value")

    def compute(self) -> Dict[str, Any]:
        """Give the value."""
        return {"output": self.value}
