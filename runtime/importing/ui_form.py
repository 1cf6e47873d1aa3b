"""ComfyUI's form: ``nodes`` with inputs and outputs, ``links``, and ``widgets_values`` in declared order."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..errors import WorkflowError
from .json_values import are_numbers, identity, is_index, list_in
from .mapping import UNKNOWN_DEFAULT
from .notes import shown
from .source import SourceNode, SourceWorkflow
from .ui_wires import read_wires

FILE_KEYS = {"nodes", "links", "groups"}
NODE_KEYS = {"id", "type", "pos", "title", "inputs", "outputs", "widgets_values", "mode"}
ALWAYS = 0
MODES = {1: "ran on an event only", 2: "was muted", 3: "ran on a trigger only", 4: "was bypassed"}


def is_ui_form(document: Any) -> bool:
    """True if a decoded JSON value has a list of nodes."""
    return isinstance(document, dict) and isinstance(document.get("nodes"), list)


def read_ui_form(document: Mapping[str, Any], source: SourceWorkflow) -> None:
    """Fill ``source`` from ComfyUI's form.

    Raises:
        WorkflowError: A node has no id or type, two have the same id, or a list is something else.
    """
    entries: Dict[str, Mapping[str, Any]] = {}
    for index, entry in enumerate(document["nodes"]):
        node = _read_node(index, entry)
        if node.id in entries:
            raise WorkflowError(f"two nodes have the id {node.id}; an id names one node")
        source.nodes[node.id], entries[node.id] = node, entry
    read_wires(list_in(document, "links", "the file"), entries, source)
    for node in source.nodes.values():
        _read_widgets(node, entries[node.id], source)
        _note_mode(node, entries[node.id], source)
    groups = [_group(group, source) for group in list_in(document, "groups", "the file")]
    source.groups = [group for group in groups if group is not None]
    _note_unread(document, entries, source)


def _read_node(index: int, entry: Any) -> SourceNode:
    where = f"nodes[{index}]"
    if not isinstance(entry, dict):
        raise WorkflowError(f"{where} is {shown(entry)}; expected an object with 'id' and 'type'")
    node_id, node_type, title = identity(entry.get("id")), entry.get("type"), entry.get("title")
    if node_id is None:
        raise WorkflowError(f"{where}: 'id' is {shown(entry.get('id'))}; expected a whole number or a text")
    if not isinstance(node_type, str) or not node_type:
        raise WorkflowError(f"{where}: 'type' is {shown(node_type)}; expected the name of a node type")
    for key in ("inputs", "outputs"):
        list_in(entry, key, where)
    return SourceNode(node_id, node_type, title if isinstance(title, str) else "", _position(entry.get("pos")))


def _position(value: Any) -> Optional[Tuple[float, float]]:
    """``[x, y]``, or the older ``{"0": x, "1": y}``."""
    if isinstance(value, dict):
        value = [value.get("0"), value.get("1")]
    return (value[0], value[1]) if are_numbers(value, 2) else None


def _note_mode(node: SourceNode, entry: Mapping[str, Any], source: SourceWorkflow) -> None:
    mode = entry.get("mode")
    if mode is None or (is_index(mode) and mode == ALWAYS):
        return
    known = MODES.get(mode) if is_index(mode) else None
    message = f"the node {known or 'had the unknown mode ' + shown(mode)}; it takes part now"
    source.note(node, "mode", message, "delete it, or wire around it, if it should not")


def _group(group: Any, source: SourceWorkflow) -> Optional[Dict[str, Any]]:
    if not isinstance(group, dict) or not are_numbers(group.get("bounding"), 4):
        source.note(None, "groups", f"{shown(group)} has no place (bounding) on the canvas and was left out")
        return None
    result = {"title": group.get("title", ""), "colour": group.get("color", ""), "bounding": group["bounding"]}
    result.update({key: value for key, value in group.items() if key not in ("title", "color", "bounding")})
    return result


def _note_unread(document: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]], source: SourceWorkflow) -> None:
    keys = sorted({key for entry in entries.values() for key in entry} - NODE_KEYS)
    if keys:
        source.note(None, "nodes", f"canvas details of nodes without a counterpart were left out: {', '.join(keys)}")
    keys = sorted(set(document) - FILE_KEYS)
    if keys:
        remedy = "take subgraphs apart in the earlier program first" if "definitions" in keys else ""
        source.note(None, "", f"parts of the file without a counterpart were left out: {', '.join(keys)}", remedy)


# Widgets


def _read_widgets(node: SourceNode, entry: Mapping[str, Any], source: SourceWorkflow) -> None:
    values = entry.get("widgets_values")
    if isinstance(values, dict):
        node.values.update(values)
    elif isinstance(values, list):
        _name_widgets(node, values, _widget_names(entry), source)
    elif values is not None:
        message = f"{shown(values)} is no list of values and was left out"
        source.note(node, "widgets_values", message, "set them by hand")
    _fill_widgets(node, source)


def _widget_names(entry: Mapping[str, Any]) -> List[str]:
    """Names that the file itself gives, in the order of the values (newer files list every widget as an input)."""
    widgets = [item.get("widget") for item in entry.get("inputs") or [] if isinstance(item, dict)]
    names = [widget.get("name") for widget in widgets if isinstance(widget, dict)]
    return [name for name in names if isinstance(name, str)]


def _name_widgets(node: SourceNode, values: List[Any], own_names: List[str], source: SourceWorkflow) -> None:
    names = own_names
    if len(names) != len(values) or len(set(names)) != len(names):
        names = [setting.names[0] for setting in node.mapping.widgets] if node.mapping else []
    node.values.update(zip(names, values))
    if node.mapping is None:
        node.unnamed = values[len(names) :]
        return
    for index, value in enumerate(values[len(names) :], len(names)):
        message = f"the value {shown(value)} has no name: the type has {len(names)} widgets"
        source.note(node, f"widgets_values[{index}]", message, "set the parameter by hand, if it still exists")


def _fill_widgets(node: SourceNode, source: SourceWorkflow) -> None:
    """The earlier program gave widgets without a value their own defaults, which may differ from the present ones."""
    taken = []
    for setting in node.mapping.widgets if node.mapping else ():
        names = (*setting.names, setting.parameter)
        given = any(name in node.values or name in node.links for name in names if name)
        if not given and setting.default is not UNKNOWN_DEFAULT:
            node.values[setting.names[0]] = setting.default
            taken.append(f"{setting.names[0]} = {setting.default!r}")
    if taken:
        message = f"the file gives no value for some widgets; their earlier defaults were taken: {', '.join(taken)}"
        source.note(node, "widgets_values", message)
