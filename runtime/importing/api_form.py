"""The API form: ``{"<id>": {"class_type": …, "inputs": {name: value or ["<id>", slot or "name"]}}}``."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ..errors import WorkflowError
from .notes import shown
from .source import SourceLink, SourceNode, SourceWorkflow

NODE_KEYS = {"class_type", "inputs", "_meta"}


def is_api_form(document: Any) -> bool:
    """True if a decoded JSON value has nodes by id."""
    return isinstance(document, dict) and any(_is_node(entry) for entry in document.values())


def _is_node(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("class_type"), str) and bool(entry["class_type"])


def read_api_form(document: Mapping[str, Any], source: SourceWorkflow) -> None:
    """Fill ``source`` from the API form.

    Raises:
        WorkflowError: A node's inputs are no object.
    """
    for node_id, entry in document.items():
        if _is_node(entry):
            source.nodes[node_id] = SourceNode(node_id, entry["class_type"], _title(entry))
        else:
            message = f"{shown(entry)} is no node: it has no 'class_type'; it was left out"
            source.note(None, node_id, message, "add the node by hand if it was one")
    for node in source.nodes.values():
        _read_inputs(node, document[node.id], source)


def _title(entry: Mapping[str, Any]) -> str:
    meta = entry.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) else ""


def _read_inputs(node: SourceNode, entry: Mapping[str, Any], source: SourceWorkflow) -> None:
    inputs = entry.get("inputs", {})
    if not isinstance(inputs, dict):
        raise WorkflowError(f"node {node.id!r}: 'inputs' is {shown(inputs)}; expected an object of values by name")
    for name, value in inputs.items():
        link = _link(node, name, value, source.nodes)
        if link is not None:
            node.links[name] = link
        else:
            node.values[name] = value
    unknown = sorted(key for key in entry if key not in NODE_KEYS)
    if unknown:
        source.note(node, "", f"{', '.join(unknown)}: these keys have no counterpart and were left out")


def _link(node: SourceNode, name: str, value: Any, nodes: Mapping[str, SourceNode]) -> Optional[SourceLink]:
    """The wire that a value stands for, or ``None`` where it is a value."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    source_id, output = value
    is_slot = isinstance(output, int) and not isinstance(output, bool)
    if isinstance(source_id, bool) or not isinstance(source_id, (str, int)) or not (is_slot or isinstance(output, str)):
        return None
    text = shown(value)
    link = SourceLink(str(source_id), output, "", text) if is_slot else SourceLink(str(source_id), None, output, text)
    return link if _may_be_link(node, name, value, link.source in nodes) else None


def _may_be_link(node: SourceNode, name: str, value: Any, known: bool) -> bool:
    """Ports take wires only; a list of two on a parameter may be its value, such as two layer sizes."""
    if node.mapping is None or node.mapping.kept:
        return known and isinstance(value[0], str)
    setting = node.mapping.setting(name)
    if node.mapping.input(name) is not None or setting is None:
        return True
    if not setting.parameter:
        return known
    return isinstance(value[0], str) and not _fits(setting.convert, value)


def _fits(convert: Any, value: Any) -> bool:
    try:
        convert(value)
    except ValueError:
        return False
    return True
