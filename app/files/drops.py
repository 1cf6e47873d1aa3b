"""A workflow file that is dragged onto the window is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

_DRAGS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)


class FileDrops(QObject):
    """Takes file drops before the canvas sees them, and those that fall on the window; other drops go their own way.

    The window hands them over by itself: a filter would be called for all its events, and each frame that is painted is
    one, so a run in a thread would have to wait for it.
    """

    def __init__(self, window: QWidget, canvas: QWidget, opened: Callable[[Path], None]):
        """Watch the canvas, and let the window take drops."""
        super().__init__(window)
        self._opened = opened
        window.setAcceptDrops(True)
        canvas.setAcceptDrops(True)
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at what is dragged over the canvas."""
        return event.type() in _DRAGS and self.take(event)  # type: ignore[arg-type]

    def take(self, event: QDropEvent) -> bool:
        """Accept drags that carry a JSON file; open it when it is dropped."""
        path = dropped_file(event.mimeData())
        if path is None:
            return False
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self._opened(path)
        return True


def dropped_file(data: QMimeData) -> Optional[Path]:
    """The first local JSON file among what is dragged."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return next((path for path in paths if path.suffix.lower() == ".json"), None)
