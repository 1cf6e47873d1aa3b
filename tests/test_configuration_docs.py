"""The tables of docs/configuration.md: every flag and key of the reference has a row with a test that uses it."""

import ast
import re
from pathlib import Path

import pytest

from runtime.command.configure import NODE_WIDE, known_options
from runtime.configuration.reference_keys import SPECIAL

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

RUNNER = """
--timeout --save-checkpoint-dir --load-checkpoint-dir --inference --visual --headless --verbose -v --test-mode
checkpoint_enabled checkpoint_trigger_type checkpoint_trigger_value checkpoint_load_on_start
VISUAL_MODE HEADLESS_MODE INFERENCE_MODE VERBOSE SAVE_CHECKPOINT_DIR LOAD_CHECKPOINT_DIR
"""
UNIFIED_TRAINING = """
train_mode world_size seed debug train.total_epochs train.total_iters train.epoch_iters train.freeze_trunk
train.pretrained_dir train.last_k_checkpoints batch_size domains dataset_path dataset._target_ dataset.action_horizon
dataset.observation_horizon log_interval save_interval output_dir suffix --config-name --config-path --model --suffix
--backup --create-wrappers --nproc_per_node CUDA_VISIBLE_DEVICES MASTER_ADDR MASTER_PORT WORLD_SIZE RANK eval_mode
n_procs
"""
RUNNERS = """
env algorithm actor_class critic_class actor_cfg critic_cfg hidden_dims log_dir save_dir device log_interval
save_interval log_reward_components agent cfg learn(total_timesteps) eval(num_episodes) save_checkpoint load_checkpoint
add_callback iteration pre_iteration post_iteration pre_rollout post_rollout pre_update post_update train/policy_loss
train/value_loss train/entropy_loss train/approx_kl train/learning_rate episode/mean_reward episode/mean_length
rollout/mean_reward rollout/mean_value extras["time_outs"] extras["reward_components"] extras["log"]
"""
SECTIONS = {"The runner of an export": RUNNER, "Unified training": UNIFIED_TRAINING, "Runners": RUNNERS}
"""Every flag, key, argument, event and metric that the reference names, by the section of the page that is about it."""
PARSING = (
    "tests/runtime/configuration/test_files.py", "tests/runtime/configuration/test_reference_keys.py",
    "tests/runtime/command/test_options.py", "tests/runtime/command/test_overrides.py",
)  # fmt: skip
"""Tests of how flags are read: they show no effect."""
FORM = "key=value"


class Row:
    """One line of a table: what it is about, and its test."""

    def __init__(self, line):
        self.names = re.findall(r"`([^`]+)`", line.split("|")[1])
        ((self.path, self.test),) = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", line)
        self.functions = _functions(self.path)


def _rows(text=TEXT):
    return [Row(line) for line in text.splitlines() if line.startswith("| ") and "`tests/" in line]


def _functions(path):
    """The sources of a file's functions and classes by name, with their decorators."""
    source = (ROOT / path).read_text(encoding="utf-8")
    lines, found = source.splitlines(), {}
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests.runtime."):
            helpers = _functions(node.module.replace(".", "/") + ".py")
            found.update({alias.name: helpers[alias.name] for alias in node.names if alias.name in helpers})
    return found


def _source_of(row):
    """The test with the fixtures and helpers that it names, and those that these name."""
    wanted, seen = [row.test], {}
    while wanted:
        name = wanted.pop()
        seen[name] = row.functions[name]
        used = set(re.findall(r"\w+", seen[name]))
        wanted += [other for other in row.functions if other in used and other not in seen and other not in wanted]
    return "\n".join(seen.values()).replace("\\n", " ")


def _is_used(name, source):
    """Whether a flag or key stands in a source, there maybe without its group or with other dashes."""
    plain = re.sub(r'^extras\["(\w+)"\]$', r"\1", re.split("[(=]", name)[0].lstrip("-"))
    last = re.split(r"[./]", plain)[-1]
    return any(re.search(rf"\b{re.escape(each)}\b", source) for each in (plain, last, last.replace("-", "_")))


def test_every_test_that_is_named_exists_and_asserts_something():
    rows = _rows()
    assert len(rows) > 50
    for row in rows:
        assert row.test in row.functions, f"{row.path}::{row.test} does not exist"
        source = _source_of(row)
        assert "assert " in source or "pytest.raises" in source, row.test
        assert row.path not in PARSING, f"{row.path}::{row.test} shows how a flag is read, not what it does"


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.test)
def test_every_test_uses_what_its_row_is_about(row):
    source = _source_of(row)
    assert [name for name in row.names if name != FORM and not _is_used(name, source)] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_every_flag_and_key_of_the_reference_has_a_row(section):
    start = TEXT.index(f"### {section}\n")
    following = TEXT.find("\n### Runners" if section != "Runners" else "\n## ", start)
    rows = _rows(TEXT[start : following if following > 0 else len(TEXT)])
    named = {name for row in rows for name in row.names}
    assert set(SECTIONS[section].split()) - named == set()


def test_every_key_of_the_earlier_system_has_a_row():
    named = {name for row in _rows() for name in row.names}
    assert {*SPECIAL, "seed", "log_interval", "batch_size"} - named == set()


def test_a_test_that_does_not_use_its_flag_is_noticed():
    (row,) = _rows("| `--no-such-flag`, `seed` | | `tests/e2e/test_command.py::test_the_seed_decides_every_number` |")
    source = _source_of(row)
    assert [name for name in row.names if not _is_used(name, source)] == ["--no-such-flag"]


def test_every_option_that_the_text_names_is_one():
    section = TEXT[: TEXT.index("## Evaluation and sweeps")]
    options = {name.replace("-", "_") for name in re.findall(r"`--([a-z-]+)", section)}
    other = {"config", "config_name", "config_path", "preset", "signal", "nodes_dir"}
    assert options <= {*known_options(), *NODE_WIDE, *other}
