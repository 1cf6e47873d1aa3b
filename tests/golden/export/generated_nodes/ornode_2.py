"""OR, node 2.

It has no values to set. What the node does is in framework/nodes/control/or_node.py.
"""

from framework.nodes.control.or_node import ORNode


class ORNode_2(ORNode):
    """Passes on whatever arrives at any input, lowest port first, and drops nothing."""

    type_name = "ORNode"
