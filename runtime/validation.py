"""Checks a workflow and returns every problem at once: where, what is wrong, and what would be right."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, List, Optional, Tuple

from .graph import Graph
from .graph_checks import check_graph
from .problems import ERROR, WARNING, InvalidWorkflow, Problem, require_valid
from .registry import NodeRegistry
from .resolving import resolve_workflow
from .workflow import Workflow

__all__ = [
    "ERROR", "WARNING", "Adjust", "InvalidWorkflow", "Problem", "build_graph", "check_graph", "check_workflow",
    "require_valid", "resolve_workflow", "validate",
]  # fmt: skip

Adjust = Callable[[Graph], List[Problem]]


def build_graph(workflow: Workflow, registry: NodeRegistry, adjust: Optional[Adjust] = None) -> Graph:
    """The graph of a valid workflow.

    Args:
        workflow: The document.
        registry: The node types.
        adjust: Changes parameters (``--set``) before sizes are checked, and returns what it could not do.

    Raises:
        InvalidWorkflow: With every problem that was found.
    """
    graph, problems = check_workflow(workflow, registry, adjust)
    require_valid(problems)
    return graph


def validate(workflow: Workflow, registry: NodeRegistry) -> List[Problem]:
    """Every problem of a workflow, errors first."""
    return check_workflow(workflow, registry)[1]


def check_workflow(
    workflow: Workflow, registry: NodeRegistry, adjust: Optional[Adjust] = None
) -> Tuple[Graph, List[Problem]]:
    """The graph as far as it could be built, and every problem."""
    graph, problems = resolve_workflow(workflow, registry)
    if adjust is not None:
        problems += adjust(graph)
    problems += check_graph(graph, problems)
    labelled = [_with_label(problem, workflow, graph) for problem in problems]
    return graph, sorted(labelled, key=lambda problem: problem.severity != ERROR)


def _with_label(problem: Problem, workflow: Workflow, graph: Graph) -> Problem:
    entry, node = workflow.nodes.get(problem.node_id), graph.nodes.get(problem.node_id)
    label = node.label if node is not None else (entry.title or entry.class_type) if entry is not None else ""
    return replace(problem, label=label)
