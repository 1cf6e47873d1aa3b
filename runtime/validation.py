"""Checks a workflow and returns every problem at once: where, what is wrong, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

from .constant_node import ConstantNode
from .errors import DeadlockError, ParameterError, WorkflowError
from .graph import Graph, is_link, present_output, split_inputs
from .muting import MUTED, bypass
from .node import ANY_INPUT, Node
from .ports import TRIGGERED
from .registry import NodeRegistry
from .scheduler.machine import DEFAULT_QUEUE_SIZE, Link
from .scheduler.static_schedule import NotStatic, derive
from .suggest import did_you_mean
from .workflow import NodeEntry, Workflow

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        node_id: The node, or empty for the workflow as a whole.
        port: The port or parameter, or empty.
        message: What is wrong.
        remedy: What would be right.
        severity: ``error`` (the workflow cannot run) or ``warning``.
        label: The node's title.
    """

    node_id: str
    port: str
    message: str
    remedy: str = ""
    severity: str = ERROR
    label: str = ""

    @property
    def text(self) -> str:
        """One line for the terminal."""
        name = f"node {self.node_id}" + (f" ({self.label})" if self.label else "") if self.node_id else "workflow"
        where = name + (f", {self.port}" if self.port else "")
        return f"{where}: {self.message}" + (f"; {self.remedy}" if self.remedy else "")


class InvalidWorkflow(WorkflowError):
    """A workflow cannot run; ``problems`` lists all reasons."""

    def __init__(self, problems: List[Problem]):
        self.problems = problems
        errors = [problem for problem in problems if problem.severity == ERROR]
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
        super().__init__(f"{count} in the workflow:\n" + "\n".join(f"  {problem.text}" for problem in errors))


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


def require_valid(problems: List[Problem]) -> None:
    """Raise `InvalidWorkflow` if there is an error among the problems."""
    if any(problem.severity == ERROR for problem in problems):
        raise InvalidWorkflow(problems)


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
    labelled = [_with_label(problem, workflow) for problem in problems]
    return graph, sorted(labelled, key=lambda problem: problem.severity != ERROR)


def resolve_workflow(workflow: Workflow, registry: NodeRegistry) -> Tuple[Graph, List[Problem]]:
    """Nodes with their parameters, and the wires between them; what `check_graph` finds is not looked for."""
    graph, problems = Graph(), []
    if not workflow.nodes:
        problems.append(Problem("", "", "it has no nodes", "add an environment, an agent and a trainer"))
    inputs: Dict[str, Dict[str, Any]] = {}
    for entry in workflow.nodes.values():
        node, on_ports = _build_node(entry, workflow, registry, problems)
        if node is not None:
            graph.nodes[entry.id] = node
            inputs[entry.id] = on_ports
    for node_id, on_ports in inputs.items():
        for port, value in on_ports.items():
            _add_link(graph, workflow, node_id, port, value, problems)
    problems += _check_wiring(graph, inputs)
    problems += _bypass_muted(graph, workflow)
    return graph, problems


def _bypass_muted(graph: Graph, workflow: Workflow) -> Iterable[Problem]:
    muted = {node_id for node_id in graph.nodes if workflow.nodes[node_id].extra.get(MUTED)}
    for link in bypass(graph, muted):
        message = f"it is fed by node {link.source}, which is muted and has no input to pass through to it"
        yield Problem(link.target, link.target_port, message, f"unmute node {link.source}, or link another output")


def check_graph(graph: Graph, earlier: Sequence[Problem] = ()) -> List[Problem]:
    """Problems of a wired graph: sizes, savers, rings without a way in.

    Args:
        graph: The graph, as far as it could be built.
        earlier: What is wrong already; its consequences further down the wires are not reported again.
    """
    graph.wire()
    problems = list(_check_cycles(graph)) + list(_check_savers(graph))
    findings = {node_id: list(node.check(graph.input_specs(node_id))) for node_id, node in graph.nodes.items()}
    causes = {problem.node_id for problem in earlier} | {node_id for node_id, found in findings.items() if found}
    consequences = _below(graph, causes)
    known = {(problem.node_id, problem.port) for problem in earlier}
    for node_id, found in findings.items():
        for port, message, remedy in found if node_id not in consequences else ():
            if (node_id, port) not in known:
                problems.append(Problem(node_id, port, message, remedy))
    if not problems and not earlier:
        problems += _check_schedule(graph)
    return problems


def _below(graph: Graph, causes: Set[str]) -> Set[str]:
    """Nodes that know nothing of an input because a node above them is not in order."""
    below: Set[str] = set()
    grown = True
    while grown:
        grown = False
        for link in graph.links:
            unknown = (link.source, link.source_port) not in graph.specs
            if unknown and link.source in causes | below and link.target not in below:
                below.add(link.target)
                grown = True
    return below


def _with_label(problem: Problem, workflow: Workflow) -> Problem:
    entry = workflow.nodes.get(problem.node_id)
    label = (entry.title or entry.class_type) if entry else ""
    return Problem(problem.node_id, problem.port, problem.message, problem.remedy, problem.severity, label)


# Nodes and parameters


def _build_node(
    entry: NodeEntry, workflow: Workflow, registry: NodeRegistry, problems: List[Problem]
) -> Tuple[Optional[Node], Dict[str, Any]]:
    node_class = registry.resolve(entry.class_type)
    if node_class is None:
        hint = registry.hint(entry.class_type)
        problems.append(Problem(entry.id, "", f"unknown node type {entry.class_type!r}{hint}", ""))
        return None, {}
    on_ports, values = split_inputs(entry, node_class)
    node = node_class(entry.id, label=entry.title)
    for name, value in values.items():
        problem = _set_parameter(node, name, _constant(value, workflow, registry))
        if problem:
            problems.append(problem)
    return node, on_ports


