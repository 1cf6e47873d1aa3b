"""The workflow file: a versioned JSON document of nodes with links by port name.

Reading keeps everything, also what this version does not know, so that saving loses nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple, Union

from .atomic import write_text
from .errors import WorkflowError

FORMAT_KEY = "dnne_workflow"
FORMAT_VERSION = 1
WORKFLOW_KEYS = {FORMAT_KEY, "name", "nodes", "groups", "view"}
NODE_KEYS = {"class_type", "title", "position", "inputs"}

LinkTarget = Tuple[str, str]


@dataclass
class NodeEntry:
    """One node of a workflow file.

    Attributes:
        id: Kept for ever; names the node's checkpoint folder.
        class_type: Name of the node class.
        inputs: Links (``["id", "port"]``) and parameter values by name, as in the file.
        title: Shown on the canvas; empty for the class's own title.
        position: Canvas position in pixels.
        extra: Keys that this version does not know.
    """

    id: str
    class_type: str
    inputs: Dict[str, Any] = field(default_factory=dict)
    title: str = ""
    position: Tuple[float, float] = (0.0, 0.0)
    extra: Dict[str, Any] = field(default_factory=dict)


@dataclass
class Workflow:
    """A workflow document."""

    name: str = "Untitled"
    nodes: Dict[str, NodeEntry] = field(default_factory=dict)
    groups: List[Any] = field(default_factory=list)
    view: Dict[str, Any] = field(default_factory=dict)
    extra: Dict[str, Any] = field(default_factory=dict)


def load_workflow(path: Union[str, Path]) -> Workflow:
    """Read a workflow file.

    Raises:
        WorkflowError: The file cannot be read, is no JSON, or is no workflow; the text names file, line and reason.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise WorkflowError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{path} is not UTF-8 text (byte {error.start}); a workflow is a JSON file") from error
    try:
        return parse_workflow(text)
    except WorkflowError as error:
        raise WorkflowError(f"{path}: {error}") from error.__cause__


def parse_workflow(text: str) -> Workflow:
    """Read a workflow from JSON text.

    Raises:
        WorkflowError: As `load_workflow`.
    """
    try:
        document = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite_float
        )
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise WorkflowError(f"not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except UnicodeEncodeError as error:
        raise WorkflowError(f"a text holds half of a surrogate pair, which is no Unicode: {error.reason}") from error
    except RecursionError as error:
        raise WorkflowError("the JSON is nested too deeply") from error
    except ValueError as error:
        raise WorkflowError(f"not valid JSON: {error}") from error
    return workflow_from_dict(document)


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    result: Dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise WorkflowError(
                f"{key!r} is given twice in one object (values {result[key]!r} and {value!r}); an input has one "
                "writer: join two with an ORNode"
            )
        result[key] = value
    return result


def _finite_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise WorkflowError(f"the number {text} is too large; parameters are finite")
    return number


def _refuse_constant(name: str) -> Any:
    raise WorkflowError(f"{name} is no JSON number; parameters are finite")


def workflow_from_dict(document: Any) -> Workflow:
    """Build a workflow from decoded JSON.

    Raises:
        WorkflowError: A part is missing or has the wrong form; the text says which and what would be right.
    """
    if not isinstance(document, dict):
        raise WorkflowError(f"a workflow is a JSON object, not {_kind(document)}")
    _check_version(document)
    nodes = document.get("nodes", {})
    if not isinstance(nodes, dict):
        raise WorkflowError(f"'nodes' is {_kind(nodes)}; expected an object of nodes by id")
    return Workflow(
        name=_expect(document, "name", str, "Untitled", "the workflow"),
        nodes={node_id: _node_from_dict(node_id, entry) for node_id, entry in nodes.items()},
        groups=_expect(document, "groups", list, [], "the workflow"),
        view=_expect(document, "view", dict, {}, "the workflow"),
        extra={key: value for key, value in document.items() if key not in WORKFLOW_KEYS},
    )


def _check_version(document: Mapping[str, Any]) -> None:
    if FORMAT_KEY not in document:
        raise WorkflowError(
            f"no {FORMAT_KEY!r} key, so this is no DNNE workflow; 'dnne import FILE' reads workflows of the "
            "earlier DNNE and of ComfyUI"
        )
    version = document[FORMAT_KEY]
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise WorkflowError(
            f"format version {version!r} is not supported; this DNNE reads version {FORMAT_VERSION}. "
            "A newer file needs a newer DNNE"
        )


def _node_from_dict(node_id: str, entry: Any) -> NodeEntry:
    where = f"node {node_id!r}"
    if not node_id or any(character in node_id for character in "/\\\0") or node_id in (".", ".."):
        raise WorkflowError(f"{where}: an id names a folder, so it is not empty and holds no slash")
    if not isinstance(entry, dict):
        raise WorkflowError(f"{where} is {_kind(entry)}; expected an object with 'class_type' and 'inputs'")
    if "class_type" not in entry:
        raise WorkflowError(f"{where} has no 'class_type'")
    return NodeEntry(
        id=node_id,
        class_type=_expect(entry, "class_type", str, "", where),
        inputs=_expect(entry, "inputs", dict, {}, where),
        title=_expect(entry, "title", str, "", where),
        position=_position(entry.get("position", (0.0, 0.0)), where),
        extra={key: value for key, value in entry.items() if key not in NODE_KEYS},
    )


def _position(value: Any, where: str) -> Tuple[float, float]:
    numbers = isinstance(value, (list, tuple)) and all(
        isinstance(item, (int, float)) and not isinstance(item, bool) for item in value
    )
    if not numbers or len(value) != 2:
        raise WorkflowError(f"{where}: 'position' is {value!r}; expected two numbers [x, y]")
    return (value[0], value[1])


def _expect(mapping: Mapping[str, Any], key: str, kind: type, default: Any, where: str) -> Any:
    value = mapping.get(key, default)
    if not isinstance(value, kind):
        raise WorkflowError(f"{where}: {key!r} is {_kind(value)}; expected {_KINDS[kind]}")
    return value


_KINDS = {str: "a text", list: "a list", dict: "an object", bool: "true or false", int: "a number", float: "a number"}


def _kind(value: Any) -> str:
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)


def workflow_to_dict(workflow: Workflow) -> Dict[str, Any]:
    """The JSON object of a workflow, keys in a fixed order."""
    document: Dict[str, Any] = {FORMAT_KEY: FORMAT_VERSION, "name": workflow.name, "nodes": {}}
    for node in workflow.nodes.values():
        entry: Dict[str, Any] = {"class_type": node.class_type}
        if node.title:
            entry["title"] = node.title
        entry["position"] = list(node.position)
        entry["inputs"] = node.inputs
        entry.update(node.extra)
        document["nodes"][node.id] = entry
    document["groups"] = workflow.groups
    document["view"] = workflow.view
    document.update(workflow.extra)
    return document


def format_workflow(workflow: Workflow) -> str:
    """JSON text for people and diffs: one line per input and per short list."""
    return _format(workflow_to_dict(workflow), "") + "\n"


def _format(value: Any, indent: str) -> str:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        lines = (f"{deeper}{json.dumps(key, ensure_ascii=False)}: {_format(item, deeper)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return "[\n" + ",\n".join(deeper + _format(item, deeper) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def save_workflow(workflow: Workflow, path: Union[str, Path]) -> None:
    """Write a workflow file atomically.

    Raises:
        StorageError: The file cannot be written; an existing one is untouched.
    """
    write_text(path, format_workflow(workflow))
