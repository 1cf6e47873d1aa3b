import ast

import pytest

from runtime.export.errors import ExportError
from runtime.export.imports import Import, imports_of, rename_imports


def to_framework(module):
    return "framework" + module[len("runtime") :] if module.split(".")[0] == "runtime" else None


def renamed(source):
    return rename_imports(source, to_framework, "nodes/mine.py")


def test_module_names_are_replaced_and_nothing_else():
    source = (
        '"""from runtime.node import Node"""\r\n'
        "from runtime.node import Node  # from runtime.node import Node\r\n"
        "import torch, runtime\r\n"
        "text = 'import runtime.node'\r\n"
        "runtime_node = 1; from runtime.ports import (\r\n    In,\r\n    Out as runtime,\r\n)\r\n"
    )
    expected = (
        '"""from runtime.node import Node"""\r\n'
        "from framework.node import Node  # from runtime.node import Node\r\n"
        "import torch, framework as runtime\r\n"
        "text = 'import runtime.node'\r\n"
        "runtime_node = 1; from framework.ports import (\r\n    In,\r\n    Out as runtime,\r\n)\r\n"
    )
    assert renamed(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import runtime.rl.ppo as ppo\n", "import framework.rl.ppo as ppo\n"),
        ("import a as b, runtime.node as n, c\n", "import a as b, framework.node as n, c\n"),
        ("from runtime import spaces\n", "from framework import spaces\n"),
        ("from runtime . rl . ppo import PPO\n", "from framework.rl.ppo import PPO\n"),
        ("if True: from runtime.node import Node\n", "if True: from framework.node import Node\n"),
        ("def f():\n    from runtime.node import Node\n", "def f():\n    from framework.node import Node\n"),
        ("def f():\n    yield from runtime\n", "def f():\n    yield from runtime\n"),
        ("def f():\n    raise x from runtime\n", "def f():\n    raise x from runtime\n"),
        ("from .runtime import x\n", "from .runtime import x\n"),
        ("from . import runtime\n", "from . import runtime\n"),
        ("from ...runtime import x\n", "from ...runtime import x\n"),
        ("from runtimes.node import x\nimport my.runtime\n", "from runtimes.node import x\nimport my.runtime\n"),
        ("θ = 1; from runtime.node import Node", "θ = 1; from framework.node import Node"),
        ("\f\nfrom runtime.node import Node\n", "\f\nfrom framework.node import Node\n"),
    ],
)
def test_every_form_of_import(source, expected):
    ast.parse(source)
    assert renamed(source) == expected


def test_a_plain_import_of_a_submodule_is_refused_with_the_form_to_write():
    with pytest.raises(
        ExportError, match=r"nodes/mine.py, line 2: .*'import runtime.node'; write 'from runtime import node'"
    ):
        renamed("\nimport runtime.node\n")


def test_imports_of_a_file():
    source = (
        "import torch\n"
        "from . import other\n"
        "from ..rl.ppo import PPO\n"
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n"
        "if TYPE_CHECKING:\n    import never\nelse:\n    import always\n"
        "def f():\n    from runtime.node import Node\n"
        "class A:\n    import inside\n"
    )
    assert imports_of(ast.parse(source), "framework.nodes.mine") == [
        Import("torch", "", 1, False),
        Import("framework.nodes.mine", "other", 2, False),
        Import("framework.nodes.rl.ppo", "PPO", 3, False),
        Import("numpy", "", 5, True),
        Import("always", "", 11, False),
        Import("runtime.node", "Node", 13, True),
        Import("inside", "", 15, False),
    ]
