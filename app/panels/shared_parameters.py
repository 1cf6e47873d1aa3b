"""The parameters that the selected nodes share, and the changes that edit them. Knows no widget."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type

from app.document import ABSENT, Change, edits
from runtime.errors import ParameterError
from runtime.graph import is_link
from runtime.node import Node
from runtime.parameters import Parameter
from runtime.workflow import NodeEntry, Workflow

INITIALISMS = {"amp", "cnn", "csv", "gae", "id", "json", "kl", "ppo"}


@dataclass(frozen=True)
class ParameterState:
    """What the document says of a parameter.

    Attributes:
        value: The value, or that of the first node.
        is_mixed: The nodes have different values.
        is_changed: Not the default, in any of the nodes.
        links: ``(node id, [source id, port])`` where a constant is wired to it.
    """

    value: Any
    is_mixed: bool
    is_changed: bool
    links: Tuple[Tuple[str, Sequence[str]], ...]


@dataclass(frozen=True)
class SharedParameter:
    """One parameter of one or several nodes.

    Attributes:
        name: Its present name.
        owners: Its declaration in each node, by id.
    """

    name: str
    owners: Mapping[str, Parameter]

    @property
    def declared(self) -> Parameter:
        """The first node's declaration, with the range that all nodes allow."""
        first, *others = self.owners.values()
        if all(other is first for other in others):
            return first
        merged = copy.copy(first)
        merged.low = max((owner.low for owner in self.owners.values() if owner.low is not None), default=None)
        merged.high = min((owner.high for owner in self.owners.values() if owner.high is not None), default=None)
        merged.unit = first.unit if all(other.unit == first.unit for other in others) else ""
        merged.live = any(owner.live for owner in self.owners.values())
        merged.advanced = all(owner.advanced for owner in self.owners.values())
        return merged

    @property
    def label(self) -> str:
        """The name for people: ``Learning rate``, ``GAE lambda``."""
        words = [word.upper() if word in INITIALISMS else word for word in self.name.split("_")]
        text = " ".join(words)
        return text[:1].upper() + text[1:]

    def state(self, workflow: Workflow) -> ParameterState:
        """What the document says."""
        found = [(node_id, *_read(workflow.nodes[node_id], declared)) for node_id, declared in self.owners.items()]
        values = [_checked(value, self.owners[node_id]) for node_id, value, _ in found]
        return ParameterState(
            value=values[0],
            is_mixed=any(value != values[0] for value in values[1:]),
            is_changed=any(value != self.owners[entry[0]].default for value, entry in zip(values, found)),
            links=tuple((node_id, value) for node_id, value, _ in found if is_link(value)),
        )

    def put(self, workflow: Workflow, value: Any) -> List[Change]:
        """Give all nodes a value; one that is given under an earlier name moves to the present one."""
        earlier = self._given(workflow, include_present=False)
        return earlier + edits.set_parameter(self.owners, self.name, value)

    def reset(self, workflow: Workflow) -> List[Change]:
        """Let all nodes have their default again."""
        return self._given(workflow, include_present=True)

    def _given(self, workflow: Workflow, include_present: bool) -> List[Change]:
        return [
            Change(("nodes", node_id, "inputs", key), ABSENT)
            for node_id, declared in self.owners.items()
            for key in _keys(workflow.nodes[node_id], declared)
            if include_present or key != self.name
        ]


def _keys(entry: NodeEntry, declared: Parameter) -> List[str]:
    names = (declared.name, *declared.replaces)
    return [key for key in entry.inputs if key in names]


def _read(entry: NodeEntry, declared: Parameter) -> Tuple[Any, bool]:
    """The value in the document and whether it is given there; the last one counts, as when the file is read."""
    keys = _keys(entry, declared)
    return (entry.inputs[keys[-1]], True) if keys else (declared.default, False)


def _checked(value: Any, declared: Parameter) -> Any:
    try:
        return declared.check(value)
    except ParameterError:
        return value  # shown as it is; validation reports it


def shared_parameters(classes: Mapping[str, Type[Node]]) -> List[SharedParameter]:
    """Parameters that all nodes have under one name with one type, in the first node's order.

    Args:
        classes: The class of each node, by id.
    """
    first, *others = dict.fromkeys(classes.values())
    shared = [
        name
        for name, declared in first.parameters.items()
        if all(_is_alike(declared, other.parameters.get(name)) for other in others)
    ]
    return [
        SharedParameter(name, {node_id: node_class.parameters[name] for node_id, node_class in classes.items()})
        for name in shared
    ]


def _is_alike(declared: Parameter, other: Optional[Parameter]) -> bool:
    return other is not None and (declared.type_text, declared.choices) == (other.type_text, other.choices)


def in_sections(parameters: Sequence[SharedParameter]) -> Dict[str, List[SharedParameter]]:
    """Parameters by section: the main ones under "", then "Advanced" and "Checkpoints"."""
    checkpoints = [parameter for parameter in parameters if parameter.name.startswith("checkpoint_")]
    others = [parameter for parameter in parameters if parameter not in checkpoints]
    return {
        "": [parameter for parameter in others if not parameter.declared.advanced],
        "Advanced": [parameter for parameter in others if parameter.declared.advanced],
        "Checkpoints": checkpoints,
    }
