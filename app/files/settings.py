"""What is kept between starts: window layout, theme, canvas options, recent files."""

from __future__ import annotations

from pathlib import Path
from typing import List

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

RECENT_FILES = 10


class EditorSettings(QObject):
    """Values by name in an ini file.

    Signals:
        recent_changed: The list of recent files is different now.
    """

    recent_changed = Signal()

    def __init__(self, folder: Path, parent: QObject):
        super().__init__(parent)
        self._values = QSettings(str(folder / "editor.ini"), QSettings.Format.IniFormat, self)

    def text(self, name: str, default: str) -> str:
        """A text."""
        return str(self._values.value(name, default))

    def flag(self, name: str, default: bool) -> bool:
        """A switch."""
        return str(self._values.value(name, default)).lower() == "true"

    def state(self, name: str) -> QByteArray:
        """Geometry or layout of a window; empty where none was kept."""
        value = self._values.value(name)
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep(self, name: str, value: object) -> None:
        """Keep a value."""
        self._values.setValue(name, value)

    def sync(self) -> None:
        """Write the file now."""
        self._values.sync()

    # Recent files

    @property
    def recent(self) -> List[Path]:
        """Files that were opened or saved, the last one first."""
        value = self._values.value("recent", [])
        names = [value] if isinstance(value, str) else list(value or [])
        return [Path(name) for name in names if name]

    def add_recent(self, path: Path) -> None:
        """Put a file first."""
        path = path.absolute()
        self._keep_recent([path, *(other for other in self.recent if other != path)][:RECENT_FILES])

    def remove_recent(self, path: Path) -> None:
        """Forget a file, for example one that is not there any more."""
        self._keep_recent([other for other in self.recent if other != path.absolute()])

    def clear_recent(self) -> None:
        """Forget all files."""
        self._keep_recent([])

    def _keep_recent(self, paths: List[Path]) -> None:
        self.keep("recent", [str(path) for path in paths])
        self.recent_changed.emit()
