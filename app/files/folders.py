"""Where the editor keeps what belongs to the user."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

PROGRAM = Path(__file__).resolve().parents[2]


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


def folder_for_exports(folder: Path) -> Path:
    """Where exports go by default: this folder, or the user's home where it is read-only or part of the program."""
    resolved = folder.resolve()
    is_ours = resolved == PROGRAM or PROGRAM in resolved.parents
    return folder if not is_ours and os.access(resolved, os.W_OK) else Path.home()
