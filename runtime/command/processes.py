"""How a command comes to run in one process or in several."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Mapping, NamedTuple, Optional, Sequence

import torch

from ..atomic import write_text
from ..checkpoints import ResumeStore
from ..distributed.communicator import Communicator
from ..distributed.failures import has_launcher
from ..distributed.launcher import launch, restart_count
from ..distributed.modes import AUTO, JOIN, LAUNCH, Mode, Wishes, choose_mode
from ..errors import DistributedError, RunError, StorageError
from ..events import Failed
from ..recording import JsonLinesSink, RunFolder
from ..recording.line_file import storage_errors
from ..recording.run_folder import info_of, move_aside, refuse_held, slug
from .options import DEFAULT_LOG_DIR

logger = logging.getLogger(__name__)

RUN_NAME, EXIT_CODE_FILE, JOB = "DNNE_RUN_NAME", "DNNE_EXIT_CODE_FILE", "DNNE_JOB"
"""What our launcher tells the processes that it starts, beside what torch's tells them."""


SHARED_JOB = "none"
"""The id that torchrun gives to every job without a rendezvous of its own."""

NO_JOB = "; this restart cannot tell whether its own job made it: give torchrun --rdzv-id with an id of the job's own"

OF_SEVERAL = ("max_restarts", "collective_timeout")
"""Options that act where there are several processes."""


class Team(NamedTuple):
    """The processes of a run.

    Attributes:
        communicator: Connects them.
        note: How they came about, for the log.
    """

    communicator: Communicator
    note: str = ""


ALONE = Team(Communicator())


def mode_of(args: argparse.Namespace, inference: bool) -> Mode:
    """How the run is to be carried out.

    Args:
        args: Options, those of configuration files included.
        inference: Nothing is trained.

    Raises:
        DistributedError: options and environment contradict each other, or inference would run in several processes.
        RunError: the run to resume cannot be read.
    """
    wishes = Wishes(
        getattr(args, "train_mode", None) or AUTO,
        getattr(args, "world_size", None),
        getattr(args, "nproc", None),
        args.device or _earlier_device(args),
    )
    mode = choose_mode(wishes, os.environ, torch.cuda.device_count)
    if inference and mode.world_size > 1:
        raise DistributedError("inference runs in one process; to evaluate faster give it more environments")
    if mode.kind == JOIN and getattr(args, "max_restarts", None) and EXIT_CODE_FILE not in os.environ:
        raise DistributedError("--max-restarts is for the launcher that started this process; give it to torchrun")
    return mode


def _earlier_device(args: argparse.Namespace) -> Optional[str]:
    resume = getattr(args, "resume", None)
    if not resume or not Path(resume).is_dir():
        return None
    settings = RunFolder.open(resume, lock=False).read_info().get("settings")
    device = settings.get("device") if isinstance(settings, dict) else None
    return device if isinstance(device, str) else None


def connect(mode: Mode, args: argparse.Namespace) -> Team:
    """Join the other processes, where there are any.

    Raises:
        DistributedError: they cannot be reached.
    """
    asked = any(getattr(args, name, None) for name in ("train_mode", "world_size", "nproc"))
    reason = f"started by this command, {mode.local} on this machine" if EXIT_CODE_FILE in os.environ else mode.reason
    note = f"{mode.world_size} processes: {reason}" if mode.world_size > 1 else f"one process: {mode.reason}"
    if mode.kind != JOIN or mode.world_size == 1:
        idle = [name for name in OF_SEVERAL if getattr(args, name, None) is not None]
        asked = asked or bool(idle)
        note += "".join(f"; --{name.replace('_', '-')} has no effect" for name in idle)
        return Team(Communicator(), note if asked or mode.kind == JOIN else "")
    from ..distributed.process_group import DEFAULT_TIMEOUT, ProcessGroup

    timeout = getattr(args, "collective_timeout", None)
    return Team(ProcessGroup.connect(DEFAULT_TIMEOUT if timeout is None else timeout), note)


