"""Unsaved work is copied to a folder of the user every half minute, and offered again after a crash.

A lock beside each copy tells whether the editor that wrote it still runs. A clean exit removes both.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

from PySide6.QtCore import QLockFile, QObject, QTimer

from runtime.atomic import write_text
from runtime.errors import DnneError, WorkflowError
from runtime.workflow import Workflow, workflow_from_dict, workflow_to_dict

from ..document import Document
from ..session import EditorSession

logger = logging.getLogger(__name__)

INTERVAL_MS = 30_000
KEY, VERSION = "dnne_autosave", 1


class Autosave(QObject):
    """Copies of the open document while it has unsaved changes.

    Attributes:
        file: The copy; exists only while there are unsaved changes that are older than the interval.
    """

    def __init__(self, session: EditorSession, folder: Path, parent: QObject, interval_ms: int = INTERVAL_MS):
        super().__init__(parent)
        self._session = session
        self.file = folder / f"{uuid.uuid4().hex}.json"
        self._lock: Optional[QLockFile] = None
        self._failed = False
        self._timer = QTimer(self, singleShot=True, interval=interval_ms)
        self._timer.timeout.connect(self.save_now)
        session.history_changed.connect(self._on_history_changed)

    def _on_history_changed(self) -> None:
        if not self._session.document.is_modified:
            self.discard()
        elif not self._timer.isActive():
            self._timer.start()

    def save_now(self) -> bool:
        """Write the copy. A failure is told in the status bar, once; True if the copy is there."""
        self._timer.stop()
        if not self._session.document.is_modified:
            return False
        try:
            self._hold_lock()
            write_text(self.file, _text(self._session.document))
        except (DnneError, OSError, ValueError) as error:
            logger.warning("autosave failed: %s", error)
            if not self._failed:
                self._session.message.emit(f"Autosave failed: {error}")
            self._failed = True
            return False
        self._failed = False
        return True

    def _hold_lock(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = _lock_of(self.file)
            self._lock.tryLock(0)

    def discard(self) -> None:
        """The changes are saved or not wanted: remove the copy."""
        _remove(self.file)
        self.stop()

    def stop(self) -> None:
        """The editor ends; a copy that is there is offered at the next start."""
        self._timer.stop()
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None


@dataclass(frozen=True)
class LostWork:
    """Unsaved work of an editor that ended without saving or discarding it.

    Attributes:
        file: The copy.
        path: The workflow's own file, or ``None`` where it had none.
        saved_at: Seconds since the epoch.
        workflow: The work.
    """

    file: Path
    path: Optional[Path]
    saved_at: float
    workflow: Workflow

    @property
    def title(self) -> str:
        """Name of the work."""
        return self.path.name if self.path is not None else self.workflow.name

    def document(self) -> Document:
        """The work as a modified document, to be saved at its old place."""
        document = Document(self.workflow, self.path)
        document.mark_modified()
        return document

    def remove(self) -> None:
        """Remove the copy."""
        _remove(self.file)


def find_lost_work(folder: Path) -> List[LostWork]:
    """Copies whose editor does not run any more, the newest first. Damaged ones are logged and left where they are."""
    found = []
    for file in folder.glob("*.json"):
        lock = _lock_of(file)
        if not lock.tryLock(0):
            continue
        try:
            found.append(_read(file))
        except (DnneError, OSError, ValueError, RecursionError) as error:
            logger.warning("%s is no copy of unsaved work: %s", file, error)
        finally:
            lock.unlock()
    return sorted(found, key=lambda work: work.saved_at, reverse=True)


def _text(document: Document) -> str:
    path = str(document.path.absolute()) if document.path is not None else None
    content = {KEY: VERSION, "path": path, "saved_at": time.time(), "workflow": workflow_to_dict(document.workflow)}
    return json.dumps(content, ensure_ascii=False) + "\n"


def _read(file: Path) -> LostWork:
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or content.get(KEY) != VERSION:
        raise WorkflowError(f"it has no {KEY!r} of version {VERSION}")
    path, saved_at = content.get("path"), content.get("saved_at")
    if not isinstance(path, (str, type(None))) or not isinstance(saved_at, (int, float)):
        raise WorkflowError("'path' or 'saved_at' is missing")
    workflow = workflow_from_dict(content.get("workflow"))
    return LostWork(file, Path(path) if path is not None else None, float(saved_at), workflow)


def _lock_of(file: Path) -> QLockFile:
    lock = QLockFile(str(file.with_suffix(".lock")))
    lock.setStaleLockTime(0)
    return lock


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        logger.warning("%s cannot be removed: %s", file, error)
