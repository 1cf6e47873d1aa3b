"""One run at a time writes into a folder."""

import contextlib
import errno
import logging
import os
import platform
import weakref
from pathlib import Path
from typing import Optional

from ..errors import RunError, StorageError
from .line_file import storage_errors

logger = logging.getLogger(__name__)

LOCK_FILE = ".lock"
_TAKEN = {errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN}


class RunLock:
    """Held until it is released, or until the process ends, however it ends."""

    def __init__(self, folder: Path, taken: str = "the run in {folder} is still going on") -> None:
        """Lock the folder.

        Args:
            folder: An existing folder; a hidden file is left in it.
            taken: What the error says where another run holds the lock.

        Where the system or the file system has no locks, a warning is logged instead.

        Raises:
            RunError: another run holds the lock.
            StorageError: the lock's file cannot be written.
        """
        self._release: Optional[weakref.finalize] = None
        self._path = path = folder / LOCK_FILE
        while True:
            with storage_errors(path):
                descriptor = os.open(str(path), os.O_RDWR | os.O_CREAT, 0o644)
            self._release = weakref.finalize(self, os.close, descriptor)
            self._lock(folder, descriptor, taken)
            if _is_file_of(descriptor, path):
                break
            self.release()  # the run that held the lock has removed its file: another run would lock a new one
        try:
            with storage_errors(path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
        except StorageError:
            self.remove()
            raise

    def release(self) -> None:
        """Let others write into the folder; a second call does nothing."""
        if self._release is not None:
            self._release()

    def remove(self) -> None:
        """Remove the lock's file and release the lock; does nothing where it is released already.

        Raises:
            StorageError: it cannot be removed.
        """
        if self._release is None or not self._release.alive:
            return
        if os.name == "nt":
            self.release()  # an open file cannot be removed there
        try:
            with storage_errors(self._path, "remove"), contextlib.suppress(FileNotFoundError):
                self._path.unlink()
        finally:
            self.release()

    def _lock(self, folder: Path, descriptor: int, taken: str) -> None:
        try:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            logger.warning("this system has no file locks: take care that only one process writes into %s", folder)
        except OSError as error:
            if error.errno in _TAKEN:
                holder = os.read(descriptor, 200).decode("utf-8", "replace") or "another process"
                self.release()
                raise RunError(
                    f"{taken.format(folder=folder)} ({holder}); stop it first, or choose another folder"
                ) from error
            logger.warning(
                "%s cannot be locked (%s): take care that only one process writes into it", folder, error.strerror
            )


def _is_file_of(descriptor: int, path: Path) -> bool:
    """Whether the file that is open is still the one of this name."""
    with storage_errors(path):
        try:
            return os.path.samestat(os.fstat(descriptor), path.stat())
        except FileNotFoundError:
            return False
