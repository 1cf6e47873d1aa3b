"""Changes to a graph's parameters: ``NODE.PARAM=VALUE``, configuration files, presets and ``--num-envs``."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..errors import ParameterError, WorkflowError
from ..graph import Graph
from ..node import Node
from ..suggest import did_you_mean
from ..validation import Problem

COMMAND_LINE = ("", "--set")
"""Origins of what was written on the command line."""


class Assignment(NamedTuple):
    """A value for a parameter.

    Attributes:
        origin: Where it was given, for messages: ``--set``, ``my.yaml:``.
        node: Id, title or type; ``None`` for every node that has the parameter.
        name: The parameter.
        value: As text from a command line, or as a value of YAML.
        is_text: The value is text that stands for a value of the parameter's type.
        key: What was written, where that is not ``node.name``.
        optional: A workflow without such a node is no problem.
    """

    origin: str
    node: Optional[str]
    name: str
    value: Any
    is_text: bool = True
    key: str = ""
    optional: bool = False

    @property
    def text(self) -> str:
        """As it was written."""
        key = self.key or (self.name if self.node is None else f"{self.node}.{self.name}")
        return f"{self.origin} {key}={self.value}".strip()

    @property
    def place(self) -> str:
        """The file, or the command line with all its ways to set a parameter."""
        return "" if self.origin in COMMAND_LINE else self.origin


def parse_assignment(text: str, origin: str = "--set") -> Assignment:
    """``NODE.PARAM=VALUE``; the node may have dots in its name."""
    target, _, value = text.partition("=")
    node, _, name = target.rpartition(".")
    return Assignment(origin, node, name, value)


def apply_overrides(graph: Graph, assignments: Sequence[Assignment]) -> List[Problem]:
    """Set parameters of a graph's nodes, in order, and return what could not be done."""
    problems: List[Problem] = []
    for assignment in assignments:
        problems += _assign(graph, assignment)
    return problems


def assigned(graph: Graph, assignments: Sequence[Assignment]) -> Set[Tuple[str, str]]:
    """(node id, parameter) of all that good assignments have set, those linked to an assigned constant included."""
    found = set()
    for assignment in assignments:
        for node in _targets(graph, assignment):
            followers = (target for target, constant in graph.constants.items() if constant == node.id)
            found |= {(node.id, assignment.name), *followers}
    return found


def _targets(graph: Graph, assignment: Assignment) -> List[Node]:
    if assignment.node is not None:
        return [graph.find(assignment.node)]
    return [node for node in graph.nodes.values() if assignment.name in node.parameters]


def find_targets(graph: Graph, assignment: Assignment) -> Tuple[List[Node], List[Problem]]:
    """The nodes whose parameter it sets, and why there is none, or not this one."""
    try:
        nodes = _targets(graph, assignment)
    except WorkflowError as error:
        return [], [Problem("", "", f"{assignment.text}: {error}")]
    if not nodes and not assignment.optional:
        what = "has environments" if assignment.name == "num_envs" else f"has the parameter {assignment.name!r}"
        return [], [Problem("", "", f"{assignment.text}: no node of this workflow {what}")]
    strange = [_unknown_parameter(graph, node, assignment) for node in nodes if assignment.name not in node.parameters]
    return [node for node in nodes if assignment.name in node.parameters], strange


def overruled(graph: Graph, assignments: Sequence[Assignment]) -> List[str]:
    """What was given, and does not count as the same place gives another value for the same parameter after it."""
    texts: List[str] = []
    given: Dict[Tuple[str, str, str], Assignment] = {}
    for assignment in assignments:
        for node in find_targets(graph, assignment)[0]:
            target = (assignment.place, node.id, assignment.name)
            earlier = given.get(target)
            if earlier is not None and str(earlier.value) != str(assignment.value):
                texts.append(f"{earlier.text} does not count for {node.label}: {assignment.text} comes after it")
            given[target] = assignment
    return texts


def _assign(graph: Graph, assignment: Assignment) -> Iterator[Problem]:
    nodes, problems = find_targets(graph, assignment)
    yield from problems
    for node in nodes:
        yield from _assign_to(graph, node, assignment)


def _unknown_parameter(graph: Graph, node: Node, assignment: Assignment) -> Problem:
    name = assignment.name
    hint = elsewhere(graph, name) or did_you_mean(name, node.parameters)
    known = "" if hint else f"it has {', '.join(node.parameters) or 'none'}"
    return Problem(node.id, name, f"{assignment.text}: unknown parameter {name!r}{hint}", known)


def _assign_to(graph: Graph, node: Node, assignment: Assignment) -> Iterator[Problem]:
    name, text = assignment.name, assignment.text
    constant = graph.constants.get((node.id, name))
    if constant is not None:
        yield Problem(node.id, name, f"{text}: it is linked to the constant {constant}", "set that one's value")
        return
    try:
        node.set_parameter(name, _value(assignment, node))
    except ParameterError as error:
        yield Problem(node.id, name, f"{text}: {error}")
        return
    yield from filter(None, map(partial(_follow, graph, node, text), graph.constants))


def elsewhere(graph: Graph, name: str) -> str:
    """``"; did you mean Trainer.learning_rate?"`` where other nodes have the parameter, else an empty string."""
    owners = [node for node in graph.nodes.values() if name in node.parameters]
    labels = [node.label for node in owners]
    names = [f"{node.label if labels.count(node.label) == 1 else node.id}.{name}" for node in owners]
    return f"; did you mean {' or '.join(names)}?" if names else ""


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


def _value(assignment: Assignment, node: Node) -> Any:
    """The value in a parameter's type, as far as text or YAML leave that open."""
    value, is_for_text = assignment.value, node.parameters[assignment.name].annotation is str
    if not assignment.is_text:
        return str(value) if is_for_text and type(value) in (int, float) else value
    return value if is_for_text else _parse(value)


def _parse(value: str) -> Any:
    """JSON (numbers, lists, true), or the text where it is none."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return {"True": True, "False": False}.get(value, value)
