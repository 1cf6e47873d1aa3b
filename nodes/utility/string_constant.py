"""A constant."""

from typing import Any, Dict

from runtime.constant_node import ConstantNode
from runtime.parameters import param
from runtime.ports import STRING, Out


class StringConstantNode(ConstantNode):
    """A text, given once. Wired to a parameter, it sets that parameter."""

    title, category = "String Constant", "Utility"
    replaces = ("StringConstant",)
    output = Out(STRING, "The value", replaces=("value",))

    value: str = param("", doc="The value")

    def compute(self) -> Dict[str, Any]:
        """Give the value."""
        return {"output": self.value}
