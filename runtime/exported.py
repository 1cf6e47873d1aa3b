"""Makes the graph of an exported ``runner.py``, from node classes that a person may have edited and a list of wires."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any, Dict, Iterable, List, Sequence, Tuple, Type

from .errors import ParameterError, WorkflowError
from .graph import Graph
from .node import Node
from .registry import NodeRegistry
from .suggest import did_you_mean
from .validation import Problem, require_valid, resolve_workflow
from .workflow import NodeEntry, Workflow

Wire = Tuple[str, str, str, str]


def assemble(nodes: Sequence[Node], links: Sequence[Wire]) -> Graph:
    """The graph of an export; sizes are not checked yet, since options may still change parameters.

    Args:
        nodes: Instances of the generated classes.
        links: (id of a node, its output, id of another node, its input). An input may be a parameter, where the first
            node is a constant.

    Raises:
        ParameterError: A generated class sets something that is no parameter.
        WorkflowError: Ids, ports or wires are wrong; lists every problem.
    """
    for node in nodes:
        check_edits(type(node))
    workflow = _document(nodes, links)
    registry = NodeRegistry()
    registry.types = {type(node).__name__: type(node) for node in nodes}
    graph, problems = resolve_workflow(workflow, registry)
    require_valid([_with_label(problem, graph) for problem in problems])
    return graph


def check_edits(node_class: Type[Node]) -> None:
    """Refuse values of a generated class that would have no effect: misspelt names, and ``name: value``.

    Raises:
        ParameterError: Names what was meant.
    """
    base, own = node_class.__mro__[1], vars(node_class)
    for name, value in own.items():
        known = name in node_class.parameters or hasattr(base, name)
        if name.startswith("_") or known or _is_behaviour(value):
            continue
        hint = did_you_mean(name, node_class.parameters)
        raise ParameterError(f"{node_class.__name__} has no parameter {name!r}{hint}{_where(node_class)}")
    for name in own.get("__annotations__", {}):
        if name not in own:
            raise ParameterError(
                f"{node_class.__name__}.{name} has an annotation, but no value; write {name} = ...{_where(node_class)}"
            )


def _is_behaviour(value: Any) -> bool:
    return callable(value) or isinstance(value, (property, classmethod, staticmethod)) or hasattr(value, "__set_name__")


def _where(node_class: Type[Node]) -> str:
    return f" (in {inspect.getsourcefile(node_class)})"


def _document(nodes: Sequence[Node], links: Sequence[Wire]) -> Workflow:
    entries: Dict[str, NodeEntry] = {}
    for node in nodes:
        if node.id in entries:
            both = f"{entries[node.id].class_type} and {type(node).__name__}"
            raise WorkflowError(f"two nodes have the id {node.id!r}: {both}")
        entries[node.id] = NodeEntry(node.id, type(node).__name__, node.parameter_values(), node.label)
    for (target, port), sources in _by_input(links, entries).items():
        entries[target].inputs[port] = sources[0] if len(sources) == 1 else sources
    return Workflow(nodes=entries)


def _by_input(links: Sequence[Wire], known: Iterable[str]) -> Dict[Tuple[str, str], List[List[str]]]:
    inputs: Dict[Tuple[str, str], List[List[str]]] = {}
    for link in links:
        if len(link) != 4 or not all(isinstance(part, str) for part in link):
            raise WorkflowError(f"the link {link!r} is wrong; expected (node id, its output, node id, its input)")
        source, output, target, port = link
        if target not in known:
            listed = ", ".join(known)
            raise WorkflowError(f"the link {link!r} leads to node {target!r}, which does not exist; there are {listed}")
        inputs.setdefault((target, port), []).append([source, output])
    return inputs


def _with_label(problem: Problem, graph: Graph) -> Problem:
    node = graph.nodes.get(problem.node_id)
    return replace(problem, label=node.label) if node is not None else problem
