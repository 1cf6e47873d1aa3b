"""Nodes that give a constant, which may feed parameters as well as ports."""

from typing import Any, Dict

from .node import Node


class ConstantNode(Node):
    """Base of the constants: a link from one to a parameter sets that parameter before the run."""

    value: Any

    def held_outputs(self) -> Dict[str, Any]:
        """The value, again, after a resume."""
        return {"output": self.value}
