"""Node types are found in packages, entry points and folders; what does not load is reported and the rest goes on."""

import sys
import textwrap
import types
from importlib import metadata
from pathlib import Path

import pytest

import nodes
from runtime import registry as registry_module
from runtime.errors import NodeDefinitionError
from runtime.node import Node
from runtime.registry import NodeRegistry, discover, load_file

NODE = '''
from runtime.node import Node
from runtime.ports import ANY, In, Out

class {name}(Node):
    """Doubles."""
    title = "Doubler"
    replaces = {replaces}
    value = In(ANY, "A value")
    output = Out(ANY, "Twice the value")
    def compute(self, value):
        return {{"output": 2 * value}}
'''


def write(folder, file_name, name="DoublerNode", replaces=(), body=NODE):
    path = folder / file_name
    path.write_text(body.format(name=name, replaces=tuple(replaces)))
    return path


@pytest.fixture(autouse=True)
def _forget_user_modules():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("dnne_user_nodes"):
            del sys.modules[name]


def test_the_built_in_nodes_are_found_with_their_earlier_names():
    registry = discover([nodes])
    reference = {
        "IsaacGymEnvNode",
        "ORNode",
        "PPOAgentNode",
        "CartpoleActionNode",
        "IsaacGymStepNode",
        "PPOTrainerNode",
    }
    assert reference <= set(registry.types)
    assert registry.failures == []
    assert registry.resolve("PrintValue") is registry.resolve("PrintNode") is registry.types["PrintNode"]
    assert registry.resolve("NoSuchNode") is None
    assert registry.sources["ORNode"].endswith("or_node.py")
    assert "Node" not in registry.types and "ConstantNode" not in registry.types


def test_a_users_folder(tmp_path):
    write(tmp_path, "doubler.py")
    (tmp_path / "_helper.py").write_text("raise RuntimeError('not to be loaded')")
    (tmp_path / "notes.txt").write_text("not Python")
    registry = discover([], [tmp_path])
    node_class = registry.types["DoublerNode"]
    assert node_class("1").compute(4) == {"output": 8}
    assert registry.sources["DoublerNode"] == str(tmp_path / "doubler.py")
    assert registry.failures == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("def broken(:\n    pass", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("from runtime.node import Node\nclass A(Node):\n    title = 'A'", "NodeDefinitionError: Node type A is "),
        ("\x00", ""),
    ],
)
def test_a_broken_file_is_reported_with_its_traceback_and_the_others_load(tmp_path, text, error):
    write(tmp_path, "a_good.py", "ANode")
    (tmp_path / "broken.py").write_text(text)
    write(tmp_path, "z_good.py", "ZNode")
    registry = discover([], [tmp_path])
    assert set(registry.types) == {"ANode", "ZNode"}
    (failure,) = registry.failures
    assert failure.source == str(tmp_path / "broken.py")
    assert failure.error.startswith(error)
    assert failure.traceback.startswith("Traceback (most recent call last)")
    assert not [name for name in sys.modules if name.startswith("dnne_user_nodes.broken")]
    assert "not loaded: " + str(tmp_path / "broken.py") in registry.hint("BrokenNode")


