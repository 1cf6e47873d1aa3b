"""Changes to a graph from the command line: ``--set NODE.PARAM=VALUE`` and ``--num-envs``."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, List, Optional, Sequence, Set, Tuple

from ..errors import ParameterError, WorkflowError
from ..graph import Graph
from ..node import Node
from ..suggest import did_you_mean
from ..validation import Problem


def apply_overrides(graph: Graph, assignments: Sequence[str], num_envs: Optional[int]) -> List[Problem]:
    """Set parameters of a graph's nodes and return what could not be done."""
    problems: List[Problem] = []
    if num_envs is not None:
        owners = [node for node in graph.nodes.values() if "num_envs" in node.parameters]
        if not owners:
            problems.append(Problem("", "", "--num-envs: no node of this workflow has environments"))
        for node in owners:
            node.set_parameter("num_envs", num_envs)
    for text in assignments:
        problems += _assign(graph, text)
    return problems


def assigned(graph: Graph, assignments: Sequence[str]) -> Set[Tuple[str, str]]:
    """(node id, parameter) of all that good assignments have set, those linked to an assigned constant included."""
    found = set()
    for text in assignments:
        reference, _, name = text.partition("=")[0].rpartition(".")
        node_id = graph.find(reference).id
        found |= {(node_id, name), *(target for target, constant in graph.constants.items() if constant == node_id)}
    return found


def _assign(graph: Graph, text: str) -> List[Problem]:
    target, _, value = text.partition("=")
    reference, _, name = target.rpartition(".")
    option = f"--set {text}"
    try:
        node = graph.find(reference)
    except WorkflowError as error:
        return [Problem("", "", f"{option}: {error}")]
    if name not in node.parameters:
        hint = did_you_mean(name, node.parameters)
        known = ", ".join(node.parameters) or "none"
        return [Problem(node.id, name, f"{option}: unknown parameter {name!r}{hint}", f"it has {known}")]
    constant = graph.constants.get((node.id, name))
    if constant is not None:
        return [Problem(node.id, name, f"{option}: it is linked to the constant {constant}", "set that one's value")]
    try:
        node.set_parameter(name, _parse(value, node, name))
    except ParameterError as error:
        return [Problem(node.id, name, f"{option}: {error}")]
    return [problem for problem in map(partial(_follow, graph, node, option), graph.constants) if problem]


def _follow(graph: Graph, constant: Node, option: str, target: Tuple[str, str]) -> Optional[Problem]:
    """Give a parameter the new value of the constant that is linked to it."""
    if graph.constants[target] != constant.id:
        return None
    node_id, name = target
    try:
        graph.nodes[node_id].set_parameter(name, constant.parameter_values()["value"])
    except ParameterError as error:
        return Problem(node_id, name, f"{option}: {error}")
    return None


def _parse(value: str, node: Node, name: str) -> Any:
    """Text for text parameters; JSON (numbers, lists, true) for all others, or the text where it is none."""
    if node.parameters[name].annotation is str:
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return {"True": True, "False": False}.get(value, value)
