"""Files and folders that are written completely or not at all.

Content goes to a temporary name in the same folder, is flushed to the disk and renamed onto its target, so that a
process killed at any instant leaves either the old content or the new one. Temporaries that a killed process left
behind are removed at the next write into the same folder.
"""

import contextlib
import errno
import itertools
import json
import logging
import os
import platform
import re
import shutil
import stat
import time
import uuid
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Iterator, List, Optional, Union

from .errors import StorageError

logger = logging.getLogger(__name__)

PathLike = Union[str, "os.PathLike[str]"]

_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_PROCESS = uuid.uuid4().hex[:8]
_COUNTER = itertools.count()
_UNFINISHED = re.compile(r"\.(?P<role>tmp|old)-(?P<pid>[0-9]+)-(?P<host>[0-9a-f]{8})-(?P<process>[0-9a-f]{8})-[0-9]+$")
_FOREIGN_AGE = 24 * 3600.0
_FSYNC_UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_ADVICE = {
    errno.ENOSPC: "free some space on this disk or choose another folder",
    errno.EDQUOT: "the disk quota is used up: free some space or choose another folder",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.EACCES: "this user may not write there: choose another folder or change its permissions",
    errno.EPERM: "this user may not write there: choose another folder or change its permissions",
    errno.ENOTDIR: "a part of the path is a file, not a folder: choose another folder",
    errno.EEXIST: "a part of the path is a file, not a folder: choose another folder",
    errno.EISDIR: "this is a folder, not a file: choose another name",
}


def write_text(path: PathLike, text: str) -> None:
    """Write ``text`` as UTF-8 with its line ends as they are.

    Raises:
        StorageError: the file cannot be written; the old file is as it was.
    """
    write_bytes(path, _encoded(path, text))


def write_bytes(path: PathLike, content: bytes) -> None:
    """Write ``content``.

    Raises:
        StorageError: the file cannot be written; the old file is as it was.
    """
    with atomic_file(path) as file:
        file.write(content)


