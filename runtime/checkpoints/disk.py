"""Whether the disk has room for the next checkpoint."""

import shutil
from pathlib import Path
from typing import Optional

from ..atomic import PathLike
from ..errors import CheckpointError

_MARGIN = 2


def enough_space(path: PathLike, bytes_needed: int) -> Optional[str]:
    """Return a warning where the free space is less than twice the next checkpoint, else None.

    The old checkpoint stays until the new one is complete, so that one save needs room for both.

    Args:
        path: The file or folder to be written; need not exist yet.
        bytes_needed: The size of the next checkpoint in bytes.

    Raises:
        CheckpointError: the disk's free space cannot be asked for.
    """
    existing = _existing_ancestor(Path(path).absolute())
    try:
        free = shutil.disk_usage(existing).free
    except OSError as error:
        raise CheckpointError(f"the free space for {path} is unknown: {error.strerror or error}") from error
    if free >= _MARGIN * bytes_needed:
        return None
    return (
        f"little disk space for {path}: {format_bytes(free)} are free, and the next checkpoint of "
        f"{format_bytes(bytes_needed)} should have {format_bytes(_MARGIN * bytes_needed)}; free some space or choose "
        "another folder"
    )


def format_bytes(count: int) -> str:
    """Return a size for people: ``1.5 MB``, in powers of 1000."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _existing_ancestor(path: Path) -> Path:
    return next((parent for parent in (path, *path.parents) if parent.exists()), Path(path.anchor))
