"""Folders that a run makes, and takes back where it does not begin."""

import contextlib
from pathlib import Path
from typing import Sequence, Tuple


def make_folder(path: Path) -> Tuple[Path, ...]:
    """Make a folder and its parents; those that were missing, the outermost first.

    Raises:
        OSError: one of them cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    return tuple(reversed(missing))


def take_back(folders: Sequence[Path]) -> None:
    """Remove folders that `make_folder` made, from the innermost on, as far as they hold nothing."""
    with contextlib.suppress(OSError):  # one that holds something, as another run uses it by now, stays
        for folder in reversed(folders):
            folder.rmdir()
