"""The export's folder: what may be replaced there, and how it is written whole.

``export.json`` lists every file of an export with its checksum. A new export replaces these files, and leaves all
others alone: runs, checkpoints, files of other people.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping

from ..atomic import atomic_directory, remove_leftovers, temporary_path
from .errors import ExportError

MANIFEST_FILE = "export.json"
MANIFEST_KEY = "dnne_export"
MANIFEST_VERSION = 1
RUNNER_FILE = "runner.py"
BOTH_FILE = "export.json.both"
NOT_LOOKED_AT = ("__pycache__",)


class ExportFolder:
    """A folder that is new, empty, an earlier export, or something else.

    Attributes:
        path: The folder.
        earlier: Checksums of the files of the export that is there, by path; two where it was cut off.
    """

    def __init__(self, path: Path):
        """Look at the folder.

        Raises:
            ExportError: It is a file, or cannot be read.
        """
        self.path = path
        if path.exists() and not path.is_dir():
            raise ExportError(f"cannot export to {path}: it is a file; choose another folder")
        with _errors(path):
            self.is_empty = not path.is_dir() or not any(path.iterdir())
        self.earlier = {} if self.is_empty else _read_manifest(path / MANIFEST_FILE)

    def edited(self) -> List[str]:
        """Files of the earlier export that were changed since."""
        present = [name for name in self.earlier if (self.path / name).is_file()]
        return [name for name in present if checksum((self.path / name).read_bytes()) not in self.earlier[name]]

    def check(self, files: Mapping[str, bytes], force: bool) -> None:
        """Refuse to write over what is not an unchanged export.

        Raises:
            ExportError: ``force`` is needed, or not even it could help.
        """
        blocked = [name for name in files if not self._can_be_file(name)]
        if blocked:
            raise ExportError(f"cannot export to {self.path}: {blocked[0]} cannot be a file there; choose another")
        if force or self.is_empty:
            return
        if not self.earlier:
            raise ExportError(
                f"{self.path} holds something that is no export; choose another folder, or use --force to write beside "
                "it (no file is removed; one of the same name as a new one is kept under another name)"
            )
        edited = self.edited()
        if edited:
            raise ExportError(
                f"{self.path} is an export in which {_listed(edited)} changed since; export to another folder, or use "
                "--force to replace what was edited"
            )

    def _can_be_file(self, name: str) -> bool:
        path = self.path / name
        parents = [self.path / parent for parent in Path(name).parents]
        return not path.is_dir() and all(parent.is_dir() or not parent.exists() for parent in parents)

    def write(self, files: Mapping[str, bytes], about: Mapping[str, str]) -> List[str]:
        """Write the files and the list of them.

        A new folder appears whole. In one that exists, all is written beside first, so that a full disk changes
        nothing; then the files are moved into place, ``runner.py`` last. It is missing meanwhile, so that a
        process killed in these milliseconds leaves no runner that would start with half of the old files; the next
        export finishes the work.

        Returns:
            The names under which files of other people were kept.

        Raises:
            StorageError, ExportError: The folder cannot be written; it is as it was.
        """
        digests = {name: [checksum(content)] for name, content in sorted(files.items())}
        complete = {**files, MANIFEST_FILE: _manifest_text(digests, about)}
        if not self.path.exists():
            with atomic_directory(self.path) as folder:
                _write_all(folder, complete)
            return []
        both = {name: [*self.earlier.get(name, ()), *digests.get(name, ())] for name in {**self.earlier, **digests}}
        with _errors(self.path):
            remove_leftovers(self.path)
            staged = temporary_path(self.path / "export")
            try:
                _write_all(staged, {**complete, BOTH_FILE: _manifest_text(both, about)})
                return self._replace(staged, complete)
            finally:
                shutil.rmtree(staged, ignore_errors=True)

    def _replace(self, staged: Path, files: Iterable[str]) -> List[str]:
        kept = [self._keep(name) for name in files if self._is_foreign(name)]
        with contextlib.suppress(FileNotFoundError):
            (self.path / RUNNER_FILE).unlink()
        (staged / BOTH_FILE).replace(self.path / MANIFEST_FILE)
        for name in self.earlier:
            if name not in files:
                self._remove(name)
        for name in sorted(files, key=_rank):
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (staged / name).replace(target)
        return kept

    def _is_foreign(self, name: str) -> bool:
        return name not in self.earlier and name != MANIFEST_FILE and (self.path / name).exists()

    def _keep(self, name: str) -> str:
        path, number = self.path / name, 1
        while True:
            kept = path.with_name(f"{path.name}.before-export" + (f"-{number}" if number > 1 else ""))
            if not kept.exists():
                path.rename(kept)
                return kept.relative_to(self.path).as_posix()
            number += 1

    def _remove(self, name: str) -> None:
        """Remove a file of the earlier export, and folders that are left with nothing but bytecode."""
        path = self.path / name
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        for folder in path.parents:
            if folder == self.path or not folder.is_dir() or any(_real_entries(folder)):
                return
            shutil.rmtree(folder)


def _rank(name: str) -> int:
    """What is not runner.py, then runner.py, then the list of what is there."""
    return (RUNNER_FILE, MANIFEST_FILE).index(name) + 1 if name in (RUNNER_FILE, MANIFEST_FILE) else 0


def _real_entries(folder: Path) -> Iterator[Path]:
    return (entry for entry in folder.iterdir() if entry.name not in NOT_LOOKED_AT)


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _read_manifest(path: Path) -> Dict[str, List[str]]:
    """The files of an earlier export; empty where the folder is none of ours."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(f"{path} cannot be read ({error}); choose another folder, or remove that file") from error
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or manifest.get(MANIFEST_KEY) != MANIFEST_VERSION:
        raise ExportError(f"{path} is no list of an export that this version knows; choose another folder")
    return {name: _as_list(digests) for name, digests in files.items() if _is_inner(name)}


def _as_list(digests: Any) -> List[str]:
    return [str(digest) for digest in digests] if isinstance(digests, list) else [str(digests)]


def _manifest_text(digests: Mapping[str, List[str]], about: Mapping[str, str]) -> bytes:
    files = {name: known[0] if len(known) == 1 else known for name, known in digests.items()}
    manifest = {MANIFEST_KEY: MANIFEST_VERSION, **about, "files": files}
    return json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"


def _is_inner(name: str) -> bool:
    """A damaged or hostile list must not name files outside the folder."""
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts and name != MANIFEST_FILE


def checksum(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _listed(names: List[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


@contextlib.contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError(f"cannot export to {path}: {error.strerror or error}") from error
