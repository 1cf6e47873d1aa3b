"""A constant."""

from typing import Any, Dict

from runtime.constant_node import ConstantNode
from runtime.parameters import param
from runtime.ports import BOOL, Out


class BoolConstantNode(ConstantNode):
    """True or false, given once. Wired to a parameter, it sets that parameter."""

    title, category = "Bool Constant", "Utility"
    replaces = ("BoolConstant",)
    output = Out(BOOL, "The value", replaces=("value",))

    value: bool = param(False, doc="The value")

    def compute(self) -> Dict[str, Any]:
        """Give the value."""
        return {"output": self.value}
