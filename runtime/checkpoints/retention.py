"""Which checkpoints of a node stay: the latest, the newest few, the best."""

from pathlib import Path
from typing import Tuple

from ..atomic import link_or_copy, remove_directory, remove_leftovers
from .layout import BEST_FOLDER, HISTORY_FOLDER, METADATA_FILE, MODEL_FILE, history_entries, history_folder


def retain(folder: Path, iteration: int, keep_last: int, is_best: bool) -> None:
    """Keep the checkpoint just written in a node's folder also as the best one and in the history, as asked.

    Hard links are used where the file system has them. Older states than the ``keep_last`` newest are removed.

    Raises:
        StorageError: a file cannot be written or removed.
    """
    if is_best:
        _keep(folder, folder / BEST_FOLDER)
    if keep_last > 1:
        _keep(folder, history_folder(folder, iteration))
    _prune(folder, iteration, keep_last if keep_last > 1 else 0)
    for path in (folder / BEST_FOLDER, folder / HISTORY_FOLDER):
        if path.is_dir():
            remove_leftovers(path)


def _keep(folder: Path, target: Path) -> None:
    link_or_copy(folder / MODEL_FILE, target / MODEL_FILE)
    link_or_copy(folder / METADATA_FILE, target / METADATA_FILE)


def _prune(folder: Path, iteration: int, count: int) -> None:
    """Remove all but the ``count`` states saved last, by time, since a run that starts anew counts from one."""
    current = history_folder(folder, iteration)
    entries = sorted(history_entries(folder), key=lambda path: (path == current, _saved(path)), reverse=True)
    for path in entries[count:]:
        remove_directory(path)


def _saved(path: Path) -> Tuple[int, int]:
    """Time of saving in nanoseconds, zero for an incomplete one, and iteration."""
    try:
        return (path / MODEL_FILE).stat().st_mtime_ns, int(path.name)
    except FileNotFoundError:
        return 0, int(path.name)
