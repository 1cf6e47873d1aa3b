"""Opens the editor: the application, its window, and what happens when something goes wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Optional, Sequence

from PySide6.QtWidgets import QApplication

from runtime import __version__

from .error_reports import ErrorReports
from .files.folders import UserFolders
from .garbage import MainThreadCollector
from .main_window import APPLICATION, MainWindow
from .unix_signals import QuitOnSignal


def open_editor(path: Optional[str] = None, nodes_folders: Sequence[str] = ()) -> int:
    """Show the window and return the exit code when it is closed.

    Args:
        path: A workflow to open, or ``None`` for an empty one.
        nodes_folders: Folders of node files of the user.
    """
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName(APPLICATION)
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("dnne")
    folders = UserFolders.of_user()
    reports = ErrorReports(folders.log)
    window = MainWindow(Path(path) if path is not None else None, folders, [Path(folder) for folder in nodes_folders])
    reports.attach(window, window.autosave.save_now)
    signals = QuitOnSignal(window.stop_at_once, window)
    collector = MainThreadCollector(window)
    collector.start()
    window.show()
    try:
        return app.exec() or signals.exit_code
    finally:
        collector.stop()
        signals.restore()
        reports.detach()