def write_json(path: PathLike, obj: Any) -> None:
    """Write ``obj`` as indented UTF-8 JSON with a final line end.

    Raises:
        StorageError: the file cannot be written, or ``obj`` is no JSON (NaN and infinity are none); the old file is as
            it was.
    """
    try:
        text = json.dumps(obj, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise StorageError(f"cannot write {os.fspath(path)}: the content is no JSON: {error}") from error
    write_text(path, text + "\n")


def save_tensors(path: PathLike, state: Any) -> None:
    """Write ``state`` with ``torch.save``.

    Raises:
        StorageError: the file cannot be written; the old file is as it was.
    """
    import torch

    with atomic_file(path) as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            behind = _os_error_behind(error)
            if behind is None:
                raise
            raise behind from error


@contextlib.contextmanager
def atomic_file(path: PathLike) -> Iterator[BinaryIO]:
    """Open a temporary file for writing, and rename it onto ``path`` when the block ends without an exception.

    Missing parent folders are created; a symbolic link is followed; the permissions of an existing file are kept.

    Raises:
        StorageError: the file cannot be written; the old file is as it was.
    """
    target = Path(os.path.realpath(path))
    with _storage_errors(target):
        _refuse_special(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target.parent)
        temporary = temporary_path(target)
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _keep_mode(target, temporary)
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
            raise
        fsync_folder(target.parent)


@contextlib.contextmanager
def atomic_directory(path: PathLike) -> Iterator[Path]:
    """Yield a new, empty folder beside ``path``, and rename it to ``path`` when the block ends without an exception.

    An existing folder is replaced whole. As a non-empty folder cannot be replaced in one step, the old one is moved
    aside first; where a process is killed between the two steps, the next write into the parent folder moves it back.

    Raises:
        StorageError: the folder cannot be written, or ``path`` is a file; the old folder is as it was.
    """
    target = Path(os.path.realpath(path))
    with _storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target.parent)
        if target.exists() and not target.is_dir():
            raise StorageError(f"cannot write the folder {target}: a file of this name exists; choose another name")
        temporary = temporary_path(target)
        temporary.mkdir()
        try:
            yield temporary
            _fsync_tree(temporary)
            _replace_folder(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def remove_directory(path: PathLike) -> None:
    """Remove a folder in such a way that a process killed meanwhile never leaves half of it under its name.

    Raises:
        StorageError: the folder cannot be removed.
    """
    target = Path(path)
    with _storage_errors(target, action="remove"):
        doomed = temporary_path(target)
        target.rename(doomed)
        shutil.rmtree(doomed)


def link_or_copy(source: PathLike, target: PathLike) -> None:
    """Make ``target`` the same file as ``source``, at once: a hard link, or a copy where the file system has no links.

    Raises:
        StorageError: the file cannot be written; the old file is as it was.
    """
    destination = Path(os.path.realpath(target))
    with _storage_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(destination.parent)
        temporary = temporary_path(destination)
        try:
            _link(Path(source), temporary)
            temporary.replace(destination)
        finally:
            # Renaming one link of a file onto another link of it does nothing and leaves both.
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
        fsync_folder(destination.parent)


def remove_leftovers(folder: PathLike) -> None:
    """Remove the temporaries that killed processes left in ``folder``; bring back folders that they had moved aside.

    Those of living processes stay, and so do those of other machines until they are a day old.
    """
    for path in _stale(Path(folder)):
        original = path.with_name(finished_name(path.name))
        try:
            if is_aside(path) and not original.exists():
                path.rename(original)
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            logger.warning("%s, left behind by a killed process, cannot be removed: %s", path, error.strerror)
        else:
            logger.info("removed or restored %s, left behind by a killed process", path)


def fsync_folder(folder: Path) -> None:
    """Flush the names in ``folder`` to the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _FSYNC_UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def temporary_path(target: Path) -> Path:
    """Return a new temporary name beside ``target`` that says which process on which machine made it."""
    return _unfinished_path(target, "tmp")


def is_unfinished(path: PathLike) -> bool:
    """Whether the name is one that this module gives to unfinished files and folders."""
    return _UNFINISHED.search(os.fspath(path)) is not None


def is_aside(path: PathLike) -> bool:
    """Whether the name is that of a folder moved aside for the instant of its replacement; it is complete."""
    match = _UNFINISHED.search(os.fspath(path))
    return match is not None and match["role"] == "old"


def finished_name(name: str) -> str:
    """Return the name without the ending that this module gives to unfinished files and folders."""
    return _UNFINISHED.sub("", name)


def _unfinished_path(target: Path, role: str) -> Path:
    return target.with_name(f"{target.name}.{role}-{os.getpid()}-{_HOST}-{_PROCESS}-{next(_COUNTER)}")


@contextlib.contextmanager
def _storage_errors(path: Path, action: str = "write") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(_explain(path, error, action)) from error


def _explain(path: Path, error: OSError, action: str) -> str:
    code = errno.errorcode.get(error.errno, "unknown") if error.errno is not None else "unknown"
    message = f"cannot {action} {path}: {error.strerror or error} ({code})"
    advice = _ADVICE.get(error.errno) if error.errno is not None else None
    return f"{message}; {advice}" if advice else message


def _encoded(path: PathLike, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise StorageError(f"cannot write {os.fspath(path)}: the text is not valid Unicode: {error}") from error


def _os_error_behind(error: BaseException) -> Optional[OSError]:
    """torch reports a full disk as "unexpected pos", with the system's own error only as its context."""
    current: Optional[BaseException] = error
    while current is not None:
        if isinstance(current, OSError):
            return current
        current = current.__context__
    return None


def _refuse_special(target: Path) -> None:
    """A rename would replace a device such as /dev/null by a plain file, where the user may do that."""
    if target.exists() and not target.is_file():
        kind = "folder" if target.is_dir() else "device or pipe"
        raise StorageError(f"cannot write {target}: it is a {kind}, not a file; choose another name")


def _keep_mode(target: Path, temporary: Path) -> None:
    if not target.exists():
        return
    mode = stat.S_IMODE(target.stat().st_mode)
    if mode != stat.S_IMODE(temporary.stat().st_mode):
        temporary.chmod(mode)


def _replace_folder(temporary: Path, target: Path) -> None:
    if not target.exists():
        temporary.rename(target)
        fsync_folder(target.parent)
        return
    aside = _unfinished_path(target, "old")
    target.rename(aside)
    try:
        temporary.rename(target)
    except OSError:
        aside.rename(target)
        raise
    fsync_folder(target.parent)
    shutil.rmtree(aside)


def _fsync_tree(folder: Path) -> None:
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(root, name)
            if not path.is_symlink():
                _fsync_file(path)
        fsync_folder(Path(root))


def _fsync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        logger.debug("no hard link from %s to %s (%s); copying", source, target, error.strerror)
        with source.open("rb") as original, target.open("xb") as copy:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())


def _stale(folder: Path) -> List[Path]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    return [folder / name for name in names if _is_stale(folder / name)]


def _is_stale(path: Path) -> bool:
    match = _UNFINISHED.search(path.name)
    if match is None:
        return False
    pid = int(match["pid"])
    if match["host"] == _HOST and pid == os.getpid():
        return match["process"] != _PROCESS
    if match["host"] == _HOST and os.name != "nt":
        return not _is_alive(pid)
    try:
        return time.time() - path.stat().st_mtime > _FOREIGN_AGE
    except FileNotFoundError:
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
