"""The viewer dock: the environments of the run, live."""

from __future__ import annotations

from typing import Optional, Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.panels.widgets import text_label
from runtime.events import Event, RunStarted, ViewerFrame

from .scene import SceneView

FRAMES_PER_SECOND = 30.0
MOST_ENVIRONMENTS = 25
_EMPTY = "The environments are drawn here while a workflow trains or infers.\nPress Train or Infer."
_WAITING = "Waiting for the first picture…\nSome simulators, such as Isaac Gym, have windows of their own."


class Viewer(QWidget):
    """Fed with events by `take`. It asks for frames only while it can be seen.

    Signals:
        watch_requested: Ids of the environments that are wanted, and frames per second; no ids for none.
    """

    watch_requested = Signal(object, float)

    def __init__(self, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.setObjectName("viewer")
        self.setAccessibleName("Viewer")
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.first = QSpinBox(objectName="viewerFirst", minimum=0, maximum=1_000_000)
        self.first.setAccessibleName("First environment")
        self.first.setToolTip("Number of the first environment that is drawn")
        self.count = QSpinBox(objectName="viewerCount", minimum=1, maximum=MOST_ENVIRONMENTS, value=4)
        self.count.setAccessibleName("Number of environments")
        self.count.setToolTip("How many environments are drawn")
        self.follow = QToolButton(objectName="viewerFollow", text="Follow", checkable=True, checked=True)
        self.follow.setProperty("chip", True)
        self.follow.setToolTip("The camera keeps what moves in the middle")
        self.scene = SceneView()
        self.words = text_label(_EMPTY, "empty")
        self.pages = QStackedWidget()
        self.pages.addWidget(self.scene)
        self.pages.addWidget(self.words)
        self._is_in_front = False
        self._has_failed = False
        self._lay_out()
        for box in (self.first, self.count):
            box.valueChanged.connect(lambda _: self._ask())
        self.follow.toggled.connect(self.scene.set_follow)
        self.scene.failed.connect(self._on_failed)
        self._say(_EMPTY)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 6, 8, 6)
        bar.setSpacing(6)
        bar.addWidget(text_label("Environments", "dim", wrap=False))
        bar.addWidget(self.count)
        bar.addWidget(text_label("from", "dim", wrap=False))
        bar.addWidget(self.first)
        bar.addStretch(1)
        bar.addWidget(self.follow)
        self.follow.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.pages, 1)
        self.setMinimumWidth(260)

    def take(self, events: Sequence[Event]) -> None:
        """Draw the newest frame among the events."""
        frame = None
        for event in events:
            if isinstance(event, RunStarted):
                self._begin()
            elif isinstance(event, ViewerFrame):
                frame = event
        if frame is not None and self._is_in_front and not self._has_failed:
            self.scene.show_state(frame.state)
            if not self._has_failed:
                camera = self.scene.painter is not None and self.scene.painter.has_camera
                self.follow.setVisible(camera)
                self.scene.setToolTip("Drag to turn, wheel to zoom" if camera else "")
                self.pages.setCurrentIndex(0)

    def _begin(self) -> None:
        self._has_failed = False
        self.scene.clear()
        self._say(_WAITING)

    def _say(self, text: str) -> None:
        self.words.setText(text)
        self.pages.setCurrentIndex(1)

    def _on_failed(self, reason: str) -> None:
        self._has_failed = True
        self._say(f"The environments cannot be drawn, but the run goes on.\n\n{reason}")

    # Watching

    @property
    def env_ids(self) -> Sequence[int]:
        """The environments that are wanted."""
        return tuple(range(self.first.value(), self.first.value() + self.count.value()))

    def set_in_front(self, on: bool) -> None:
        """Whether its tab is the front one; behind another nothing is asked for."""
        if on != self._is_in_front:
            self._is_in_front = on
            self._ask()

    def _ask(self) -> None:
        if self._is_in_front:
            self.watch_requested.emit(self.env_ids, FRAMES_PER_SECOND)
        else:
            self.watch_requested.emit((), 0.0)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Paint in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "scene"):
            self.scene.update()

    def stop(self) -> None:
        """The window closes."""
        self.scene.close_painter()
