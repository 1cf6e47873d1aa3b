"""The layers of the tree, and a wrong tree for every rule that shows that the check bites."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.import_rules import COMMANDS, EDITOR_ENTRY, HEADLESS_ENTRY, QT, read_modules, violations

ROOT = Path(__file__).resolve().parents[1]
WRONG = ROOT / "tests" / "fixtures" / "architecture"

pytestmark = pytest.mark.skipif(sys.version_info < (3, 10), reason="needs sys.stdlib_module_names; the source is one")


def test_the_tree_keeps_the_rules():
    assert "\n".join(str(violation) for violation in violations(ROOT)) == ""


def test_the_rules_look_at_the_whole_tree():
    modules = read_modules(ROOT)
    assert {HEADLESS_ENTRY, f"{COMMANDS}.train", "nodes.rl.ppo_trainer", "runtime.scheduler.engine"} <= set(modules)
    assert any(imported.package == "runtime" for imported in modules["nodes.rl.ppo_trainer"].imports)
    assert any(imported.package == "runtime" for imported in modules["runtime.scheduler.engine"].imports)
    assert any(not imported.when_loaded for module in modules.values() for imported in module.imports)


@pytest.mark.parametrize(
    ("rule", "file", "line"),
    [
        ("direction", "runtime/graph.py", 3),
        ("runtime-relative", "runtime/engine.py", 3),
        ("runtime-libraries", "runtime/metrics.py", 3),
        ("node-imports-node", "nodes/rl/trainer.py", 3),
        ("node-libraries", "nodes/logging/table.py", 6),
        ("qt", "nodes/viewer.py", 5),
        ("headless-qt", "app/progress.py", 5),
    ],
)
def test_a_wrong_tree_is_noticed(rule, file, line):
    found = violations(WRONG / rule)
    assert [(violation.rule, violation.file, violation.line) for violation in found] == [(rule, file, line)]


def test_every_wrong_tree_is_tried():
    tried = {arguments[0] for arguments in test_a_wrong_tree_is_noticed.pytestmark[0].args[1]}
    assert tried == {folder.name for folder in WRONG.iterdir()}


def test_importing_above_the_package_is_noticed(tmp_path):
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "graph.py").write_text("from ..nodes import rl\n", encoding="utf-8")
    assert [violation.rule for violation in violations(tmp_path)] == ["direction"]


def test_headless_commands_run_where_qt_cannot_be_imported():
    program = f"""
import sys
class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {sorted(QT)!r} or name == {EDITOR_ENTRY!r}:
            raise AssertionError(f"a headless command imports {{name}}")
sys.meta_path.insert(0, NoQt())
from app.cli import main
sys.exit(main(["nodes"]))
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert "PPOTrainerNode" in run.stdout
