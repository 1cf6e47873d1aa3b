"""Makes nodes and wires of a workflow document, and names everything that it says wrongly."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Tuple

from .constant_node import ConstantNode
from .errors import ParameterError
from .graph import Graph, given_twice, is_link, present_output, split_inputs
from .muting import MUTED, bypass
from .node import ANY_INPUT, Node
from .problems import Problem
from .registry import NodeRegistry
from .scheduler.machine import Link
from .suggest import did_you_mean
from .workflow import NodeEntry, Workflow


def resolve_workflow(workflow: Workflow, registry: NodeRegistry) -> Tuple[Graph, List[Problem]]:
    """The graph as far as it could be built, and what is wrong with single nodes, parameters and wires."""
    resolver = _Resolver(workflow, registry)
    for entry in workflow.nodes.values():
        resolver.add_node(entry)
    for node_id, on_ports in resolver.inputs.items():
        for port, value in on_ports.items():
            resolver.add_link(node_id, port, value)
    resolver.problems += _check_wiring(resolver.graph, resolver.inputs)
    resolver.problems += _bypass_muted(resolver.graph, workflow)
    return resolver.graph, resolver.problems


class _Resolver:
    """A graph in the making."""

    def __init__(self, workflow: Workflow, registry: NodeRegistry):
        self.workflow, self.registry = workflow, registry
        self.graph = Graph()
        self.problems: List[Problem] = []
        self.inputs: Dict[str, Dict[str, Any]] = {}
        if not workflow.nodes:
            self._problem("", "", "it has no nodes", "add an environment, an agent and a trainer")

    def _problem(self, node_id: str, port: str, message: str, remedy: str = "") -> None:
        self.problems.append(Problem(node_id, port, message, remedy))

    # Nodes and parameters

    def add_node(self, entry: NodeEntry) -> None:
        """Make a node, and set its parameters."""
        node_class = self.registry.resolve(entry.class_type)
        if node_class is None:
            hint = self.registry.hint(entry.class_type)
            self._problem(entry.id, "", f"unknown node type {entry.class_type!r}{hint}", "'dnne nodes' lists the types")
            return
        node = node_class(entry.id, label=entry.title)
        on_ports, values = split_inputs(entry, node_class)
        for old, new in given_twice(entry, node_class):
            self._problem(entry.id, new, f"it is given twice, also by the name {old!r}", f"keep {new!r}")
        for name, value in values.items():
            self._set_parameter(node, name, value)
        self.graph.nodes[entry.id] = node
        self.inputs[entry.id] = on_ports

    def _set_parameter(self, node: Node, name: str, value: Any) -> None:
        if name not in node.parameters:
            known = list(node.parameters) + list(node.inputs)
            hint = did_you_mean(name, known)
            remedy = "" if hint else f"it has {', '.join(known) or 'none'}"
            what = "input port" if is_link(value) else "parameter"
            self._problem(node.id, name, f"unknown {what} {name!r}{hint}", remedy)
            return
        wrong = self._wrong_link(*value) if is_link(value) else None
        try:
            linked = is_link(value) and not wrong
            node.set_parameter(name, self._constant(value[0]) if linked else value)
            if linked:
                self.graph.constants[(node.id, name)] = value[0]
        except ParameterError as error:
            self._problem(node.id, name, *(wrong or (str(error),)))

    def _constant(self, source_id: str) -> Any:
        """The value of a constant that is linked to a parameter."""
        source = self.workflow.nodes[source_id]
        node_class = self.registry.resolve(source.class_type)
        assert node_class is not None
        _, values = split_inputs(source, node_class)
        return values.get("value", node_class.parameters["value"].default)

    def _wrong_link(self, source_id: str, port: str) -> Optional[Tuple[str, str]]:
        """Why these two texts are no link from a constant; they may be a plain value all the same."""
        entry = self.workflow.nodes.get(source_id)
        if entry is None:
            return f"it is linked to node {source_id!r}, which does not exist", f"there are {self._ids()}"
        node_class = self.registry.resolve(entry.class_type)
        name = f"node {source_id} ({entry.title or entry.class_type})"
        if node_class is None or not issubclass(node_class, ConstantNode):
            return f"{name} is no constant", "link a constant to a parameter"
        if present_output(node_class, port) not in node_class.outputs:
            return f"{name} has no output {port!r}", f"its outputs are {', '.join(node_class.outputs)}"
        return None

    def _ids(self) -> str:
        return ", ".join(self.workflow.nodes)

    # Wires

    def add_link(self, node_id: str, port: str, value: Any) -> None:
        """Wire what is given on an input port."""
        if isinstance(value, list) and value and all(is_link(item) for item in value):
            remedy = "wire them to an ORNode and its output here"
            self._problem(node_id, port, f"it has {len(value)} writers; an input has one", remedy)
        elif not is_link(value):
            self._problem(node_id, port, f"an input port cannot hold the value {value!r}", 'link it: ["id", "port"]')
        elif value[0] in self.graph.nodes:
            self._add_wire(node_id, port, *value)
        elif value[0] not in self.workflow.nodes:
            message = f"it is linked to node {value[0]!r}, which does not exist"
            self._problem(node_id, port, message, f"there are {self._ids()}")

    def _add_wire(self, node_id: str, port: str, source_id: str, source_port: str) -> None:
        source = self.graph.nodes[source_id]
        source_port = present_output(type(source), source_port)
        if source_port in source.outputs:
            self.graph.links.append(Link(source_id, source_port, node_id, port))
            return
        hint = did_you_mean(source_port, source.outputs)
        message = f"node {source_id} ({source.label}) has no output {source_port!r}{hint}"
        self._problem(node_id, port, message, f"its outputs are {', '.join(source.outputs) or 'none'}")


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
        if node.fires_on == ANY_INPUT:
            yield from _check_joined(graph, node)
            if node.inputs and not connected:
                yield Problem(node_id, "", "no input is connected", "connect at least one")
            continue
        for name, port in node.inputs.items():
            if name not in connected and not port.optional:
                yield Problem(node_id, name, "the input is not connected", f"link an output of type {port.type.name}")


def _check_joined(graph: Graph, node: Node) -> Iterable[Problem]:
    """A node that passes any of its inputs on joins values of one type."""
    if not any(port.same_as for port in node.outputs.values()):
        return
    links: List[Optional[Link]] = [graph.link_into(node.id, name) for name in node.inputs]
    wired = [(link, graph.output_type(link.source, link.source_port)) for link in links if link is not None]
    for link, given in wired[1:]:
        first, expected = wired[0]
        if not given.fits(expected):
            message = f"it gets {given.name}, but {first.target_port} gets {expected.name}"
            yield Problem(node.id, link.target_port, message, "join values of one type")


def _bypass_muted(graph: Graph, workflow: Workflow) -> Iterable[Problem]:
    muted = {node_id for node_id in graph.nodes if workflow.nodes[node_id].extra.get(MUTED)}
    for link in bypass(graph, muted):
        message = f"it is fed by node {link.source}, which is muted and has no input to pass through to it"
        yield Problem(link.target, link.target_port, message, f"unmute node {link.source}, or link another output")
