"""Names of generated classes and files: from node ids, which may hold any characters, to Python identifiers."""

from __future__ import annotations

import keyword
import re
from typing import Container, Dict, Mapping, NamedTuple, Type

from ..node import Node


class InstanceName(NamedTuple):
    """Names of what is generated for one node.

    Attributes:
        class_name: ``PPOTrainerNode_6``.
        module: ``ppotrainernode_6``; differs from those of all other nodes also where letter case does not count.
    """

    class_name: str
    module: str


def instance_names(nodes: Mapping[str, Node]) -> Dict[str, InstanceName]:
    """A name for each node id. Ids that are identifiers already have the first choice."""
    names: Dict[str, InstanceName] = {}
    taken: Dict[str, str] = {}
    for node_id in sorted(nodes, key=lambda node_id: identifier(node_id) != node_id):
        class_name = _free_name(f"{type_name(type(nodes[node_id]))}_{identifier(node_id)}", taken)
        taken[class_name.lower()] = node_id
        names[node_id] = InstanceName(class_name, class_name.lower())
    return {node_id: names[node_id] for node_id in nodes}


def type_name(node_class: Type[Node]) -> str:
    """The class's name in ASCII."""
    return identifier(node_class.__name__)


def identifier(text: str) -> str:
    """The text with an underscore for each character that an ASCII identifier cannot hold."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def module_name(stem: str) -> str:
    """A file's name without its ending as the name of a module."""
    name = identifier(stem)
    return f"_{name}" if keyword.iskeyword(name) or not name.isidentifier() else name


def _free_name(wanted: str, taken: Container[str]) -> str:
    name, number = wanted, 2
    while name.lower() in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name
