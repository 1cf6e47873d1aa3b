"""The one primitive of all edits: put a value at a place of the workflow, and know how to take it back."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Dict, Optional, Tuple

from runtime.workflow import NodeEntry, Workflow

Path = Tuple[str, ...]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"

    def __deepcopy__(self, memo: Dict[int, Any]) -> _Absent:
        return self


ABSENT: Any = _Absent()
"""Stands for "nothing is there": putting it removes."""


@dataclass(frozen=True)
class Change:
    """Put ``value`` at ``path``; `ABSENT` removes what is there.

    Paths: ``("nodes", id)`` a whole `NodeEntry`; ``("nodes", id, "inputs", name)`` a link or a parameter;
    ``("nodes", id, "title" | "position" | "class_type")``; ``("nodes", id, "extra", key)``; ``("name",)``,
    ``("groups",)``, ``("view",)``.

    Attributes:
        index: Where a removed entry stood among its siblings, so that undo puts it back there.
    """

    path: Path
    value: Any
    index: Optional[int] = None

    def apply(self, workflow: Workflow) -> Change:
        """Change the workflow and return the change that takes it back.

        Raises:
            KeyError: The path leads to a node that is not there.
        """
        value = deepcopy(self.value)
        if self.path[0] == "nodes" and len(self.path) == 2:
            return self._swap(workflow.nodes, self.path[1], value)
        if self.path[0] == "nodes":
            return self._apply_to_node(workflow, workflow.nodes[self.path[1]], value)
        old = deepcopy(getattr(workflow, self.path[0]))
        setattr(workflow, self.path[0], value)
        return replace(self, value=old, index=None)

    def _apply_to_node(self, workflow: Workflow, entry: NodeEntry, value: Any) -> Change:
        part = self.path[2]
        if part in ("inputs", "extra"):
            return self._swap(getattr(entry, part), self.path[3], value)
        old = getattr(entry, part)
        setattr(entry, part, value)
        return replace(self, value=old, index=None)

    def _swap(self, mapping: Dict[str, Any], key: str, value: Any) -> Change:
        old = mapping.get(key, ABSENT)
        index = list(mapping).index(key) if key in mapping else None
        if value is ABSENT:
            mapping.pop(key, None)
        elif key in mapping or self.index is None:
            mapping[key] = value
        else:
            _insert(mapping, self.index, key, value)
        return replace(self, value=old, index=index)


def _insert(mapping: Dict[str, Any], index: int, key: str, value: Any) -> None:
    items = list(mapping.items())
    items.insert(index, (key, value))
    mapping.clear()
    mapping.update(items)