def start(mode: Mode, command: Optional[Sequence[str]], args: argparse.Namespace, name: str) -> int:
    """Start the processes of this machine, wait for them, and return the exit code.

    Args:
        mode: How many.
        command: What each of them runs; None where the caller cannot be run again.
        args: Options, those of configuration files included.
        name: The workflow's.

    Raises:
        DistributedError: there is no command.
    """
    assert mode.kind == LAUNCH
    if command is None:
        raise DistributedError("this program cannot start itself in several processes; use dnne train, or torchrun")
    with tempfile.TemporaryDirectory(prefix="dnne-") as folder:
        code_file = Path(folder, "exit-code")
        os.environ[EXIT_CODE_FILE] = str(code_file)
        os.environ[JOB] = uuid.uuid4().hex
        if not args.resume:
            os.environ[RUN_NAME] = args.run_name or f"{slug(name)}-{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            code = launch(command, mode, args.max_restarts or 0, partial(_tell_watcher, args.events))
        finally:
            for variable in (EXIT_CODE_FILE, RUN_NAME, JOB):
                os.environ.pop(variable, None)
        return int(code_file.read_text(encoding="utf-8")) if code == 0 and code_file.exists() else code


def _tell_watcher(target: Optional[str], event: Failed) -> None:
    """Add an event to those that rank 0 has sent to ``--events``."""
    if not target:
        return
    try:
        with contextlib.closing(JsonLinesSink(target, append=True)) as sink:
            sink(event)
    except StorageError as error:  # the failure itself is what counts, and has been reported
        sys.stderr.write(f"warning: the failure is not among the events: {error}\n")


def leave(code: int, environment: Mapping[str, str] = os.environ) -> int:
    """The exit code of a process, from that of its command.

    A launcher takes every code but 0 for a failure, and starts all processes again. Bad input and a stop in order are
    none; our launcher reads them from a file.
    """
    if EXIT_CODE_FILE in environment:
        write_text(environment[EXIT_CODE_FILE], str(code))
        return 0
    return 0 if has_launcher() and code > 128 else code


def use_launchers_name(args: argparse.Namespace) -> None:
    """Take the name of the run folder that our launcher chose, so that a restart finds it again."""
    name = os.environ.get(RUN_NAME)
    if not name or args.resume:
        return
    in_run = args.run_name and Path(args.log_dir or DEFAULT_LOG_DIR, args.run_name, "checkpoints")
    if in_run and args.save_checkpoint_dir == str(in_run):
        args.save_checkpoint_dir = str(Path(args.log_dir or DEFAULT_LOG_DIR, name, "checkpoints"))
    args.run_name = name


def job_id(environment: Mapping[str, str] = os.environ) -> Optional[str]:
    """What a launcher calls the job, the same in every restart; ``None`` where it gave the job no id of its own."""
    job = environment.get(JOB) or environment.get("TORCHELASTIC_RUN_ID")
    return job if job and job != SHARED_JOB else None


def resume_after_restart(args: argparse.Namespace) -> None:
    """Where a launcher starts this process again, let it go on from the last saved state, on rank 0.

    A run that failed before its first state was saved begins anew, and its folder is kept under another name. A folder
    of that name that this job did not make stays as it is.

    Raises:
        RunError: the run has no name by which it could be found, or the folder of that name holds something that this
            job did not make, or is in use.
        StorageError: the folder cannot be read or renamed.
    """
    if not restart_count(os.environ) or args.resume:
        return
    if not args.run_name:
        raise RunError(
            "this process was started again after a failure, but the run cannot be found: give --run-name, so that a "
            "restart goes on with it"
        )
    folder = Path(args.log_dir or DEFAULT_LOG_DIR, args.run_name)
    with storage_errors(folder, "read"):
        if not folder.is_dir():
            return
        info, job, is_resumable = info_of(folder), job_id(), bool(ResumeStore(folder).entries())
    if info is None or job is None or info.get("job") != job:
        refuse_held(folder, "" if job else NO_JOB)
    elif is_resumable:
        go_on_with(args, str(folder))
    else:
        logger.warning("%s, which holds no state to go on from, is now %s", folder, move_aside(folder))


def go_on_with(args: argparse.Namespace, folder: str) -> None:
    """Resume a run in place of beginning it."""
    args.resume = folder
    args.log_dir = args.run_name = args.load_checkpoint_dir = None
