"""Finds the run that ``--resume auto`` goes on with."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Iterator, List, Tuple

from ..checkpoints import ResumeStore
from ..recording.line_file import storage_errors
from ..recording.run_folder import info_of, move_aside
from ..recording.run_lock import LOCK_FILE
from ..run.settings import TRAIN

AUTO = "auto"
BEGINNING = ("log_dir", "run_name", "load_checkpoint_dir", "pretrained_dir")
"""Options that say how a run begins; with ``auto`` they have done so where it goes on."""


def resolve_auto(args: argparse.Namespace, log_dir: str, workflow_name: str) -> str:
    """Put the newest resumable run of a workflow in place of ``auto``, or nothing where a new run has to begin.

    Args:
        args: Changed in place. With a run name only the run of that name counts; what a process left there that was
            killed before it saved a state is moved aside.
        log_dir: Where the runs lie.
        workflow_name: As runs note it.

    Returns:
        What was found, for the log.

    Raises:
        DnneError: The folder of that name is in use.
    """
    with storage_errors(log_dir, "read"):
        names = [Path(log_dir, args.run_name)] if args.run_name else _subfolders(Path(log_dir))
        found: List[Tuple[int, Path]] = list(_resumable(names, workflow_name))
    if found:
        args.resume = str(max(found)[1])
        for name in BEGINNING:
            setattr(args, name, None)
        return f"--resume auto: going on with {args.resume}"
    args.resume = None
    moved = _move_aside(names[0]) if args.run_name else ""
    return f"--resume auto: no run of {workflow_name!r} to go on with in {log_dir}; a new one begins{moved}"


def _subfolders(log_dir: Path) -> List[Path]:
    return [path for path in log_dir.iterdir() if path.is_dir()] if log_dir.is_dir() else []


def _resumable(folders: List[Path], workflow_name: str) -> Iterator[Tuple[int, Path]]:
    for folder in folders:
        entries = ResumeStore(folder).entries()
        info = info_of(folder) if entries else None
        if info is not None and info.get("name") == workflow_name and info.get("mode") == TRAIN:
            yield entries[0].path.stat().st_mtime_ns, folder


def _move_aside(folder: Path) -> str:
    if not folder.is_dir() or all(entry.name == LOCK_FILE for entry in folder.iterdir()):
        return ""
    if info_of(folder) is None:
        return ""
    return f"; {folder}, which holds no state to go on from, is now {move_aside(folder)}"
