"""The texts of runner.py and of the node modules."""

import ast
import subprocess
import sys
import types
from typing import Any, Dict, List

import pytest

from runtime.export.names import InstanceName
from runtime.export.node_module import node_module_text
from runtime.export.runner_module import needs_isaacgym, runner_text
from runtime.export.workflow_export import all_wires, export_files
from runtime.node import Node
from runtime.parameters import param
from runtime.validation import build_graph
from tests.runtime.export.golden import assert_golden


class AwkwardNode(Node):
    r"""Says \"\"\" and \N{oops} in its first line"""

    title = "Awkward"

    text: str = param('"""\\', doc='A "text" # with \\ in it')
    anything: Any = param(None, doc="Whatever")
    table: Dict[str, List[float]] = param({"a": [1.0]}, low=0.0, doc="Numbers by name")
    gain: float = param(1.0, low=0.0, high=2.0, unit="N", doc="A gain")

    def compute(self):
        return {}


def executed(text, base):
    """The class that a generated module defines."""
    module = types.ModuleType("generated")
    name = ast.parse(text).body[1].module
    sys.modules[name] = types.SimpleNamespace(**{base.__name__: base})
    try:
        exec(compile(text, "generated.py", "exec"), vars(module))
    finally:
        del sys.modules[name]
    return getattr(module, f"{base.__name__}_1")


def generated(node, constants=None):
    name = InstanceName(f"{type(node).__name__}_1", f"{type(node).__name__.lower()}_1")
    return node_module_text(node, name, "framework.nodes.user.some_file", constants or {})


@pytest.mark.parametrize("name", ["generated_nodes/ppotrainernode_6.py", "generated_nodes/ornode_2.py", "runner.py"])
def test_generated_texts_are_as_they_were(name, cartpole, graph):
    assert_golden(name, export_files(cartpole, graph)[name].decode())


@pytest.mark.parametrize("setup", ["", "sys.version_info = (3, 7); importlib.util.find_spec = lambda name: True"])
def test_a_python_without_what_is_needed_says_so_in_one_line(setup, cartpole, graph, tmp_path):
    (tmp_path / "runner.py").write_bytes(export_files(cartpole, graph)["runner.py"])
    program = f"import importlib.util, runpy, sys; {setup}\nrunpy.run_path(sys.argv[1], run_name='__main__')"
    command = [sys.executable, "-I", "-S", "-c", program, str(tmp_path / "runner.py")]  # -S: no installed libraries
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    needs = "it needs Python 3.8 or newer and PyTorch: PYTHON -m pip install -r"
    assert outcome.stderr == f"{sys.executable} cannot run this: {needs} {tmp_path / 'requirements.txt'}\n"
    assert outcome.returncode == 2


def test_a_generated_class_has_the_values_of_its_node():
    node = AwkwardNode(
        "1", {"text": "\n'''", "table": {"b": [0.5]}, "anything": [1, {"x": None}], "gain": 0.1}, label='A"'
    )
    made = executed(generated(node), AwkwardNode)
    assert issubclass(made, AwkwardNode)
    assert made.type_name == "AwkwardNode"
    assert made("1").parameter_values() == node.parameter_values()


def test_awkward_texts_do_not_end_a_docstring_or_comment():
    made = executed(generated(AwkwardNode("1", label='"""\nimport os')), AwkwardNode)
    assert made.__doc__ == r"Says \"\"\" and \N{oops} in its first line"


def test_a_value_is_described_with_unit_range_and_default():
    text = generated(AwkwardNode("1", {"gain": 0.5}))
    assert "    # A gain. Unit: N. Allowed: 0 to 2. Default: 1.0.\n    gain = 0.5\n" in text
    assert "Default: " not in generated(AwkwardNode("1"))


def test_a_parameter_that_is_a_constant_says_where_it_is_set(registry):
    constant = registry.types["FloatConstantNode"]("7", {"value": 0.25}, label="Gain")
    text = generated(AwkwardNode("1"), {"gain": constant})
    assert "gain is the value of node 7 (Gain); change it there." in text
    assert "\n    gain =" not in text


def test_constants_are_wired_to_parameters(cartpole, registry):
    from runtime.workflow import NodeEntry

    cartpole.nodes["7"] = NodeEntry("7", "FloatConstantNode", {"value": 5e-4}, "Rate")
    cartpole.nodes["6"].inputs["learning_rate"] = ["7", "value"]
    graph = build_graph(cartpole, registry)
    assert ("7", "output", "6", "learning_rate") in all_wires(cartpole, graph)
    files = export_files(cartpole, graph)
    assert '("7", "output", "6", "learning_rate"),  # Rate → Trainer' in files["runner.py"].decode()
    assert "learning_rate is the value of node 7 (Rate)" in files["generated_nodes/ppotrainernode_6.py"].decode()


@pytest.mark.parametrize(
    ("simulator", "remark"),
    [
        ("auto", "node 1 (Env) will take another simulator."),
        ("isaacgym", "node 1 (Env) will report it."),
        ("torch", None),
    ],
)
def test_isaacgym_is_imported_before_torch_where_a_node_may_use_it(graph, simulator, remark):
    graph.nodes["1"].simulator = simulator
    names = {node_id: InstanceName(f"N_{node_id}", f"n_{node_id}") for node_id in graph.nodes}
    text = runner_text("Cartpole", graph.nodes, names, [])
    assert needs_isaacgym(graph.nodes["1"]) == (remark is not None)
    assert ("import_isaacgym_first()" in text) == (remark is not None)
    if remark is not None:
        assert remark in " ".join(text.replace("#", "").split())
        assert text.index("import_isaacgym_first()") < text.index("from framework.command")
