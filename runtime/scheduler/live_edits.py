"""Applies edits of live parameters between two firings."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Set, Tuple

from ..context import RunContext
from ..errors import ParameterError
from ..events import ParameterChanged
from .machine import Machine


def apply_edits(edits: Sequence[Tuple[str, str, Any]], machine: Machine, context: RunContext) -> None:
    """Set the parameters, tell the nodes, and log each change; a refused edit is logged and changes nothing."""
    changed: Dict[str, Set[str]] = {}
    for node_id, name, value in edits:
        refusal = _apply(node_id, name, value, machine, context)
        if refusal:
            context.log(f"edit refused: {refusal}", "error", node_id)
        else:
            changed.setdefault(node_id, set()).add(name)
    for node_id, names in changed.items():
        machine.by_id[node_id].node.parameters_changed(frozenset(names))


def _apply(node_id: str, name: str, value: Any, machine: Machine, context: RunContext) -> str:
    if node_id not in machine.by_id:
        return f"there is no node {node_id!r} in this run"
    node = machine.by_id[node_id].node
    if name in node.parameters and not node.parameters[name].live:
        return f"{node.label}.{name} cannot change during a run; live are: {', '.join(live_names(node)) or 'none'}"
    old = getattr(node, name, None)
    try:
        node.set_parameter(name, value)
    except ParameterError as error:
        return f"{node.label}.{name}: {error}"
    for where, message, remedy in node.check(node.input_specs):
        setattr(node, name, old)
        return f"{node.label}.{where}: {message}" + (f"; {remedy}" if remedy else "")
    node.edited[name] = getattr(node, name)
    context.send(ParameterChanged, node_id, name, old, getattr(node, name), context.progress.iterations)
    return ""


def live_names(node: Any) -> List[str]:
    """Names of the parameters that may change during a run."""
    return [name for name, declared in node.parameters.items() if declared.live]
