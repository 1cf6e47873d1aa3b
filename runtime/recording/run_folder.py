"""The folder of a run: its workflow, what it was made with, its events and metrics, and the states to resume from.

``RUN/`` holds ``workflow.json``, ``config.yaml``, ``run.json``, ``events.jsonl``, ``metrics.csv``, ``tensorboard/`` and
``resume/``.
"""

import contextlib
import json
import re
import shutil
import time
import unicodedata
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..atomic import PathLike, write_json, write_text
from ..checkpoints.metadata import now_text, plain_json
from ..checkpoints.resume import RESUME_FOLDER
from ..errors import DnneError, RunError
from ..events import Event
from . import csv_metrics, json_lines
from .csv_metrics import CsvMetrics
from .json_lines import JsonLinesSink
from .line_file import storage_errors
from .made_folders import make_folder, take_back
from .run_description import FORMAT_VERSION, wrong_field
from .run_lock import LOCK_FILE, RunLock
from .tensorboard_writer import TensorBoardWriter

WORKFLOW_FILE = "workflow.json"
CONFIG_FILE = "config.yaml"
INFO_FILE = "run.json"
EVENTS_FILE = "events.jsonl"
METRICS_FILE = "metrics.csv"
TENSORBOARD_FOLDER = "tensorboard"

_LONGEST_SLUG = 60
_EARLIER = "earlier"


