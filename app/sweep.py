"""Sweeps: one training per combination of values, each an ordinary run folder."""

import itertools
import json
import math
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from runtime.atomic import write_json
from runtime.command.configure import Target
from runtime.errors import DnneError
from runtime.recording import RunFolder
from runtime.recording.line_file import storage_errors
from runtime.recording.run_folder import slug
from runtime.recording.run_lock import RunLock

from .child_command import child_command
from .ranges import TooManyValues, split_values

SWEEP_FILE = "sweep.json"
SEED = "seed"
HOW_TO_RAISE = "--max-trials N raises that"
PLACES = ("log_dir", "run_name", "output_dir", "suffix", "resume")


class SweepError(DnneError):
    """A sweep cannot be started or continued. Names the key or the folder."""


class Trial(NamedTuple):
    """One training of a sweep.

    Attributes:
        name: Of its run folder.
        values: The swept keys with their values, as on a command line.
    """

    name: str
    values: Dict[str, str]

    @property
    def group(self) -> str:
        """What trials that differ in their seed alone have in common."""
        return " ".join(f"{key}={value}" for key, value in self.values.items() if key != SEED) or "all"


def make_trials(words: Sequence[str], most: int) -> Tuple[List[Trial], List[str]]:
    """Every combination of the keys with several values, and the words that all trials share.

    Args:
        words: ``KEY=VALUES``, as they were written.
        most: Trials that are allowed; they are counted before one of them is made.

    Raises:
        SweepError: No key has several values, a key is not for a sweep, or there are too many combinations.
    """
    axes: Dict[str, List[str]] = {}
    shared: List[str] = []
    for word in words:
        key, _, text = word.partition("=")
        values = _split_values(key, text, most)
        if key in PLACES:
            raise SweepError(f"{key}: a sweep chooses the folders of its runs itself; give --sweep-dir")
        if len(values) > 1:
            axes[key] = list(dict.fromkeys(values))
        else:
            shared.append(word)
    if not axes:
        raise SweepError(
            "nothing is swept; give a key several values, such as trainer.learning_rate=1e-4,3e-4 seed=0..4"
        )
    count = math.prod(len(values) for values in axes.values())
    if count > most:
        factors = " × ".join(f"{len(values):,}" for values in axes.values())
        raise SweepError(f"{factors} values make {count:,} trainings, and {most:,} are allowed; {HOW_TO_RAISE}")
    combinations = [dict(zip(axes, values)) for values in itertools.product(*axes.values())]
    width = len(str(len(combinations) - 1))
    trials = [
        Trial(f"{index:0{width}d}-{slug(' '.join(f'{key} {value}' for key, value in values.items()))}", values)
        for index, values in enumerate(combinations)
    ]
    return trials, shared


def _split_values(key: str, text: str, most: int) -> List[str]:
    try:
        return split_values(text, most)
    except TooManyValues as error:
        raise SweepError(f"{key}: {error}; {HOW_TO_RAISE}") from None


def check_keys(words: Sequence[str], targets_of: Callable[[str], FrozenSet[Target]]) -> None:
    """Make sure that every key of a sweep acts, and that no two set the same, however they are spelt.

    Args:
        words: ``KEY=VALUES``, as they were written, those of ``--set`` included.
        targets_of: What a word sets.

    Raises:
        DnneError: Nothing reads a key, or two set the same; names both.
    """
    setters: Dict[Target, str] = {}
    for word in words:
        key = word.partition("=")[0]
        targets = targets_of(word)
        for node, name in sorted(targets & setters.keys()):
            other = setters[node, name]
            what = f"the parameter {name} of node {node}" if node else f"the setting {name}"
            twice = f"{key} is given twice" if other == key else f"{other} and {key} both set {what}"
            raise SweepError(f"{twice}; put all its values into one list")
        setters.update(dict.fromkeys(targets, key))


def trial_command(file: str, trial: Trial, folder: Path, shared: Sequence[str], resume: bool) -> List[str]:
    """The command line of one training."""
    words = [f"{key}={value}" for key, value in trial.values.items()]
    places = ["--log-dir", str(folder), "--run-name", trial.name]
    again = ["--resume", "auto"] if resume else []
    return child_command(["train", file, *words, *shared, *places, *again])


def open_sweep(folder: Path, resume: bool) -> RunLock:
    """Make the folder of a sweep where it is missing, and keep other sweeps out of it until the lock is released.

    Raises:
        SweepError: It is no folder, or holds no sweep to go on with.
        RunError: Another sweep is at work in it.
        StorageError: It cannot be made.
    """
    with storage_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise SweepError(f"--sweep-dir {folder} is a file; expected a folder")
        path = folder / SWEEP_FILE
        if resume and folder.exists() and not path.is_file():
            raise SweepError(f"there is no sweep to go on with: {path} does not exist")
        folder.mkdir(parents=True, exist_ok=True)
    return RunLock(folder, "the sweep in {folder} is still going on")


def write_plan(folder: Path, file: str, trials: Sequence[Trial], shared: Sequence[str], resume: bool) -> None:
    """Note what the sweep consists of.

    Raises:
        SweepError: The folder holds another sweep, a damaged one, or one that was not asked to go on.
    """
    plan = {
        "dnne_sweep": 1,
        "workflow": str(Path(file).resolve()),
        "shared": list(shared),
        "trials": [{"name": trial.name, "values": trial.values} for trial in trials],
    }
    path = folder / SWEEP_FILE
    if path.is_file():
        if not resume:
            raise SweepError(f"{folder} holds a sweep already; go on with --resume, or choose another --sweep-dir")
        earlier = _read_plan(path)
        for name in ("workflow", "shared", "trials"):
            if earlier.get(name) != plan[name]:
                raise SweepError(f"{folder} holds another sweep: its {name} differ; choose another --sweep-dir")
    write_json(path, plan)


def _read_plan(path: Path) -> Dict[str, Any]:
    try:
        with storage_errors(path, "read"):
            plan = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise SweepError(f"{path} is damaged: {error}; choose another --sweep-dir") from error
    if not isinstance(plan, dict):
        raise SweepError(f"{path} is damaged: it describes no sweep; choose another --sweep-dir")
    return plan


def run_info(folder: Path, trial: Trial) -> Optional[Dict[str, Any]]:
    """What a trial's run.json says; ``None`` where there is none.

    Raises:
        RunError: It cannot be used.
    """
    run = RunFolder(folder / trial.name)
    return run.read_info() if run.info_file.is_file() else None


def is_finished(folder: Path, trial: Trial) -> bool:
    """Whether a trial has come to its end.

    Raises:
        RunError: Its run.json cannot be used.
    """
    info = run_info(folder, trial)
    return info is not None and info.get("result") == "finished"