def test_a_keyboard_interrupt_while_loading_is_not_swallowed(tmp_path):
    (tmp_path / "slow.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        discover([], [tmp_path])


def test_an_unknown_type_has_a_close_match():
    assert NodeRegistry().hint("PPOAgntNode") == ""
    assert "did you mean 'PPOAgentNode'?" in discover([nodes]).hint("ppoagntnode")


def test_a_name_that_is_taken_is_refused_and_the_first_stays(tmp_path):
    write(tmp_path, "mine.py", "ORNode")
    registry = discover([nodes], [tmp_path])
    assert registry.types["ORNode"].__module__ == "nodes.control.or_node"
    (failure,) = registry.failures
    assert "two node types are named ORNode: in " in failure.error
    assert str(tmp_path / "mine.py") in failure.error and "or_node.py" in failure.error


def test_an_earlier_name_that_is_taken_is_refused(tmp_path):
    write(tmp_path, "a.py", "ANode", replaces=("PrintValue",))
    write(tmp_path, "b.py", "BNode", replaces=("ORNode",))
    write(tmp_path, "c.py", "PrintValue")
    registry = discover([nodes], [tmp_path])
    assert [failure.error for failure in registry.failures] == [
        "NodeDefinitionError: ANode and PrintNode both replace PrintValue",
        f"NodeDefinitionError: BNode replaces ORNode, which is a node type in {registry.sources['ORNode']}",
        f"NodeDefinitionError: PrintValue in {tmp_path / 'c.py'} is an earlier name of PrintNode; choose another",
    ]
    assert registry.resolve("PrintValue").__name__ == "PrintNode"


def test_a_subclass_of_a_built_in_node_may_live_beside_it(tmp_path):
    body = (
        'from nodes.utility.print import PrintNode\n\nclass {name}(PrintNode):\n    """Mine."""\n    title = "Mine"\n'
    )
    write(tmp_path, "mine.py", "MyPrintNode", body=body)
    registry = discover([nodes], [tmp_path])
    assert registry.failures == []
    assert registry.types["MyPrintNode"].title == "Mine"
    assert registry.resolve("PrintValue").__name__ == "PrintNode"


def test_only_classes_of_the_file_itself_that_can_fire_are_registered(tmp_path):
    body = textwrap.dedent('''
        from nodes.utility.print import PrintNode
        from runtime.node import Node
        from runtime.parameters import param

        class Base(Node):
            gain: float = param(1.0, doc="Gain")

        class _Private(PrintNode):
            """Not to be seen."""

        class {name}(PrintNode):
            """Seen."""
    ''')
    write(tmp_path, "mine.py", "SeenNode", body=body)
    assert set(discover([], [tmp_path]).types) == {"SeenNode"}


def test_the_same_folder_twice_is_loaded_once(tmp_path):
    write(tmp_path, "doubler.py")
    registry = discover([], [tmp_path, str(tmp_path) + "/.", tmp_path])
    assert registry.failures == []


def test_files_of_the_same_name_in_two_folders_do_not_meet(tmp_path):
    for folder, name in (("one", "OneNode"), ("two", "TwoNode")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "node.py", name)
    assert set(discover([], [tmp_path / "one", tmp_path / "two"]).types) == {"OneNode", "TwoNode"}


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(NodeDefinitionError, match="the nodes folder .*missing does not exist"):
        discover([], [tmp_path / "missing"])


def test_a_file_is_loaded_without_touching_the_path(tmp_path):
    before = list(sys.path)
    module = load_file(write(tmp_path, "doubler.py"))
    assert sys.path == before
    assert sys.modules[module.__name__] is module


def test_a_file_knows_where_it_lies_whatever_the_path_to_it(tmp_path, monkeypatch):
    write(tmp_path, "doubler.py")
    monkeypatch.chdir(tmp_path)
    assert load_file(Path("doubler.py")).__file__ == str(tmp_path / "doubler.py")


class FakeEntryPoint:
    """What importlib.metadata gives for one entry point."""

    def __init__(self, name, loaded=None, error=None):
        self.name, self.value, self._loaded, self._error = name, f"package.{name}", loaded, error

    def load(self):
        if self._error is not None:
            raise self._error
        return self._loaded


def node_type(name):
    scope = {}
    exec(NODE.format(name=name, replaces=()), scope)
    scope[name].__module__ = f"package.{name}"
    return scope[name]


def fake_distribution(monkeypatch, entry_points, as_dictionary):
    class Selectable(list):
        def select(self, group):
            return entry_points if group == "dnne.nodes" else ()

    found = {"dnne.nodes": entry_points, "other": [1]} if as_dictionary else Selectable()
    monkeypatch.setattr(metadata, "entry_points", lambda: found)


@pytest.mark.parametrize("as_dictionary", [True, False], ids=["Python 3.8 and 3.9", "Python 3.10 and later"])
def test_entry_points_give_classes_and_modules(monkeypatch, as_dictionary):
    module = types.ModuleType("package.many")
    module.ManyNode = node_type("ManyNode")
    module.ManyNode.__module__ = "package.many"
    points = [
        FakeEntryPoint("one", node_type("OneNode")),
        FakeEntryPoint("many", module),
        FakeEntryPoint("broken", error=ImportError("no libcuda")),
        FakeEntryPoint("strange", loaded=7),
        FakeEntryPoint("last", node_type("LastNode")),
    ]
    fake_distribution(monkeypatch, points, as_dictionary)
    registry = discover([])
    assert set(registry.types) == {"OneNode", "ManyNode", "LastNode"}
    assert registry.sources["OneNode"] == "entry point one = package.one"
    assert [failure.error for failure in registry.failures] == [
        "ImportError: no libcuda",
        "NodeDefinitionError: entry point strange = package.strange is neither a node class nor a module",
    ]
    assert registry.failures[0].source == "entry point broken = package.broken"


def test_the_same_entry_point_listed_twice_is_one(monkeypatch):
    one = node_type("OneNode")
    fake_distribution(monkeypatch, [FakeEntryPoint("one", one), FakeEntryPoint("one", one)], False)
    assert discover([]).failures == []


def test_entry_points_of_tasks_are_loaded(monkeypatch):
    loaded = []

    class TaskEntryPoint(FakeEntryPoint):
        def load(self):
            loaded.append(self.name)
            return super().load()

    points = [TaskEntryPoint("good", object()), TaskEntryPoint("bad", error=ImportError("no such robot"))]
    monkeypatch.setattr(metadata, "entry_points", lambda: {"dnne.tasks": points})
    registry = discover([])
    assert loaded == ["good", "bad"] and registry.types == {}
    assert [failure.error for failure in registry.failures] == ["ImportError: no such robot"]


def test_without_entry_points(monkeypatch):
    monkeypatch.setattr(metadata, "entry_points", dict)
    assert discover([]).types == {}
    assert registry_module.ENTRY_POINT_GROUP == "dnne.nodes"


def test_a_broken_module_of_our_own_is_not_hidden(tmp_path, monkeypatch):
    package = tmp_path / "package_of_ours"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "bad.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    import package_of_ours

    with pytest.raises(ZeroDivisionError):
        discover([package_of_ours])
    for name in ("package_of_ours", "package_of_ours.bad"):
        sys.modules.pop(name, None)


def test_registered_classes_are_nodes():
    assert all(issubclass(node_class, Node) for node_class in discover([nodes]).types.values())
