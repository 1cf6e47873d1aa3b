"""``runner.py``: imports, nodes and wires of a workflow, and nothing else."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence

from ..exported import Wire
from ..node import Node
from .names import InstanceName
from .node_module import PACKAGE
from .source_text import INDENT, comment, docstring, join_lines, literal, one_line

ISAACGYM = "isaacgym"
WITH_ISAACGYM = ("auto", ISAACGYM, "isaacgymenvs")
NEEDS = (
    'if sys.version_info < (3, 8) or find_spec("torch") is None:',
    f'{INDENT}needs = "{{}} cannot run this: it needs Python 3.8 or newer and PyTorch: PYTHON -m pip install -r {{}}"',
    f'{INDENT}sys.stderr.write(needs.format(sys.executable, FOLDER / "requirements.txt") + "\\n")',
    f"{INDENT}sys.exit(2)",
)
"""Without them the first import would end in a traceback; older Pythons read these lines, too."""


def runner_text(title: str, nodes: Mapping[str, Node], names: Dict[str, InstanceName], wires: Sequence[Wire]) -> str:
    """The source of ``runner.py``.

    Args:
        title: The workflow's name.
        nodes: The nodes by id.
        names: Names of their generated classes.
        wires: (node, output, node, input), also those from constants to parameters.
    """
    lines = docstring([f"{title}: train it, run it, resume it.", "All options: python runner.py --help"])
    lines += ["", "import sys", "from importlib.util import find_spec", "from pathlib import Path", ""]
    lines += ["FOLDER = Path(__file__).resolve().parent"]
    lines += ["sys.path.insert(0, str(FOLDER))  # from any working folder", ""]
    lines += [*NEEDS, ""]
    lines += _isaacgym_lines(nodes)
    lines += ["from framework.command.launch import main_runner", "from framework.exported import assemble", ""]
    lines += _wire_lines(nodes, wires)
    lines += ["", "", *_build_lines(nodes, names), "", ""]
    lines += ['if __name__ == "__main__":', f"{INDENT}sys.exit(main_runner(build_graph, FOLDER))"]
    return join_lines(lines)


def needs_isaacgym(node: Node) -> bool:
    """Whether a node may take Isaac Gym as its simulator."""
    declared = node.parameters.get("simulator")
    return (
        declared is not None and ISAACGYM in declared.choices and node.parameter_values()["simulator"] in WITH_ISAACGYM
    )


def _isaacgym_lines(nodes: Mapping[str, Node]) -> List[str]:
    users = [node for node in nodes.values() if needs_isaacgym(node)]
    if not users:
        return []
    names = " and ".join(f"node {node.id} ({node.label})" for node in users)
    is_optional = all(node.parameter_values()["simulator"] == "auto" for node in users)
    choice = "take another simulator" if is_optional else "report it"
    text = f"Isaac Gym must be imported before torch. Where it is missing, {names} will {choice}."
    first = "import_isaacgym_first"
    return [*comment(text), f"from framework.simulators.isaacgym_first import {first}", "", f"{first}()", ""]


def _wire_lines(nodes: Mapping[str, Node], wires: Sequence[Wire]) -> List[str]:
    lines = ["# (from node, its output, to node, its input)", "LINKS = ["]
    for wire in wires:
        labels = one_line(f"{nodes[wire[0]].label} → {nodes[wire[2]].label}")
        lines.append(f"{INDENT}{literal(wire)},  # {labels}")
    return [*lines, "]"]


def _build_lines(nodes: Mapping[str, Node], names: Dict[str, InstanceName]) -> List[str]:
    lines = ["def build_graph():"]
    lines += docstring(["New nodes, wired; imported here, so that a wrong value is reported in one line."], INDENT)
    for node_id in nodes:
        lines.append(f"{INDENT}from {PACKAGE}.{names[node_id].module} import {names[node_id].class_name}")
    lines += ["", f"{INDENT}nodes = ["]
    for node_id, node in nodes.items():
        lines.append(f"{INDENT}{INDENT}{names[node_id].class_name}({literal(node_id)}, label={literal(node.label)}),")
    return [*lines, f"{INDENT}]", f"{INDENT}return assemble(nodes, LINKS)"]
