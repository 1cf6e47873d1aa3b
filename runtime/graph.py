"""A workflow with its node types resolved: instances, wires, and what is known of the values on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple, Type

from .errors import WorkflowError
from .node import Node
from .ports import Out, PortType
from .scheduler.machine import Link
from .specs import UNKNOWN, Spec, Specs
from .suggest import did_you_mean
from .workflow import NodeEntry, Workflow


@dataclass
class Graph:
    """Nodes by id in file order, and the wires between them.

    Attributes:
        specs: What is known of each output, by node id and port.
        infer_errors: What went wrong while a node inferred its specs, by node id.
    """

    nodes: Dict[str, Node] = field(default_factory=dict)
    links: List[Link] = field(default_factory=list)
    specs: Dict[Tuple[str, str], Spec] = field(default_factory=dict)
    constants: Dict[Tuple[str, str], str] = field(default_factory=dict)
    infer_errors: Dict[str, Exception] = field(default_factory=dict)

    def find(self, reference: str) -> Node:
        """The node with this id, or else this title or type where it is the only one.

        Case and all but letters and digits do not count, nor the ``Node`` at the end of a type.

        Raises:
            WorkflowError: None, or several, match.
        """
        if reference in self.nodes:
            return self.nodes[reference]
        matches = [node_id for node_id, node in self.nodes.items() if _folded(reference) in _names_of(node)]
        if len(matches) == 1:
            return self.nodes[matches[0]]
        listed = ", ".join(f"{node_id} ({node.label})" for node_id, node in self.nodes.items())
        if matches:
            raise WorkflowError(
                f"the nodes {', '.join(matches)} all match {reference!r}; give an id; there are {listed}"
            )
        hint = did_you_mean(reference, [node.label for node in self.nodes.values()])
        raise WorkflowError(f"there is no node {reference!r}{hint}; there are {listed}")

    def link_into(self, node_id: str, port: str) -> Optional[Link]:
        """The wire that ends at an input port."""
        return next((link for link in self.links if link.target == node_id and link.target_port == port), None)

    def owners_of(self, node_id: str) -> Dict[str, str]:
        """Ids of the nodes whose values a node receives, by its port; behind nodes that only pass them through."""
        return {
            link.target_port: self.origin(link.source, link.source_port)[0]
            for link in self.links
            if link.target == node_id
        }

    def input_specs(self, node_id: str) -> Dict[str, Spec]:
        """What is known of a node's connected inputs; looking up any other gives an unknown spec."""
        return Specs(
            (link.target_port, self.specs.get((link.source, link.source_port), UNKNOWN))
            for link in self.links
            if link.target == node_id
        )

    def output_type(self, node_id: str, port: str, depth: int = 0) -> PortType:
        """Type of an output; one that passes an input through has the type of what is wired there."""
        node = self.nodes[node_id]
        declared: Out = node.outputs[port]
        if not declared.same_as or depth > len(self.nodes):
            return declared.type
        names = list(node.inputs) if node.fires_on == "any" else [declared.same_as]
        for name in names:
            link = self.link_into(node_id, name)
            if link is not None and link.source_port in self.nodes[link.source].outputs:
                return self.output_type(link.source, link.source_port, depth + 1)
        return declared.type

    def origin(self, node_id: str, port: str) -> Tuple[str, str]:
        """The output that a value really comes from, behind nodes that only pass it through."""
        for _ in range(len(self.nodes)):
            same_as = self.nodes[node_id].outputs[port].same_as
            link = self.link_into(node_id, same_as) if same_as else None
            if link is None:
                break
            node_id, port = link.source, link.source_port
        return node_id, port

    def wire(self) -> None:
        """Tell every node which of its ports are connected, infer all specs, and hand them out."""
        for node_id, node in self.nodes.items():
            incoming = {link.target_port for link in self.links if link.target == node_id}
            outgoing = {link.source_port for link in self.links if link.source == node_id}
            node.connected = frozenset(incoming | outgoing)
        self.infer_specs()
        for node_id, node in self.nodes.items():
            node.input_specs = self.input_specs(node_id)

    def infer_specs(self) -> None:
        """Propagate specs along the wires until nothing changes (cycles settle within as many rounds as nodes)."""
        self.specs, self.infer_errors = {}, {}
        for _ in range(len(self.nodes) + 1):
            before = dict(self.specs)
            for node in self.nodes.values():
                self._infer(node)
            if self.specs == before:
                return

    def _infer(self, node: Node) -> None:
        try:
            inferred = node.infer(self.input_specs(node.id))
        except Exception as error:  # noqa: BLE001 - reported with the other problems, by `check_graph`
            self.infer_errors[node.id] = error
            return
        self.specs.update({(node.id, port): spec for port, spec in inferred.items()})


def _names_of(node: Node) -> List[str]:
    names = [_folded(name) for name in (node.label, node.title, node.type_name)]
    return [*names, *(name[: -len("node")] for name in names[2:] if name.endswith("node"))]


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def graph_to_workflow(graph: Graph, origin: Workflow) -> Workflow:
    """The document of a graph with every parameter written out; all else is as in ``origin``, muted nodes included."""
    nodes = {}
    for node_id, entry in origin.nodes.items():
        node = graph.nodes.get(node_id)
        if node is None:
            nodes[node_id] = entry
            continue
        on_ports, _ = split_inputs(entry, type(node))
        inputs = {**on_ports, **node.parameter_values()}
        nodes[node_id] = NodeEntry(node_id, node.type_name, inputs, node.label, entry.position, entry.extra)
    return Workflow(origin.name, nodes, origin.groups, origin.view, origin.extra)


def split_inputs(entry: NodeEntry, node_class: Type[Node]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """An entry's inputs as (values given on ports, all other values), earlier names replaced by present ones."""
    ports = _present_names(node_class.inputs)
    parameters = _present_names(node_class.parameters)
    on_ports: Dict[str, Any] = {}
    others: Dict[str, Any] = {}
    for key, value in entry.inputs.items():
        if key in ports:
            on_ports[ports[key]] = value
        else:
            others[parameters.get(key, key)] = value
    return on_ports, others


def given_twice(entry: NodeEntry, node_class: Type[Node]) -> List[Tuple[str, str]]:
    """(earlier name, present name) of inputs that an entry gives by both."""
    names = {**_present_names(node_class.parameters), **_present_names(node_class.inputs)}
    given: Dict[str, str] = {}
    twice = []
    for key in entry.inputs:
        present = names.get(key, key)
        if present in given:
            twice.append((given[present] if key == present else key, present))
        given[present] = key
    return twice


def _present_names(declared: Mapping[str, Any]) -> Dict[str, str]:
    names = {old: name for name, item in declared.items() for old in item.replaces}
    names.update({name: name for name in declared})
    return names


def present_output(node_class: Type[Node], port: str) -> str:
    """The present name of an output port that may be given by an earlier one."""
    return _present_names(node_class.outputs).get(port, port)


def is_link(value: Any) -> bool:
    """True for ``["id", "port"]``."""
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value)
