"""Command lines and configurations of the earlier training scripts, as ours."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from runtime.command.configure import NODE_WIDE, known_options
from runtime.configuration import reference_keys
from runtime.configuration.files import find_config, flatten, load_config
from runtime.errors import DnneError
from runtime.graph import Graph

SCRIPTS = ("run.py", "run_ddp.py", "run_train.py", "run_eval_sim.py")
WRAPPED = ("run.py", "run_ddp.py")
MODES = {"run.py": "single", "run_ddp.py": "distributed"}
EVALUATION = "run_eval_sim.py"
VALUE_OPTIONS = ("config-name", "config-path", "model", "suffix")


class MigrationError(DnneError):
    """An old command line or configuration cannot be turned into ours. Names what is wrong in it."""


class OldCommand(NamedTuple):
    """A command line of the earlier scripts, taken apart."""

    script: str
    processes: Optional[str]
    options: Dict[str, str]
    values: Dict[str, Any]
    notes: List[str]


class Migration(NamedTuple):
    """What replaces an old command line.

    Attributes:
        config: Keys for our configuration file; empty where there was no old one.
        words: Keys that stood on the command line.
        notes: What was left out, and why.
        is_evaluation: It is a `dnne evaluate`, whose options are the words.
    """

    config: Dict[str, Any]
    words: List[str]
    notes: List[str]
    is_evaluation: bool = False

    def command(self, workflow: str, config_file: Optional[str] = None) -> List[str]:
        """Ours, without the program's name; without a file its keys become words."""
        if self.is_evaluation:
            return ["evaluate", workflow, *self.words]
        inline = [] if config_file is not None else [f"{key}={_text(value)}" for key, value in self.config.items()]
        file = ["--config", config_file] if config_file is not None and self.config else []
        return ["train", workflow, *file, *inline, *self.words]


def take_apart(words: Sequence[str]) -> OldCommand:
    """Script, options and overrides of an old command line.

    Raises:
        MigrationError: It calls none of the earlier scripts, or an option lacks its value.
    """
    names = [Path(word).name for word in words]
    script = next((name for name in names if name in SCRIPTS), None)
    if script is None:
        raise MigrationError(f"{shlex.join(words)}: this calls none of {', '.join(SCRIPTS)}")
    at = names.index(script)
    options, values, notes = _options(words[at + 1 :])
    processes = next((word.split("=")[1] for word in words[:at] if word.startswith("--nproc_per_node=")), None)
    return OldCommand(script, processes, options, values, notes)


def _options(words: Sequence[str]) -> Tuple[Dict[str, str], Dict[str, Any], List[str]]:
    options: Dict[str, str] = {}
    values: Dict[str, Any] = {}
    notes: List[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word[2:].partition("=")
        if word.startswith("--") and name in VALUE_OPTIONS:
            if not equals and not waiting:
                raise MigrationError(f"{word} lacks its value")
            options[name] = value if equals else waiting.pop(0)
        elif not word.startswith("-") and "=" in word:
            key, _, text = word.partition("=")
            values[key.lstrip("+")] = text
        else:
            notes.append(f"{word}: it is no option of the earlier scripts; left out")
    return options, values, notes


def migrate(old: OldCommand, graph: Optional[Graph], folder: Path) -> Migration:
    """Ours in place of an old command.

    Args:
        old: The command, taken apart.
        graph: The workflow; keys of its nodes are kept.
        folder: Where the old configurations are looked for.

    Raises:
        DnneError: The configuration is not there or cannot be read.
    """
    notes = list(old.notes)
    content: Dict[str, Any] = {}
    name = old.options.get("config-name")
    if name is not None:
        path = old.options.get("config-path")
        where = str(folder / path) if path is not None else str(folder / "configs")
        is_there = path is not None or (folder / "configs").is_dir()
        content = dict(flatten(load_config(find_config(where if is_there else str(folder), name))))
    if old.script == EVALUATION:
        return _evaluation({**content, **old.values}, notes)
    is_read = _reader(graph)
    config = {key: value for key, value in content.items() if _is_kept(key, is_read, notes)}
    values = {**_mode(old), **old.values}
    words = [f"{key}={value}" for key, value in values.items() if _is_kept(key, is_read, notes)]
    return Migration(config, words, notes)


def _mode(old: OldCommand) -> Dict[str, Any]:
    values: Dict[str, Any] = {"suffix": old.options["suffix"]} if "suffix" in old.options else {}
    if old.script in MODES:
        values["train_mode"] = MODES[old.script]
    if old.processes is not None:
        values.update(train_mode="distributed", world_size=old.processes)
    return values


def _evaluation(values: Dict[str, Any], notes: List[str]) -> Migration:
    folder = values.pop("train.pretrained_dir", None)
    if not folder:
        raise MigrationError(f"{EVALUATION}: train.pretrained_dir is not given; expected the folder of the checkpoints")
    words = ["--load-checkpoint-dir", str(folder)]
    if values.pop("eval_mode", None) == "parallel":
        words += ["--parallel", str(values.get("n_procs", 1))]
    values.pop("n_procs", None)
    if "seed" in values:
        words += ["--seeds", str(values.pop("seed"))]
    notes += [f"{key}: it says nothing of an evaluation; left out" for key in values]
    return Migration({}, words, notes, is_evaluation=True)


def _reader(graph: Optional[Graph]) -> Callable[[str], bool]:
    """Whether something of ours reads a key."""
    known = {*known_options(), *reference_keys.SPECIAL, *NODE_WIDE}

    def is_read(key: str) -> bool:
        node, _, name = key.rpartition(".")
        if key in known:
            return True
        try:
            return graph is not None and bool(node) and name in graph.find(node).parameters
        except DnneError:
            return False

    return is_read


def _is_kept(key: str, is_read: Callable[[str], bool], notes: List[str]) -> bool:
    reason = reference_keys.refusal(key)
    if reason:
        notes.append(f"{key}: not applicable: {reason.partition(';')[0]}; left out")
        return False
    if not is_read(key):
        notes.append(f"{key}: nothing of this version reads it; left out")
        return False
    return True


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def wrapper_text(script: str, workflow: str) -> str:
    """A script that takes the old options and calls ours."""
    return (
        f'"""Calls `dnne train` in place of the earlier {script}. Written by `dnne migrate --create-wrappers`."""\n\n'
        "import sys\n\n"
        "from app.migration import run_old_command\n\n"
        f"sys.exit(run_old_command({json.dumps(script)}, sys.argv[1:], {json.dumps(workflow)}))\n"
    )


def run_old_command(script: str, words: Sequence[str], workflow: str) -> int:
    """What a wrapper does: translate, say what was left out, and train."""
    from .cli import main

    try:
        migration = migrate(take_apart([script, *words]), workflow_graph(workflow), Path.cwd())
    except DnneError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for note in migration.notes:
        print(f"note: {note}", file=sys.stderr)
    return main(migration.command(workflow))


def workflow_graph(path: str) -> Graph:
    """The graph of a workflow file of built-in and installed node types.

    Raises:
        DnneError: It cannot be read, or is wrong.
    """
    import argparse

    from .commands.common import file_source

    return file_source(path, argparse.Namespace(nodes_dir=[])).build(lambda graph: [])
