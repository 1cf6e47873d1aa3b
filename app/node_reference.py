"""The reference of all node types, generated from their declarations."""

from __future__ import annotations

import inspect
from typing import Iterable, List, Tuple, Type

from runtime.node import Node
from runtime.parameters import Parameter
from runtime.ports import In, Out
from runtime.registry import NodeRegistry

HEADER = """# Node reference

Generated from the declarations of the node types by `dnne nodes --markdown`; do not edit.
"""


def node_table(registry: NodeRegistry) -> str:
    """One line per node type for the terminal: category, class name, title and the first line of its doc."""
    rows = [(node.category, node.__name__, _first_line(node)) for node in _ordered(registry)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{category:{widths[0]}}  {name:{widths[1]}}  {line}" for category, name, line in rows)


def node_markdown(registry: NodeRegistry) -> str:
    """The whole reference as Markdown, categories and types in alphabetical order."""
    parts = [HEADER]
    category = ""
    for node in _ordered(registry):
        if node.category != category:
            category = node.category
            parts.append(f"## {category}\n")
        parts.append(node_section(node))
    return "\n".join(parts).rstrip() + "\n"


def _ordered(registry: NodeRegistry) -> List[Type[Node]]:
    return sorted(registry.types.values(), key=lambda node: (node.category, node.__name__))


def _first_line(node: Type[Node]) -> str:
    return (inspect.getdoc(node) or "").split("\n\n")[0].replace("\n", " ")


def node_section(node: Type[Node]) -> str:
    """The Markdown section of one node type."""
    lines = [f"### {node.title}", "", f"`{node.__name__}`", "", inspect.getdoc(node) or "", ""]
    if node.fires_on == "any":
        lines += ["Fires on any of its inputs, lowest port first.", ""]
    lines += _table(("Input", "Type", "Kind", ""), (_input_row(name, port) for name, port in node.inputs.items()))
    lines += _table(("Output", "Type", "Emitted", ""), (_output_row(name, port) for name, port in node.outputs.items()))
    lines += _table(
        ("Parameter", "Type", "Default", "Allowed", ""),
        (_parameter_row(name, declared) for name, declared in _own_first(node)),
    )
    if node.replaces:
        lines += [f"Earlier names: {', '.join(f'`{name}`' for name in node.replaces)}", ""]
    return "\n".join(lines)


def _own_first(node: Type[Node]) -> List[Tuple[str, Parameter]]:
    """What the node is about before what all nodes with checkpoints have."""
    return sorted(node.parameters.items(), key=lambda item: item[0].startswith("checkpoint_"))


def _input_row(name: str, port: In) -> List[str]:
    kind = port.kind + (", optional" if port.optional and port.kind != "trigger" else "")
    return [f"`{name}`", port.type.name, kind, port.doc]


def _output_row(name: str, port: Out) -> List[str]:
    return [f"`{name}`", port.type.name, _emission(port), port.doc]


def _emission(port: Out) -> str:
    if port.on_release:
        return "on release"
    if port.on_input:
        return f"with `{port.on_input}`"
    if port.every == 1:
        return "each firing"
    return "by data" if port.every is None else f"every `{port.every}` firings"


def _parameter_row(name: str, declared: Parameter) -> List[str]:
    allowed = declared.range_text + (f" {declared.unit}" if declared.unit else "")
    doc = declared.doc + (" (live)" if declared.live else "")
    return [f"`{name}`", declared.type_text, f"`{declared.default!r}`", allowed, doc]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> List[str]:
    body = [_line(row) for row in rows]
    if not body:
        return []
    columns = list(head)
    return [_line(columns), _line(["---"] * len(columns)), *body, ""]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
