"""A constant."""

from typing import Any, Dict

from runtime.constant_node import ConstantNode
from runtime.parameters import param
from runtime.ports import FLOAT, Out


class FloatConstantNode(ConstantNode):
    """A number, given once. Wired to a parameter, it sets that parameter."""

    title, category = "Float Constant", "Utility"
    replaces = ("FloatConstant",)
    output = Out(FLOAT, "The value", replaces=("value",))

    value: float = param(0.0, doc="The value")

    def compute(self) -> Dict[str, Any]:
        """Give the value."""
        return {"output": self.value}