def _constant(value: Any, workflow: Workflow, registry: NodeRegistry) -> Any:
    """The constant that is linked to a parameter; any other value as it is."""
    source = workflow.nodes.get(value[0]) if is_link(value) else None
    node_class = registry.resolve(source.class_type) if source is not None else None
    if source is None or node_class is None or not issubclass(node_class, ConstantNode):
        return value
    _, values = split_inputs(source, node_class)
    return values.get("value", node_class.parameters["value"].default)


def _set_parameter(node: Node, name: str, value: Any) -> Optional[Problem]:
    if name not in node.parameters:
        known = list(node.parameters) + list(node.inputs)
        what = "input port" if is_link(value) else "parameter"
        remedy = f"it has {', '.join(known)}" if known else "it has none"
        return Problem(node.id, name, f"unknown {what} {name!r}{did_you_mean(name, known)}", remedy)
    try:
        node.set_parameter(name, value)
    except ParameterError as error:
        return Problem(node.id, name, str(error))
    return None


# Wires


def _add_link(
    graph: Graph, workflow: Workflow, node_id: str, port: str, value: Any, problems: List[Problem]
) -> None:
    if isinstance(value, list) and value and all(is_link(item) for item in value):
        remedy = "wire them to an ORNode and its output here"
        problems.append(Problem(node_id, port, f"it has {len(value)} writers; an input has one", remedy))
        return
    if not is_link(value):
        problems.append(Problem(node_id, port, f"an input port cannot hold the value {value!r}", 'link it: ["id", "port"]'))
        return
    source_id, source_port = value
    source = graph.nodes.get(source_id)
    if source is None:
        if source_id not in workflow.nodes:
            known = ", ".join(workflow.nodes)
            problems.append(Problem(node_id, port, f"it is linked to node {source_id!r}, which does not exist", f"there are {known}"))
        return
    source_port = present_output(type(source), source_port)
    if source_port not in source.outputs:
        hint = did_you_mean(source_port, source.outputs)
        remedy = f"its outputs are {', '.join(source.outputs) or 'none'}"
        message = f"node {source_id} ({source.label}) has no output {source_port!r}{hint}"
        problems.append(Problem(node_id, port, message, remedy))
        return
    graph.links.append(Link(source_id, source_port, node_id, port))


def _check_wiring(graph: Graph, inputs: Dict[str, Dict[str, Any]]) -> Iterable[Problem]:
    for link in graph.links:
        given = graph.output_type(link.source, link.source_port)
        taken = graph.nodes[link.target].inputs[link.target_port].type
        if not given.fits(taken):
            source = graph.nodes[link.source]
            message = f"it takes {taken.name}, but {link.source} ({source.label}).{link.source_port} gives {given.name}"
            yield Problem(link.target, link.target_port, message, f"link an output of type {taken.name}")
    for node_id, node in graph.nodes.items():
        connected = inputs[node_id]
        if node.fires_on == ANY_INPUT and node.inputs and not connected:
            yield Problem(node_id, "", "no input is connected", "connect at least one")
        for name, port in node.inputs.items():
            if name not in connected and not port.optional and node.fires_on != ANY_INPUT:
                yield Problem(node_id, name, "the input is not connected", f"link an output of type {port.type.name}")


# The graph as a whole


def _check_cycles(graph: Graph) -> Iterable[Problem]:
    """A ring of gating inputs can only start where an OR node lets the first value in."""
    for ring in _rings(graph):
        names = " → ".join(f"{node_id} ({graph.nodes[node_id].label})" for node_id in ring + ring[:1])
        message = f"a cycle without an OR node can never start: {names}"
        yield Problem(ring[0], "", message, "let an ORNode take the first value and the one that comes round")


def _rings(graph: Graph) -> List[List[str]]:
    waits: Dict[str, List[str]] = {node_id: [] for node_id in graph.nodes}
    for link in graph.links:
        gates = graph.nodes[link.target].inputs[link.target_port].kind != TRIGGERED
        free = graph.nodes[link.target].fires_on == ANY_INPUT
        starts = graph.nodes[link.source].outputs[link.source_port].initially
        if gates and not free and not starts:
            waits[link.target].append(link.source)
    rings, done = [], set()
    for start in waits:
        ring = _find_ring(start, waits, done)
        if ring:
            rings.append(ring)
    return rings


def _find_ring(start: str, waits: Dict[str, List[str]], done: set) -> List[str]:
    if start in done:
        return []
    path = [start]
    stack = [iter(waits[start])]
    while stack:
        following = next(stack[-1], None)
        if following is None:
            stack.pop()
            done.add(path.pop())
        elif following in path:
            ring = path[path.index(following) :]
            done.update(path)
            return ring[::-1]
        elif following not in done:
            path.append(following)
            stack.append(iter(waits[following]))
    return []


def _check_savers(graph: Graph) -> Iterable[Problem]:
    savers: Dict[str, str] = {}
    for node_id, node in graph.nodes.items():
        saved = node.saves_state_of(graph.owners_of(node_id))
        if saved is None:
            continue
        if saved in savers:
            message = f"it saves the state of node {saved}, which node {savers[saved]} saves too"
            yield Problem(node_id, "checkpoint_enabled", message, "switch one of them off: they would write one folder")
        savers[saved] = node_id


def _check_schedule(graph: Graph) -> List[Problem]:
    """Run the firing rules with tokens: a deadlock that does not depend on values shows before the run."""
    try:
        derive(list(graph.nodes.values()), graph.links, DEFAULT_QUEUE_SIZE)
    except DeadlockError as error:
        return [Problem("", "", str(error), "give the ring a way in, or another order of waiting")]
    except NotStatic:
        return []
    return []
