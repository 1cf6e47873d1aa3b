"""The edits that a person makes, each as a list of changes for `Document.edit`."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set, Tuple, Type

from runtime.graph import is_link
from runtime.node import Node
from runtime.workflow import NodeEntry, Workflow

from .changes import ABSENT, Change

Position = Tuple[float, float]
Target = Tuple[str, str]
Wire = Tuple[str, str, str, str]


def new_id(workflow: Workflow, taken: Iterable[str] = ()) -> str:
    """The smallest number above all numeric ids: ids are never used again within a session of edits."""
    numbers = [int(node_id) for node_id in [*workflow.nodes, *taken] if node_id.isascii() and node_id.isdigit()]
    return str(max(numbers, default=0) + 1)


def add_node(workflow: Workflow, node_class: Type[Node], position: Position) -> Tuple[str, List[Change]]:
    """Put a new node of a type on the canvas; returns its id and the changes."""
    node_id = new_id(workflow)
    entry = NodeEntry(node_id, node_class.type_name, {}, node_class.title, position)
    return node_id, [Change(("nodes", node_id), entry)]


def delete_nodes(workflow: Workflow, node_ids: Iterable[str]) -> List[Change]:
    """Remove nodes, and the wires from them into nodes that stay."""
    gone = set(node_ids)
    changes = [
        Change(("nodes", target, "inputs", port), ABSENT)
        for source, _, target, port in wires(workflow)
        if source in gone and target not in gone
    ]
    return changes + [Change(("nodes", node_id), ABSENT) for node_id in workflow.nodes if node_id in gone]


def connect(source: Target, target: Target) -> List[Change]:
    """Wire an output to an input; an input has one writer, so an earlier wire into it goes."""
    return [Change(("nodes", target[0], "inputs", target[1]), [source[0], source[1]])]


def disconnect(targets: Iterable[Target]) -> List[Change]:
    """Remove the wires into some inputs."""
    return [Change(("nodes", node_id, "inputs", port), ABSENT) for node_id, port in targets]


def move_nodes(positions: Mapping[str, Position]) -> List[Change]:
    """Put nodes at new places."""
    return [Change(("nodes", node_id, "position"), tuple(position)) for node_id, position in positions.items()]


def set_title(node_id: str, title: str) -> List[Change]:
    """Rename a node on the canvas."""
    return [Change(("nodes", node_id, "title"), title)]


def set_parameter(node_ids: Iterable[str], name: str, value: Any) -> List[Change]:
    """Give one parameter of one or several nodes a value."""
    return [Change(("nodes", node_id, "inputs", name), value) for node_id in node_ids]


def reset_parameter(node_ids: Iterable[str], name: str) -> List[Change]:
    """Let a parameter have its default again."""
    return [Change(("nodes", node_id, "inputs", name), ABSENT) for node_id in node_ids]


def set_flag(node_ids: Iterable[str], flag: str, on: bool) -> List[Change]:
    """Switch ``muted`` or ``collapsed`` of nodes."""
    return [Change(("nodes", node_id, "extra", flag), True if on else ABSENT) for node_id in node_ids]


def set_wire_label(target: Target, label: str, workflow: Workflow) -> List[Change]:
    """Write a text on the wire into an input; an empty one removes it."""
    labels = dict(workflow.nodes[target[0]].extra.get("wire_labels", {}))
    if label:
        labels[target[1]] = label
    else:
        labels.pop(target[1], None)
    return [Change(("nodes", target[0], "extra", "wire_labels"), labels or ABSENT)]


def insert_reroute(workflow: Workflow, wire: Wire, position: Position) -> Tuple[str, List[Change]]:
    """Put a reroute dot onto a wire."""
    source, source_port, target, port = wire
    node_id = new_id(workflow)
    entry = NodeEntry(node_id, "RerouteNode", {"value": [source, source_port]}, "Reroute", position)
    return node_id, [Change(("nodes", node_id), entry), *connect((node_id, "output"), (target, port))]


# Copies


def copy_nodes(workflow: Workflow, node_ids: Iterable[str], groups: Iterable[int] = ()) -> Dict[str, Any]:
    """Nodes as data for the clipboard, with the wires among them; wires from elsewhere are left out.

    Args:
        workflow: Where they stand.
        node_ids: The nodes.
        groups: Indices of the groups around them that go along.
    """
    chosen = [node_id for node_id in workflow.nodes if node_id in set(node_ids)]
    nodes = {}
    for node_id in chosen:
        entry = workflow.nodes[node_id]
        inputs = {name: value for name, value in entry.inputs.items() if not is_link(value) or value[0] in chosen}
        nodes[node_id] = {
            "class_type": entry.class_type,
            "title": entry.title,
            "position": list(entry.position),
            "inputs": deepcopy(inputs),
            "extra": deepcopy(entry.extra),
        }
    return {"dnne_nodes": 1, "nodes": nodes, "groups": [deepcopy(workflow.groups[index]) for index in groups]}


def paste_nodes(workflow: Workflow, clipboard: Mapping[str, Any], offset: Position) -> Tuple[List[str], List[Change]]:
    """New nodes from clipboard data, moved by ``offset``; wires among them lead to the copies.

    Raises:
        ValueError: The data holds no copied nodes.
    """
    nodes = clipboard.get("nodes") if isinstance(clipboard, Mapping) and clipboard.get("dnne_nodes") == 1 else None
    if not isinstance(nodes, Mapping) or not nodes:
        raise ValueError("the clipboard holds no nodes")
    names: Dict[str, str] = {}
    for old in nodes:
        names[old] = new_id(workflow, names.values())
    changes = [Change(("nodes", names[old]), _copied(names[old], data, names, offset)) for old, data in nodes.items()]
    groups = [_shifted(group, offset) for group in clipboard.get("groups", ())]
    if groups:
        changes.append(Change(("groups",), [*workflow.groups, *groups]))
    return list(names.values()), changes


def _shifted(group: Mapping[str, Any], offset: Position) -> Dict[str, Any]:
    x, y, *size = group["bounding"]
    return {**deepcopy(dict(group)), "bounding": [x + offset[0], y + offset[1], *size]}


def _copied(node_id: str, data: Mapping[str, Any], names: Mapping[str, str], offset: Position) -> NodeEntry:
    inputs = {
        name: [names[value[0]], value[1]] if is_link(value) and value[0] in names else deepcopy(value)
        for name, value in data["inputs"].items()
    }
    x, y = data["position"]
    position = (x + offset[0], y + offset[1])
    return NodeEntry(
        node_id, data["class_type"], inputs, data["title"], position, deepcopy(dict(data.get("extra", {})))
    )


# Groups


def add_group(workflow: Workflow, title: str, colour: str, bounding: Sequence[float]) -> List[Change]:
    """Put a titled backdrop behind nodes. ``bounding``: x, y, width, height."""
    group = {"title": title, "colour": colour, "bounding": list(bounding)}
    return [Change(("groups",), [*workflow.groups, group])]


def change_group(workflow: Workflow, index: int, **values: Any) -> List[Change]:
    """Give a group another title, colour or bounding."""
    groups = deepcopy(workflow.groups)
    groups[index].update(values)
    return [Change(("groups",), groups)]


def delete_group(workflow: Workflow, index: int) -> List[Change]:
    """Remove a group; its nodes stay."""
    return [Change(("groups",), [group for i, group in enumerate(workflow.groups) if i != index])]


# Arranging

Size = Tuple[float, float]


def align(workflow: Workflow, sizes: Mapping[str, Size], edge: str) -> List[Change]:
    """Bring nodes to one line: ``left``, ``right``, ``top``, ``bottom``, ``centre`` (x) or ``middle`` (y).

    Args:
        workflow: Gives the present positions.
        sizes: Width and height of the chosen nodes.
        edge: Which edge or axis.
    """
    axis = 0 if edge in ("left", "right", "centre") else 1
    share = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0, "centre": 0.5, "middle": 0.5}[edge]
    anchors = {node_id: workflow.nodes[node_id].position[axis] + share * sizes[node_id][axis] for node_id in sizes}
    goal = {0.0: min, 1.0: max}.get(share, lambda values: sum(values) / len(values))(list(anchors.values()))
    return move_nodes({node_id: _moved(workflow, node_id, axis, goal - anchors[node_id]) for node_id in sizes})


def distribute(workflow: Workflow, sizes: Mapping[str, Size], axis: int) -> List[Change]:
    """Make the gaps between three or more nodes equal; the outermost stay. ``axis``: 0 across, 1 down."""
    ordered = sorted(sizes, key=lambda node_id: workflow.nodes[node_id].position[axis])
    if len(ordered) < 3:
        return []
    first, last = (workflow.nodes[node_id].position[axis] for node_id in (ordered[0], ordered[-1]))
    taken = sum(sizes[node_id][axis] for node_id in ordered[:-1])
    gap = (last - first - taken) / (len(ordered) - 1)
    positions, place = {}, first
    for node_id in ordered:
        positions[node_id] = _moved(workflow, node_id, axis, place - workflow.nodes[node_id].position[axis])
        place += sizes[node_id][axis] + gap
    return move_nodes(positions)


def _moved(workflow: Workflow, node_id: str, axis: int, distance: float) -> Position:
    x, y = workflow.nodes[node_id].position
    return (x + distance, y) if axis == 0 else (x, y + distance)


# Looking


def wires(workflow: Workflow) -> List[Wire]:
    """(source id, output, target id, input) of every wire between nodes that exist."""
    found = []
    for entry in workflow.nodes.values():
        for name, value in entry.inputs.items():
            if is_link(value) and value[0] in workflow.nodes:
                found.append((value[0], value[1], entry.id, name))
    return found


def feedback_wires(workflow: Workflow) -> Set[Target]:
    """(target id, input) of the wires that close a cycle, by depth-first search from the nodes without inputs."""
    outgoing: Dict[str, List[Wire]] = {node_id: [] for node_id in workflow.nodes}
    for wire in wires(workflow):
        outgoing[wire[0]].append(wire)
    fed = {target for _, _, target, _ in wires(workflow)}
    order = [node_id for node_id in workflow.nodes if node_id not in fed]
    order += [node_id for node_id in workflow.nodes if node_id in fed]
    closing: Set[Target] = set()
    done: Set[str] = set()
    for start in order:
        if start not in done:
            _visit(start, outgoing, done, closing)
    return closing


def _visit(start: str, outgoing: Mapping[str, List[Wire]], done: Set[str], closing: Set[Target]) -> None:
    open_nodes = {start}
    done.add(start)
    stack = [(start, iter(outgoing[start]))]
    while stack:
        node_id, following = stack[-1]
        wire = next(following, None)
        if wire is None:
            stack.pop()
            open_nodes.discard(node_id)
        elif wire[2] in open_nodes:
            closing.add((wire[2], wire[3]))
        elif wire[2] not in done:
            done.add(wire[2])
            open_nodes.add(wire[2])
            stack.append((wire[2], iter(outgoing[wire[2]])))
