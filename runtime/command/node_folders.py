"""Folders of node files that a run was made with, as ``--nodes-dir`` named them.

They are recorded with the run, and named where they are missed. They are never loaded from there: node files are
programs, and a run's folder may come from somebody else. What is executed, the user names on the command line.
"""

from __future__ import annotations

import argparse
import os
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

from ..atomic import PathLike
from ..errors import RunError
from ..problems import InvalidWorkflow, Problem
from ..recording import RunFolder
from ..recording.run_folder import INFO_FILE

KEY = "nodes_dirs"


def given_folders(args: argparse.Namespace) -> List[str]:
    """Those of the command line, as full paths; an exported runner has none."""
    return [str(Path(folder).absolute()) for folder in getattr(args, "nodes_dir", None) or ()]


def recorded_folders(info: Dict[str, Any]) -> List[str]:
    """Those that the ``run.json`` of a run names."""
    named = info.get(KEY)
    return [folder for folder in named if isinstance(folder, str)] if isinstance(named, list) else []


def folders_of_run(path: PathLike) -> List[str]:
    """Those of the run whose folder this is, or lies in; none where there is no run that can be read."""
    for folder in (Path(path), *list(Path(path).absolute().parents)[:2]):
        if (folder / INFO_FILE).is_file():
            try:
                return recorded_folders(RunFolder.open(folder, lock=False).read_info())
            except RunError:
                return []  # the error that the caller is about to report is the one that counts
    return []


@contextmanager
def named_where_missed(recorded: Sequence[str], args: argparse.Namespace) -> Iterator[None]:
    """Add to the problems of a workflow which folders its run was made with, and the options that name them again.

    Args:
        recorded: Folders of the run.
        args: Options of this command.

    Raises:
        InvalidWorkflow: The workflow has problems.
    """
    try:
        yield
    except InvalidWorkflow as error:
        given = {os.path.realpath(folder) for folder in given_folders(args)}
        missed = [folder for folder in dict.fromkeys(recorded) if os.path.realpath(folder) not in given]
        raise InvalidWorkflow([*error.problems, *map(_missed, missed)]) from None


def _missed(folder: str) -> Problem:
    made = f"the run was made with the node files in {folder}"
    if not Path(folder).is_dir():
        return Problem("", "", f"{made}, which is not there any more", "name where they are now: --nodes-dir DIR")
    return Problem("", "", f"{made}, which are not loaded unasked", f"add --nodes-dir {shlex.quote(folder)}")
