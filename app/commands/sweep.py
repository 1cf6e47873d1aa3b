"""Train a workflow once per combination of values, such as trainer.learning_rate=1e-4,3e-4 seed=0..4 iterations=500.

Every training is an ordinary run folder in the sweep's folder, which also gets results.csv, results.json and
learning_curves.png.
"""

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from runtime.command.configure import key_targets
from runtime.command.options import add_configuration_options, whole_number
from runtime.recording.run_folder import slug
from runtime.resolving import resolve_workflow
from runtime.workflow import load_workflow

from ..sweep import SweepError, Trial, check_keys, is_finished, make_trials, open_sweep, trial_command, write_plan
from ..sweep_backends import Backend, LocalBackend, RayBackend, SlurmBackend
from ..sweep_results import PICTURE, write_results
from ..sweep_resume import prepare_trial
from .common import add_nodes_dir, load_registry

DEFAULT_FOLDER = "sweeps"
MOST_TRIALS = 1000
FAILED, INTERRUPTED = 1, 130
ENDED_BY_SIGNAL = (130, 138, 143, -signal.SIGTERM)  # the last where it came before the training could hear it


def add_options(parser: argparse.ArgumentParser) -> None:
    """The workflow, the values and where the trainings run."""
    parser.add_argument("file", metavar="FILE", help="workflow")
    group = parser.add_argument_group("sweep")
    group.add_argument("--jobs", type=whole_number(1), default=1, metavar="N", help="trainings at a time (default 1)")
    group.add_argument("--backend", choices=("local", "slurm", "ray"), default="local", help="where they run")
    group.add_argument(
        "--backend-option", action="append", default=[], metavar="KEY=VALUE",
        help="for submitit (slurm_partition, timeout_min, cluster) or Ray (num_gpus, address); may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--sweep-dir", metavar="DIR", help=f"folder of the sweep (default: a new one in {DEFAULT_FOLDER})"
    )
    group.add_argument(
        "--max-trials", type=whole_number(1), default=MOST_TRIALS, metavar="N",
        help=f"refuse more trainings than this (default {MOST_TRIALS})",
    )  # fmt: skip
    group.add_argument("--resume", action="store_true", help="go on with --sweep-dir; what has finished is left alone")
    add_nodes_dir(parser)
    add_configuration_options(parser.add_argument_group("configuration; a key with several values is swept"))


def run(args: argparse.Namespace) -> int:
    """Run the sweep: 0, 1 where a training failed, 130 where it was interrupted."""
    trials, shared = make_trials(args.overrides, args.max_trials)
    shared += _shared_options(args)
    workflow = load_workflow(args.file)
    graph, _ = resolve_workflow(workflow, load_registry(args))
    check_keys([*args.overrides, *args.assignments], lambda word: key_targets(word, graph))
    folder = Path(args.sweep_dir or Path(DEFAULT_FOLDER, f"{slug(workflow.name)}-{time.strftime('%Y%m%d-%H%M%S')}"))
    backend = _backend(args, folder)
    lock = open_sweep(folder, args.resume)
    try:
        write_plan(folder, args.file, trials, shared, args.resume)
        waiting = _find_waiting(folder, trials, args.resume)
        codes = _run_all(args, backend, folder, waiting, shared)
        _print_groups(write_results(folder, trials))
        pictures = f", {PICTURE}" if (folder / PICTURE).is_file() else ""
        print(f"{folder}: results.csv, results.json{pictures}")
        return _verdict(folder, waiting, codes)
    finally:
        lock.release()


def _find_waiting(folder: Path, trials: Sequence[Trial], resume: bool) -> List[Trial]:
    """The trials that have not finished, and on standard error what becomes of those that have begun."""
    waiting = [trial for trial in trials if not is_finished(folder, trial)]
    if resume:
        for note in filter(None, [prepare_trial(folder, trial) for trial in waiting]):
            print(note, file=sys.stderr)
        waiting = [trial for trial in waiting if not is_finished(folder, trial)]
    if len(waiting) < len(trials):
        print(f"{len(trials) - len(waiting)} of {len(trials)} have finished already", file=sys.stderr)
    return waiting


def _shared_options(args: argparse.Namespace) -> List[str]:
    """Options that every training gets as they are."""
    given: List[str] = []
    for name in ("config", "config_name", "config_path", "preset"):
        value: Optional[str] = getattr(args, name)
        given += [f"--{name.replace('_', '-')}", value] if value is not None else []
    for assignment in args.assignments:
        given += ["--set", assignment]
    for directory in args.nodes_dir:
        given += ["--nodes-dir", directory]
    return given


def _backend(args: argparse.Namespace, folder: Path) -> Backend:
    options: Dict[str, Any] = {}
    for text in args.backend_option:
        key, equals, value = text.partition("=")
        if not equals:
            raise SweepError(f"--backend-option {text}: expected KEY=VALUE")
        options[key] = int(value) if value.isdecimal() else value
    if args.backend == "local":
        if options:
            raise SweepError("--backend-option has no effect on local processes")
        return LocalBackend(args.jobs)
    return SlurmBackend(folder, options, args.jobs) if args.backend == "slurm" else RayBackend(options, args.jobs)


def _run_all(
    args: argparse.Namespace, backend: Backend, folder: Path, waiting: Sequence[Trial], shared: Sequence[str]
) -> Dict[str, int]:
    """Exit codes by the names of the trials."""
    commands = [
        (trial_command(args.file, trial, folder, shared, args.resume), folder / f"{trial.name}.log")
        for trial in waiting
    ]
    codes: Dict[str, int] = {}
    for index, code in backend.run(commands):
        trial = waiting[index]
        codes[trial.name] = code
        print(f"{len(codes)} of {len(waiting)}: {trial.name}: {_verb(code)}", file=sys.stderr)
    return codes


def _verb(code: int) -> str:
    if code in ENDED_BY_SIGNAL:
        return "interrupted"
    return f"failed (code {code})" if code else "finished"


def _print_groups(groups: Sequence[Dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in ("values", "finished", "mean reward", "std", "IQM"):
        table.add_column(name, justify="left" if name == "values" else "right", overflow="fold")
    for group in groups:
        figures = ["" if group[name] is None else f"{group[name]:.2f}" for name in ("mean", "std", "iqm")]
        table.add_row(group["group"], f"{group['finished']} of {group['runs']}", *figures)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _verdict(folder: Path, waiting: Sequence[Trial], codes: Dict[str, int]) -> int:
    """List what did not finish; the exit code."""
    open_trials = [trial for trial in waiting if not is_finished(folder, trial)]
    for trial in open_trials:
        code = codes.get(trial.name)
        what = "did not start" if code is None else _verb(code)
        print(f"error: {trial.name} {what}; see {folder / trial.name}.log", file=sys.stderr)
    if not open_trials:
        return 0
    interrupted = all(_verb(codes.get(trial.name, INTERRUPTED)) == "interrupted" for trial in open_trials)
    return INTERRUPTED if interrupted else FAILED
