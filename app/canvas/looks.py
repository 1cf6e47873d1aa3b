"""What the canvas shows of a node, from its declaration and its entry in the document. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple, Type

from runtime.graph import is_link, present_output, split_inputs
from runtime.node import Node
from runtime.ports import ANY, STREAM, PortType
from runtime.workflow import NodeEntry, Workflow

IN, OUT = "in", "out"
PARAMETER = "parameter"
KNOWN, LOADING, MISSING = "known", "loading", "missing"

WireKey = Tuple[str, str]


@dataclass(frozen=True)
class PortLook:
    """One port of a node.

    Attributes:
        name: Its present name.
        side: ``in`` or ``out``.
        type: What travels through it, as declared.
        style: ``stream``, ``held``, ``trigger``, or ``parameter`` for a constant that sets a parameter.
        optional: True if the node does without a wire.
        doc: One line.
        stray: True if a wire uses a port that the node type does not declare.
    """

    name: str
    side: str
    type: PortType = ANY
    style: str = STREAM
    optional: bool = False
    doc: str = ""
    stray: bool = False


@dataclass(frozen=True)
class NodeLook:
    """A node, ready to be drawn; equal looks are drawn alike."""

    id: str
    title: str
    subtitle: str
    category: str
    state: str
    inputs: Tuple[PortLook, ...]
    outputs: Tuple[PortLook, ...]
    muted: bool
    collapsed: bool
    is_reroute: bool

    @property
    def note(self) -> str:
        """What is out of the ordinary, shown behind the subtitle."""
        return {LOADING: "  loading", MISSING: "  missing"}.get(self.state, "  muted" if self.muted else "")

    def port(self, name: str, side: str) -> Optional[PortLook]:
        """The port of this name."""
        ports = self.inputs if side == IN else self.outputs
        return next((port for port in ports if port.name == name), None)


@dataclass(frozen=True)
class WireLook:
    """One wire. ``key`` is the input's name in the document, which may be an earlier one than ``port``."""

    source: str
    output: str
    target: str
    port: str
    key: str
    label: str

    @property
    def place(self) -> WireKey:
        """Where the wire stands in the document."""
        return (self.target, self.key)


def node_look(
    entry: NodeEntry, node_class: Optional[Type[Node]], loading: bool, used_outputs: Sequence[str]
) -> NodeLook:
    """The look of an entry.

    Args:
        entry: The node in the document.
        node_class: Its type, or ``None`` where it is not known.
        loading: True while node types are loading.
        used_outputs: Names of the outputs from which wires leave.
    """
    state = KNOWN if node_class is not None else LOADING if loading else MISSING
    category = node_class.category if node_class is not None else ""
    title = entry.title or (node_class.title if node_class is not None else entry.class_type)
    return NodeLook(
        id=entry.id,
        title=title,
        subtitle=f"{entry.id} · {entry.class_type}",
        category=category,
        state=state,
        inputs=tuple(_inputs(entry, node_class)),
        outputs=tuple(_outputs(node_class, used_outputs)),
        muted=entry.extra.get("muted") is True,
        collapsed=entry.extra.get("collapsed") is True,
        is_reroute=node_class is not None and node_class.__name__ == "RerouteNode",
    )


def _inputs(entry: NodeEntry, node_class: Optional[Type[Node]]) -> List[PortLook]:
    linked = [input_name(node_class, key) for key, value in entry.inputs.items() if is_link(value)]
    if node_class is None:
        return [PortLook(name, IN) for name in linked]
    ports = [
        PortLook(name, IN, port.type, port.kind, port.optional or node_class.fires_on == "any", port.doc)
        for name, port in node_class.inputs.items()
    ]
    return ports + [_undeclared_input(node_class, name) for name in linked if name not in node_class.inputs]


def _undeclared_input(node_class: Type[Node], name: str) -> PortLook:
    parameter = node_class.parameters.get(name)
    if parameter is None:
        return PortLook(name, IN, stray=True)
    return PortLook(name, IN, style=PARAMETER, optional=True, doc=parameter.doc)


def _outputs(node_class: Optional[Type[Node]], used: Sequence[str]) -> List[PortLook]:
    if node_class is None:
        return [PortLook(name, OUT) for name in used]
    ports = [PortLook(name, OUT, port.type, doc=port.doc) for name, port in node_class.outputs.items()]
    names = [present_output(node_class, name) for name in used]
    return ports + [PortLook(name, OUT, stray=True) for name in dict.fromkeys(names) if name not in node_class.outputs]


def input_name(node_class: Optional[Type[Node]], key: str) -> str:
    """The present name of an input that may be given by an earlier one."""
    if node_class is None:
        return key
    on_ports, others = split_inputs(NodeEntry("", "", {key: None}), node_class)
    return next(iter({**on_ports, **others}))


def input_key(entry: NodeEntry, node_class: Optional[Type[Node]], port: str) -> str:
    """The name under which the document holds an input; its present one where it holds none."""
    return next((key for key in entry.inputs if input_name(node_class, key) == port), port)


def wire_looks(entry: NodeEntry, classes: Mapping[str, Optional[Type[Node]]]) -> List[WireLook]:
    """The wires into a node. ``classes`` holds the node types by id; wires from ids that it lacks are left out."""
    labels: Dict[str, Any] = entry.extra.get("wire_labels", {})
    found = []
    for key, value in entry.inputs.items():
        if is_link(value) and value[0] in classes:
            source, raw = value
            source_class = classes[source]
            output = present_output(source_class, raw) if source_class is not None else raw
            port = input_name(classes[entry.id], key)
            found.append(WireLook(source, output, entry.id, port, key, str(labels.get(key, ""))))
    return found


def used_outputs(workflow: Workflow) -> Dict[str, List[str]]:
    """Names of the outputs from which wires leave, by node."""
    found: Dict[str, List[str]] = {}
    for entry in workflow.nodes.values():
        for value in entry.inputs.values():
            if is_link(value) and value[1] not in found.setdefault(value[0], []):
                found[value[0]].append(value[1])
    return found


def fed_by(workflow: Workflow, node_ids: Set[str]) -> Set[str]:
    """Ids of the nodes with a wire from one of these."""
    return {
        entry.id
        for entry in workflow.nodes.values()
        if any(is_link(value) and value[0] in node_ids for value in entry.inputs.values())
    }
