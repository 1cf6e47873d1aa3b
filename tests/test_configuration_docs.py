"""Every test that docs/configuration.md names exists, and every option of the table is one."""

import ast
import re
from pathlib import Path

from runtime.command.configure import NODE_WIDE, known_options
from runtime.configuration.reference_keys import SPECIAL

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def _tests_of(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def _rows():
    return [line for line in TEXT.splitlines() if line.startswith("| ") and "`tests/" in line]


def test_every_test_that_is_named_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)
    assert len(named) == len(_rows()) > 30
    missing = [f"{path}::{name}" for path, name in named if name not in _tests_of(path)]
    assert missing == []


def test_every_key_of_the_earlier_system_has_a_row():
    rows = "\n".join(row.split("|")[1] for row in _rows())
    for key in (*SPECIAL, "seed", "log_interval", "batch_size"):
        assert f"`{key}`" in rows, key


def test_every_option_that_the_text_names_is_one():
    section = TEXT[: TEXT.index("## Evaluation and sweeps")]
    options = {name.replace("-", "_") for name in re.findall(r"`--([a-z-]+)", section)}
    assert options <= {*known_options(), *NODE_WIDE, "config", "config_name", "config_path", "preset", "signal"}
