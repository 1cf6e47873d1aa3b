"""Counts events that widgets get."""

from PySide6.QtCore import QEvent, QObject


class EventCounter(QObject):
    """How often widgets have got an event of one type since this was made: ``count``."""

    def __init__(self, kind: QEvent.Type, *widgets):
        super().__init__()
        self.count = 0
        self._kind = kind
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched, event):  # noqa: N802
        self.count += event.type() == self._kind
        return False
