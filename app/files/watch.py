"""Notices when another program changes the open file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Optional

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

SETTLE_MS = 200


class FileWatch(QObject):
    """Watches one file by its content; programs that replace it by a rename are noticed too.

    Signals:
        changed: The file has another content than the one that was read or written last.
        removed: The file is gone.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self._path: Optional[Path] = None
        self._digest: Optional[bytes] = None
        self._watcher = QFileSystemWatcher(self)
        self._settling = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settling.timeout.connect(self.look)
        self._watcher.fileChanged.connect(self._on_touched)
        self._watcher.directoryChanged.connect(self._on_touched)

    def follow(self, path: Optional[Path]) -> None:
        """Watch this file, whose present content is known; ``None`` for none."""
        self.stop()
        self._path = path.absolute() if path is not None else None
        self._digest = self._present()
        self._add_paths()

    def stop(self) -> None:
        """Watch nothing."""
        self._settling.stop()
        watched = self._watcher.files() + self._watcher.directories()
        if watched:
            self._watcher.removePaths(watched)
        self._path = None

    def is_different(self) -> bool:
        """True if the file is there and has another content than the known one."""
        present = self._present()
        return present is not None and present != self._digest

    def _on_touched(self, _: str) -> None:
        self._settling.start()

    def look(self) -> None:
        """Compare the file with what is known of it."""
        present = self._present()
        if present == self._digest or self._path is None:
            self._add_paths()
            return
        self._digest = present
        self._add_paths()
        (self.changed if present is not None else self.removed).emit()

    def _present(self) -> Optional[bytes]:
        try:
            return hashlib.sha256(self._path.read_bytes()).digest() if self._path is not None else None
        except OSError:
            return None

    def _add_paths(self) -> None:
        """A file that was replaced is watched no longer, so it is added again; its folder tells of the replacement."""
        if self._path is None:
            return
        wanted = [path for path in (self._path, self._path.parent) if path.exists()]
        known = set(self._watcher.files() + self._watcher.directories())
        missing = [str(path) for path in wanted if str(path) not in known]
        if missing:
            self._watcher.addPaths(missing)
