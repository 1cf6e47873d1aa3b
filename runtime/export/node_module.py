"""The module of one node: its class with every parameter as a named value that a person can edit."""

from __future__ import annotations

import inspect
from typing import Dict, Iterable, List, Sequence

from ..node import Node
from ..parameters import Parameter
from .names import InstanceName
from .source_text import INDENT, comment, docstring, join_lines, literal

PACKAGE = "generated_nodes"


def package_text() -> str:
    """``generated_nodes/__init__.py``."""
    lead = "The nodes of this workflow, one module each, with all values that can be set."
    return join_lines(docstring([lead], ""))


def node_module_text(
    node: Node, name: InstanceName, behaviour: str, constants: Dict[str, Node], named: Sequence[str] = ()
) -> str:
    """The source of a node's module.

    Args:
        node: The node with its values.
        name: Names of class and module.
        behaviour: Dotted name of the module in the export that holds the node's type.
        constants: The constants that are wired to parameters, by parameter; their values are set there.
        named: Modules of the export whose classes a parameter names; importing them lists these.
    """
    base = type(node).__name__
    lines = docstring(
        [
            f"{node.title}, node {node.id}" + (f': "{node.label}".' if node.label != node.title else "."),
            _advice(node) + f"What the node does is in {behaviour.replace('.', '/')}.py.",
        ]
    )
    lines += ["", *(f"import {module}  # lists what is named below" for module in named)]
    lines += [f"from {behaviour} import {base}", "", "", f"class {name.class_name}({base}):"]
    lines += docstring([first_line(type(node))], INDENT)
    lines += ["", f'{INDENT}type_name = "{node.type_name}"']
    for parameter in node.parameters.values():
        lines.append("")
        if parameter.name in constants:
            lines += _constant_lines(parameter, constants[parameter.name])
        else:
            lines += _value_lines(parameter, getattr(node, parameter.name), type(node))
    return join_lines(lines)


def _advice(node: Node) -> str:
    if not node.parameters:
        return "It has no values to set. "
    return "Change a value below and start runner.py again; one that is not allowed is reported with those that are. "


def first_line(node_class: type) -> str:
    """What a node type does, in a sentence."""
    return (inspect.getdoc(node_class) or "").strip().split("\n\n")[0]


def _value_lines(parameter: Parameter, value: object, node_class: type) -> Iterable[str]:
    default = parameter.default
    notes = [described(parameter)]
    if value != default:
        notes.append(f"Default: {literal(default)}.")
    start = f"{INDENT}{parameter.name} = "
    lines = literal(value, INDENT, len(start) - len(INDENT)).split("\n")
    return [*comment(" ".join(notes), INDENT), start + lines[0], *lines[1:]]


def _constant_lines(parameter: Parameter, constant: Node) -> Iterable[str]:
    source = f"{parameter.name} is the value of node {constant.id} ({constant.label}); change it there."
    return comment(f"{described(parameter)} {source}", INDENT)


def described(parameter: Parameter) -> str:
    """Documentation, unit and allowed values of a parameter, in sentences."""
    sentences: List[str] = [parameter.doc]
    if parameter.unit:
        sentences.append(f"Unit: {parameter.unit}")
    if parameter.type_text == "true or false":
        sentences.append("True or False")
    elif parameter.range_text:
        sentences.append(f"Allowed: {parameter.range_text}")
    else:
        sentences.append(f"Type: {parameter.type_text}")
    return " ".join(sentence.rstrip(".") + "." for sentence in sentences)