class RunFolder:
    """One run on the disk. Made by :meth:`create` or :meth:`open`; a ``with`` block closes it."""

    def __init__(self, path: Path, lock: Optional[RunLock] = None, made: Sequence[Path] = ()) -> None:
        self.path = path
        self._made = made
        self.workflow_file = path / WORKFLOW_FILE
        self.config_file = path / CONFIG_FILE
        self.info_file = path / INFO_FILE
        self.events_file = path / EVENTS_FILE
        self.metrics_file = path / METRICS_FILE
        self.tensorboard_folder = path / TENSORBOARD_FOLDER
        self.resume_folder = path / RESUME_FOLDER
        self._lock = lock

    @classmethod
    def create(cls, log_dir: PathLike, name: str, run_name: Optional[str] = None) -> "RunFolder":
        """Make a new folder ``LOG_DIR/<name>-YYYYmmdd-HHMMSS`` (local time); one that exists is never used again.

        Args:
            log_dir: Created where missing.
            name: The workflow's name; the folder's name is made of its letters and digits.
            run_name: The folder's whole name, where it is to be known beforehand.

        Raises:
            RunError: a folder of the name ``run_name`` holds something, or the name is no folder name.
            StorageError: the folder cannot be created.
        """
        parent = Path(log_dir)
        with storage_errors(parent):
            made = make_folder(parent)
        try:
            if run_name is None:
                path, is_new = _new_folder(parent, name), True
            else:
                path, is_new = _named_folder(parent, run_name)
            made = (*made, path) if is_new else made
            return cls(path, RunLock(path), made)
        except DnneError:
            take_back(made)
            raise

    @classmethod
    def open(cls, path: PathLike, lock: bool = True) -> "RunFolder":
        """Take the folder of an earlier run, to resume it.

        Args:
            path: The folder that holds ``run.json``.
            lock: Keep other processes from writing into it; ``False`` to look only.

        Raises:
            RunError: this is no run's folder, its ``run.json`` cannot be used, or its run is still going on.
        """
        folder = Path(path)
        if not folder.is_dir():
            kind = "is a file; expected the folder of a run" if folder.exists() else "does not exist"
            raise RunError(f"there is no run to resume: {folder} {kind}")
        if not (folder / INFO_FILE).is_file():
            raise RunError(f"{folder} is no run's folder: it holds no {INFO_FILE}{_hint(folder)}")
        run = cls(folder)
        run.read_info()
        if lock:
            run._lock = RunLock(folder)
        return run

    def write_workflow(self, text: str) -> None:
        """Write the workflow as it is run.

        Raises:
            StorageError: the file cannot be written.
        """
        write_text(self.workflow_file, text)

    def write_config(self, text: str) -> None:
        """Write the resolved configuration.

        Raises:
            StorageError: the file cannot be written.
        """
        write_text(self.config_file, text)

    def write_info(self, info: Mapping[str, Any]) -> None:
        """Write ``run.json`` at the start; what it said of earlier parts of a resumed run goes on under ``earlier``.

        Args:
            info: As :func:`describe_run` makes it.

        Raises:
            StorageError: the file cannot be written.
        """
        if self.info_file.exists():
            last = self.read_info()
            info = {**info, _EARLIER: [*last.pop(_EARLIER, []), last]}
        write_json(self.info_file, plain_json(dict(info), "run"))

    def read_info(self) -> Dict[str, Any]:
        """Return the content of ``run.json``.

        Raises:
            RunError: it cannot be read, is of another version, or a field of it has a value of the wrong kind.
        """
        try:
            info = json.loads(self.info_file.read_text(encoding="utf-8"))
        except OSError as error:
            raise RunError(f"{self.info_file} cannot be read: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            raise RunError(f"{self.info_file} is damaged: {error}") from error
        version = info.get("dnne_run") if isinstance(info, dict) else None
        if version != FORMAT_VERSION:
            raise RunError(
                f"{self.info_file} is no description of a run that this version of DNNE can use: its 'dnne_run' is "
                f"{version!r}; expected {FORMAT_VERSION}"
            )
        wrong = wrong_field(info)
        if wrong:
            raise RunError(f"{self.info_file} is damaged: {wrong}")
        return dict(info)

    def finish(self, result: str, summary: Mapping[str, Any]) -> None:
        """Note in ``run.json`` how the run ended, and when. A killed run has no end there.

        Args:
            result: ``finished``, ``failed`` or ``interrupted``.
            summary: Figures for people, as :meth:`RunTally.as_dict` makes them.

        Raises:
            StorageError: the file cannot be written.
        """
        info = {**self.read_info(), "ended": now_text(), "result": result, "summary": dict(summary)}
        write_json(self.info_file, plain_json(info, "run"))

    def recorders(self, resumed_iteration: Optional[int] = None, resumed_step: int = 0) -> "Recorders":
        """Open the sinks of events, metrics and TensorBoard.

        Args:
            resumed_iteration: Finished iterations of the state that the run goes on from: what was recorded past them
                is dropped, for it will happen anew. ``None`` in a new run.
            resumed_step: Environment steps of that state.

        Raises:
            StorageError: a file cannot be created, read or cut.
        """
        resumed = resumed_iteration is not None
        if resumed_iteration is not None:
            json_lines.truncate_after(self.events_file, resumed_iteration)
            csv_metrics.truncate_after(self.metrics_file, resumed_iteration)
        openers: List[Callable[[], Any]] = [
            lambda: JsonLinesSink(self.events_file, append=resumed),
            lambda: CsvMetrics(self.metrics_file, append=resumed),
            lambda: TensorBoardWriter(self.tensorboard_folder, purge_step=resumed_step + 1 if resumed else None),
        ]
        return Recorders(openers)

    def discard(self) -> None:
        """Remove all that a run wrote into the folder that `create` gave it, and the folders that were made for it.

        Raises:
            StorageError: something cannot be removed.
        """
        with storage_errors(self.path, "remove"):
            for entry in self.path.iterdir():
                if entry.name == LOCK_FILE:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        if self._lock is not None:
            self._lock.remove()
        take_back(self._made)

    def close(self) -> None:
        """Let other processes write into the folder."""
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Recorders:
    """The sinks of a run folder as one sink, which a ``with`` block closes."""

    def __init__(self, openers: List[Callable[[], Any]]) -> None:
        self._stack = contextlib.ExitStack()
        self.sinks: List[Any] = []
        with contextlib.ExitStack() as stack:
            for opener in openers:
                sink = opener()
                stack.callback(sink.close)
                self.sinks.append(sink)
            self._stack = stack.pop_all()

    def __call__(self, event: Event) -> None:
        """Pass an event on to every sink; the first error is raised after all have heard of the event."""
        if not event.is_recorded:
            return
        with contextlib.ExitStack() as stack:
            for sink in reversed(self.sinks):
                stack.callback(sink, event)

    def close(self) -> None:
        """Write what is left, and close all files."""
        self._stack.close()

    def __enter__(self) -> "Recorders":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def slug(name: str) -> str:
    """Return a name for folders: the letters a–z and digits of ``name``, with dashes between its words."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_SLUG].strip("-") or "run"


def info_of(folder: Path) -> Optional[Dict[str, Any]]:
    """What ``run.json`` says; ``None`` where it cannot be used, as in a folder that is no run's."""
    try:
        return RunFolder.open(folder, lock=False).read_info()
    except DnneError:
        return None


def refuse_held(folder: Path, hint: str = "") -> None:
    """Let a new run have a folder only where it holds nothing.

    Args:
        folder: It exists.
        hint: Ends the message.

    Raises:
        RunError: it holds something.
        StorageError: it cannot be read.
    """
    with storage_errors(folder):
        held = [entry.name for entry in folder.iterdir() if entry.name != LOCK_FILE]
    if held:
        raise RunError(
            f"{folder} holds {held[0]!r} already; to go on with the run there use --resume {folder}, else choose "
            f"another name{hint}"
        )


def move_aside(folder: Path) -> Path:
    """Give the folder of a run that cannot go on a name that no other has, and return it.

    Raises:
        RunError: the run is still going on.
        StorageError: the folder cannot be renamed.
    """
    RunLock(folder).release()
    base = f"{folder.name}-unfinished-{time.strftime('%Y%m%d-%H%M%S')}"
    aside, number = folder.with_name(base), 1
    with storage_errors(aside):
        while aside.exists():
            number += 1
            aside = folder.with_name(f"{base}-{number}")
        folder.rename(aside)
    return aside


def _new_folder(parent: Path, name: str) -> Path:
    base = f"{slug(name)}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while True:
        path = parent / (base if number == 1 else f"{base}-{number}")
        with storage_errors(path), contextlib.suppress(FileExistsError):
            path.mkdir()
            return path
        number += 1


def _named_folder(parent: Path, run_name: str) -> Tuple[Path, bool]:
    """The folder, and whether it is new."""
    if run_name in ("", ".", "..") or "\0" in run_name or Path(run_name).name != run_name:
        raise RunError(f"{run_name!r} cannot be the name of a run's folder; expected a name such as 'first-try'")
    path = parent / run_name
    with storage_errors(path):
        try:
            path.mkdir()
            return path, True
        except FileExistsError:
            refuse_held(path)
            return path, False


def _hint(folder: Path) -> str:
    for parent in list(folder.absolute().parents)[:2]:
        if (parent / INFO_FILE).is_file():
            return f"; the run's folder is {parent}"
    return ""
