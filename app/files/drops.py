"""A workflow file that is dragged onto the window is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional, Sequence

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtWidgets import QWidget

_DRAGS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)


class FileDrops(QObject):
    """Takes file drops before the widgets see them; other drops go their own way."""

    def __init__(self, targets: Sequence[QWidget], opened: Callable[[Path], None], parent: QObject):
        """Watch the targets: the window, and those of its parts that take drops themselves."""
        super().__init__(parent)
        self._opened = opened
        for target in targets:
            target.setAcceptDrops(True)
            target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Accept drags that carry a JSON file; open it when it is dropped."""
        if event.type() not in _DRAGS:
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
