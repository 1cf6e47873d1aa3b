"""Files of lines that grow while a run goes on: each write appends whole lines, so that a killed run leaves whole ones.

What tears a line all the same (a full disk, a machine that loses its power) is cut off when the file is continued.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Callable, Iterator, Optional, Tuple

from ..atomic import PathLike
from ..errors import StorageError

_BLOCK = 1 << 16
_FULL = (errno.ENOSPC, errno.EDQUOT)


class LineFile:
    """A file that whole lines are appended to, straight to the system, without a buffer of its own.

    After an error every later write does nothing: the first error has ended the run, and the other recorders must
    still hear of it.
    """

    def __init__(self, path: PathLike, append: bool = False) -> None:
        """Create the file and its parent folders, or continue it after its last whole line.

        Raises:
            StorageError: the file cannot be created or opened.
        """
        self.path = Path(path)
        self._failed = False
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if append:
                _cut_torn_line(self.path)
            self._file = self.path.open("ab" if append else "wb", buffering=0)

    def write(self, lines: str) -> None:
        """Append text that ends with a line end.

        Raises:
            StorageError: it cannot be written, for example because the disk is full.
        """
        if self._failed:
            return
        rest = memoryview(lines.encode("utf-8", "backslashreplace"))
        try:
            with storage_errors(self.path):
                while rest:
                    rest = rest[self._file.write(rest) :]
        except StorageError:
            self._failed = True
            raise

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()


@contextlib.contextmanager
def storage_errors(path: PathLike, action: str = "write") -> Iterator[None]:
    """Turn the system's errors into a :class:`StorageError` that names ``path`` and the reason."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        advice = "free some space there or choose another place" if error.errno in _FULL else "choose another place"
        raise StorageError(f"cannot {action} {os.fspath(path)}: {reason}; {advice}") from error


def cut_after(path: PathLike, iteration: int, iteration_of: Callable[[bytes], Optional[int]]) -> None:
    """Cut the file before the first line past ``iteration``; a torn last line is cut off too.

    Lines that belong to no iteration stay where they stand before the cut. The file is read from its end, only as far
    as needed, and cut in one step: a process killed meanwhile leaves either the old end or the new one. A missing file
    is left missing.

    Args:
        path: Lines in the order in which they were written, their iterations never falling.
        iteration: The last iteration to be kept.
        iteration_of: The iteration that a line belongs to, ``None`` for a line of no iteration.

    Raises:
        StorageError: the file cannot be read or cut.
    """
    with storage_errors(path, "shorten"), contextlib.suppress(FileNotFoundError), Path(path).open("rb+") as file:
        pieces = _lines_from_end(file)
        cut, _ = next(pieces)
        for start, line in pieces:
            found = iteration_of(line)
            if found is not None and found <= iteration:
                break
            if found is not None:
                cut = start
        file.truncate(cut)


def whole_lines(path: PathLike) -> Iterator[str]:
    """Yield the lines without their ends; a torn last line is left out.

    Raises:
        StorageError: the file cannot be read.
    """
    with storage_errors(path, "read"), Path(path).open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line[:-1].decode("utf-8", "replace")


def _cut_torn_line(path: Path) -> None:
    if not path.exists() or not stat.S_ISREG(path.stat().st_mode):
        return
    with path.open("rb+") as file:
        end, torn = next(_lines_from_end(file))
        if torn:
            file.truncate(end)


def _lines_from_end(file: BinaryIO) -> Iterator[Tuple[int, bytes]]:
    """Yield (offset, line) from the last line to the first; the very first is what follows the last line end."""
    position = file.seek(0, os.SEEK_END)
    begun_earlier = b""
    while position:
        start = max(0, position - _BLOCK)
        file.seek(start)
        pieces = (file.read(position - start) + begun_earlier).split(b"\n")
        offset = position + len(begun_earlier)
        for piece in reversed(pieces[1:]):
            offset -= len(piece)
            yield offset, piece
            offset -= 1
        begun_earlier, position = pieces[0], start
    yield 0, begun_earlier
