"""The run in the status bar: state, counts, speed, and how long it still takes."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Dict, Optional

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from runtime.duration import format_duration
from runtime.errors import DnneError
from runtime.events import Event, Finished, Metrics, NodeStatistics, Paused, Resumed, RunStarted

if TYPE_CHECKING:
    from runtime.recording.pace import Pace

from ..plots.metrics_file import PastMetrics
from .controller import ACTIVE, FINISHED, IDLE, PAUSED, RunController

logger = logging.getLogger(__name__)

WORDS = {
    "starting": "Starting…", "running": "Running", "paused": "Paused", "stopping": "Stopping…", "finished": "Finished",
    "failed": "Failed",
}  # fmt: skip
REFRESH_SECONDS = 0.4
WIDTH_STEP = 40


class RunStatus(QWidget):
    """One line and a bar; hidden before the first run."""

    def __init__(self, controller: RunController):
        super().__init__()
        self.setObjectName("runStatus")
        self._controller = controller
        self.text = QLabel(objectName="runStatusText")
        self.text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.bar = QProgressBar(objectName="runProgress", maximum=1000, textVisible=False)
        self.bar.setFixedSize(120, 10)
        self.bar.setAccessibleName("Progress of the run")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 0)
        layout.addWidget(self.text)
        layout.addWidget(self.bar)
        self._forget()
        controller.state_changed.connect(self._on_state)
        controller.events.connect(self._on_events)
        self.hide()

    def _forget(self) -> None:
        self._pace: Optional[Pace] = None
        self._step = self._iteration = 0
        self._time = self._shown_at = 0.0

    def _on_state(self, state: str) -> None:
        if state == "starting":
            self._forget()
        self.setVisible(state != IDLE)
        self._show()

    def _on_events(self, events: Any) -> None:
        for event in events:
            self._note(event)
        if time.monotonic() - self._shown_at >= REFRESH_SECONDS:
            self._show()

    def _note(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._forget()
        if isinstance(event, (Paused, Resumed)) and self._pace is not None:
            (self._pace.hold if isinstance(event, Paused) else self._pace.restart)()
        if isinstance(event, (RunStarted, Metrics, PastMetrics, Finished)):
            self._step, self._iteration = event.step, event.iteration
        elif isinstance(event, NodeStatistics):
            self._step = event.step
        else:
            return
        self._time = event.time
        if self._pace is None and not isinstance(event, RunStarted):
            self._pace = self._new_pace()
        if self._pace is not None:
            self._pace.update(self._time, self._step, self._iteration)

    def _new_pace(self) -> Pace:
        """The ends of the run, as its folder names them; they are there once the run has moved."""
        from runtime.recording import RunFolder  # bring torch, which a run has loaded
        from runtime.recording.pace import Pace

        settings: Dict[str, Any] = {}
        if self._controller.run_folder is not None:
            try:
                settings = RunFolder.open(self._controller.run_folder, lock=False).read_info().get("settings", {})
            except DnneError as error:
                logger.warning("the run's ends are not known: %s", error)
        return Pace(settings.get("total_timesteps"), settings.get("iterations"), settings.get("timeout"))

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        state = self._controller.state
        is_interrupted = state == FINISHED and self._controller.was_interrupted
        parts = ["Stopped" if is_interrupted else WORDS.get(state, "")]
        if self._controller.processes > 1:
            parts.append(f"{self._controller.processes} processes")
        if self._step:
            parts += [f"iteration {self._iteration:,}"] if self._controller.mode == "train" else []
            parts.append(f"{self._step:,} steps")
        speed = self._pace.steps_per_second if self._pace is not None else None
        if speed is not None and state != PAUSED:
            parts.append(f"{speed:,.0f} steps/s")
        if self._time >= 1:
            parts.append(format_duration(self._time))
        left = self._pace.seconds_left if self._pace is not None else None
        if left is not None and state in ACTIVE:
            parts.append(f"{format_duration(left)} left")
        self._write("  ·  ".join(part for part in parts if part))
        fraction = self._pace.fraction if self._pace is not None else None
        self.bar.setVisible(fraction is not None or state == "starting")
        self.bar.setMaximum(0 if fraction is None else 1000)
        self.bar.setValue(round(1000 * (fraction or 0.0)))

    def _write(self, text: str) -> None:
        """Into a label of fixed size, which leaves the layout of the window alone; only now and then it has to grow."""
        needed = self.text.fontMetrics().size(0, text)
        needed.setWidth(-(-needed.width() // WIDTH_STEP) * WIDTH_STEP)
        if self.text.size() != needed:
            self.text.setFixedSize(needed)
        self.text.setText(text)
