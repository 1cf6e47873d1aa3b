"""Which modules go into an export, from the built-in nodes, a user's folder and installed distributions."""

import importlib
import sys
from pathlib import Path

import pytest

import nodes
import runtime
from runtime.export.carrying import Carrier, is_standard_library, libraries_by_name
from runtime.export.errors import ExportError
from runtime.registry import NodeRegistry, discover

USER_NODE = '''"""A node of a user."""
{imports}
from runtime.node import Node
from runtime.ports import TENSOR, In, Out


class {name}(Node):
    """Doubles a tensor."""

    title = "Double"
    value = In(TENSOR, "A tensor")
    output = Out(TENSOR, "Twice the tensor")

    def compute(self, value):
        """Double."""
        return {{"output": 2 * value}}
'''


@pytest.fixture
def carrier():
    return Carrier()


@pytest.fixture
def user_type(tmp_path):
    """Write a user's node file and return its type."""

    def write(imports="", name="DoubleNode", file="double.py", folder="my nodes"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / file).write_text(USER_NODE.format(imports=imports, name=name), encoding="utf-8")
        registry = NodeRegistry()
        registry.add_folder(tmp_path / folder)
        assert not registry.failures
        return registry.types[name]

    return write


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Write files into a folder of installed modules."""
    monkeypatch.syspath_prepend(tmp_path / "site")

    def write(**files):
        for name, text in files.items():
            path = tmp_path / "site" / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()

    yield write
    for name in [name for name in sys.modules if name.split(".")[0] in ("acme", "acme_nodes", "scaling")]:
        del sys.modules[name]


def text_of(carrier, path):
    return carrier.finish()[path].decode()


def test_the_runtime_is_carried_verbatim(carrier):
    root = Path(runtime.__file__).parent
    for path, content in carrier.finish().items():
        assert content == (root / Path(path).relative_to("framework")).read_bytes()


def test_what_no_node_imports_stays_behind(carrier, registry):
    carrier.add_node_type(registry.types["ORNode"])
    carried = set(carrier.finish())
    assert {"framework/node.py", "framework/scheduler/engine.py", "framework/nodes/control/or_node.py"} <= carried
    assert not [path for path in carried if "export/" in path or "importing/" in path]
    assert "framework/rl/ppo.py" not in carried
    carrier.add_node_type(registry.types["PPOTrainerNode"])
    assert "framework/rl/ppo.py" in carrier.finish()


def test_only_the_imports_of_a_node_file_change(carrier, registry):
    assert carrier.add_node_type(registry.types["PPOTrainerNode"]) == "framework.nodes.rl.ppo_trainer"
    original = (Path(nodes.__file__).parent / "rl" / "ppo_trainer.py").read_text(encoding="utf-8")
    carried = text_of(carrier, "framework/nodes/rl/ppo_trainer.py")
    assert carried == original.replace("from runtime.", "from framework.")
    assert "from framework.rl.ppo import" in carried


def test_every_package_has_an_init_file(carrier, user_type):
    carrier.add_node_type(user_type())
    carried = carrier.finish()
    for path in carried:
        folder = Path(path).parent
        while folder.name:
            assert (folder / "__init__.py").as_posix() in carried
            folder = folder.parent


def test_modules_that_are_imported_in_functions_are_carried(carrier, user_type):
    carrier.add_node_type(user_type("def later():\n    from runtime.rl import advantages\n"))
    assert "framework/rl/advantages.py" in carrier.finish()


def test_a_user_file_is_carried_with_its_imports_renamed(carrier, user_type):
    assert carrier.add_node_type(user_type()) == "framework.nodes.user.double"
    assert "from framework.node import Node\n" in text_of(carrier, "framework/nodes/user/double.py")
    assert carrier.libraries == []


def test_a_helper_beside_a_user_file_is_carried(carrier, user_type, tmp_path, monkeypatch):
    (tmp_path / "my nodes").mkdir()
    (tmp_path / "my nodes" / "scaling.py").write_text("import runtime as r\nFACTOR = 2\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "my nodes")
    monkeypatch.delitem(sys.modules, "scaling", raising=False)
    carrier.add_node_type(user_type("import scaling\nfrom scaling import FACTOR\n"))
    text = text_of(carrier, "framework/nodes/user/double.py")
    assert "import framework.nodes.user.scaling as scaling\nfrom framework.nodes.user.scaling import FACTOR\n" in text
    assert text_of(carrier, "framework/nodes/user/scaling.py").startswith("import framework as r\n")
    assert carrier.libraries == []


def test_two_folders_of_users_do_not_mix(carrier, user_type):
    first = carrier.add_node_type(user_type(folder="one"))
    second = carrier.add_node_type(user_type(name="OtherNode", folder="two"))
    again = carrier.add_node_type(user_type(name="ThirdNode", file="third.py", folder="two"))
    assert (first, second, again) == (
        "framework.nodes.user.double",
        "framework.nodes.user_2.double",
        "framework.nodes.user_2.third",
    )


def test_file_names_become_module_names(carrier, user_type):
    assert carrier.add_node_type(user_type(file="my-node.py")) == "framework.nodes.user.my_node"
    with pytest.raises(ExportError, match=r"my-node.py and .*my_node.py would both be framework/nodes/user/my_node.py"):
        carrier.add_node_type(user_type(file="my_node.py", name="OtherNode"))


def test_a_user_node_may_build_on_a_built_in_one(carrier, user_type):
    carrier.add_node_type(user_type("from nodes.utility.print import describe\n"))
    text = text_of(carrier, "framework/nodes/user/double.py")
    assert "from framework.nodes.utility.print import describe\n" in text
    assert "framework/nodes/utility/print.py" in carrier.finish()


def test_libraries_are_listed(carrier, user_type):
    carrier.add_node_type(
        user_type("import json\nimport numpy as np\ntry:\n    import pytest\nexcept ImportError: pass\n")
    )
    found = libraries_by_name(carrier.libraries)
    assert {name: library.lazy for name, library in found.items()} == {"numpy": False, "pytest": True}
    assert found["numpy"].needed_by == "framework/nodes/user/double.py"


def test_imports_that_cannot_be_carried_are_named(carrier, user_type):
    with pytest.raises(ExportError, match=r"double.py, line 2: app.cli belongs to the desktop program"):
        carrier.add_node_type(user_type("def later():  from app.cli import main\n"))
    with pytest.raises(ExportError, match=r"other.py, line 3: an export cannot carry import_module\('runtime.node'\)"):
        imports = "import importlib\ndef later(): importlib.import_module('runtime.node')\n"
        carrier.add_node_type(user_type(imports, "OtherNode", "other.py"))
    with pytest.raises(ExportError, match=r"third.py, line 2: there is no module runtime.nothing that"):
        carrier.add_node_type(user_type("def later(): import runtime.nothing as n\n", "ThirdNode", "third.py"))


def test_an_installed_module_is_carried(carrier, installed):
    installed(acme_nodes=USER_NODE.format(imports="import scaling\n", name="AcmeNode"), scaling="FACTOR = 2\n")
    node_class = importlib.import_module("acme_nodes").AcmeNode
    assert carrier.add_node_type(node_class) == "framework.nodes.installed.acme_nodes"
    assert "from framework.node import Node\n" in text_of(carrier, "framework/nodes/installed/acme_nodes.py")
    assert [library.name for library in carrier.libraries] == ["scaling"]


def test_an_installed_package_is_carried_as_far_as_it_is_needed(carrier, installed):
    installed(
        acme__nodes__double=USER_NODE.format(
            imports="from acme.core import x\nfrom .. import other\n", name="AcmeNode"
        ),
        acme__core="x = 1\n",
        acme__other="y = 2\n",
        acme__unused="z = 3\n",
    )
    installed(acme____init__="", acme__nodes____init__="")
    node_class = importlib.import_module("acme.nodes.double").AcmeNode
    assert carrier.add_node_type(node_class) == "framework.nodes.installed.acme.nodes.double"
    text = text_of(carrier, "framework/nodes/installed/acme/nodes/double.py")
    assert "from framework.nodes.installed.acme.core import x\nfrom .. import other\n" in text
    carried = [path for path in carrier.finish() if "/acme/" in path]
    assert {Path(path).stem for path in carried} == {"__init__", "double", "core", "other"}
    assert carrier.libraries == []


def test_a_type_without_a_file_is_refused(carrier):
    space = {"__name__": "made_up", "Node": runtime.node.Node}
    exec('class GhostNode(Node):\n    """A."""\n    title = "Ghost"\n    def compute(self): return {}\n', space)
    with pytest.raises(ExportError, match=r"GhostNode \(module made_up\) has no Python source file"):
        carrier.add_node_type(space["GhostNode"])


def test_a_file_keeps_its_encoding(carrier, tmp_path):
    folder = tmp_path / "latin"
    folder.mkdir()
    source = "# -*- coding: latin-1 -*-\n" + USER_NODE.format(imports="# für\n", name="LatinNode")
    (folder / "latin.py").write_bytes(source.encode("latin-1"))
    carrier.add_node_type(discover([], [folder]).types["LatinNode"])
    carried = carrier.finish()["framework/nodes/user/latin.py"]
    assert carried.decode("latin-1") == source.replace("from runtime.", "from framework.")


@pytest.mark.parametrize("name", ["json", "sys", "__future__", "collections", "zlib", "asyncio"])
def test_the_standard_library_is_known(name):
    assert is_standard_library(name)


@pytest.mark.parametrize("name", ["torch", "pytest", "hypothesis", "no_such_module_at_all"])
def test_other_libraries_are_not_taken_for_it(name):
    assert not is_standard_library(name)
