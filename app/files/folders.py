"""Where the editor keeps what belongs to the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True)
class UserFolders:
    """Folders of one user.

    Attributes:
        settings: Window layout, theme, recent files.
        autosave: Copies of unsaved work.
        log: What went wrong.
    """

    settings: Path
    autosave: Path
    log: Path

    @classmethod
    def of_user(cls) -> UserFolders:
        """The folders that the system provides for."""
        return cls(
            Path(platformdirs.user_config_path("dnne", appauthor=False)),
            Path(platformdirs.user_data_path("dnne", appauthor=False)) / "autosave",
            Path(platformdirs.user_log_path("dnne", appauthor=False)),
        )

    @classmethod
    def below(cls, folder: Path) -> UserFolders:
        """All in one folder, for a test."""
        return cls(folder / "settings", folder / "autosave", folder / "log")
