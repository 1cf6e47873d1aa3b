"""What is dragged onto the window, and what is not looked at for it."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.files.drops import FileDrops


class Listening(FileDrops):
    """Notes whose events it was asked about."""

    def __init__(self, *args):
        self.asked = []
        super().__init__(*args)

    def eventFilter(self, watched, event):  # noqa: N802
        self.asked.append(watched)
        return super().eventFilter(watched, event)


def test_the_windows_own_events_are_not_looked_at(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    canvas = QWidget(window)
    drops = Listening(window, canvas, print)
    for widget in (window, canvas):
        QApplication.sendEvent(widget, QEvent(QEvent.Type.UpdateRequest))
    assert set(drops.asked) == {canvas}
    assert window.acceptDrops() and canvas.acceptDrops()
