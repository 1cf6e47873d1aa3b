"""A workflow file that is dragged onto the window is opened, wherever it is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtWidgets import QApplication, QWidget

_DRAGS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)


class FileDrops(QObject):
    """Takes file drops on a window before its widgets see them; other drops go their own way."""

    def __init__(self, window: QWidget, opened: Callable[[Path], None]):
        super().__init__(window)
        self._window, self._opened = window, opened
        window.setAcceptDrops(True)
        QApplication.instance().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Accept drags that carry a JSON file; open it when it is dropped."""
        if event.type() not in _DRAGS or not isinstance(watched, QWidget) or watched.window() is not self._window:
            return False
        path = dropped_file(event.mimeData())  # type: ignore[attr-defined]
        if path is None:
            return False
        event.acceptProposedAction()  # type: ignore[attr-defined]
        if event.type() == QEvent.Type.Drop:
            self._opened(path)
        return True


def dropped_file(data: QMimeData) -> Optional[Path]:
    """The first local JSON file among what is dragged."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return next((path for path in paths if path.suffix.lower() == ".json"), None)
