"""Starts, steers and ends the runs of one window, whatever host they run in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple, Union

from PySide6.QtCore import QObject, QTimer, Signal

from .mailbox import Mailbox

FRAME_MS = 33

IDLE, STARTING, RUNNING, PAUSED, STOPPING = "idle", "starting", "running", "paused", "stopping"
FINISHED, FAILED = "finished", "failed"


class RunController(QObject):
    """The run of one window.

    Attributes:
        state: ``idle``, ``starting``, ``running``, ``paused``, ``stopping``, ``finished`` or ``failed``.
        run_folder: Where the present run, or the last one, writes.

    Signals:
        state_changed: The new state.
        events: Frozen events of `runtime.events`, oldest first, about 30 times a second. Metrics and messages are
            complete; of statistics, probes and viewer frames there is the newest one per node and port.
    """

    state_changed = Signal(str)
    events = Signal(object)

    def __init__(self, parent: Optional[QObject] = None):
        super().__init__(parent)
        self.state = IDLE
        self.run_folder: Optional[Path] = None
        self._mailbox = Mailbox()
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self._deliver)

    # Starting

    def train(self) -> None:
        """Train the document as it stands."""

    def infer(self) -> None:
        """Run the document's trained policy."""

    def attach(self, path: Union[str, Path]) -> None:
        """Look at a run folder, of a run that goes on or is over."""

    # Steering

    def pause(self) -> None:
        """Hold at the next safe point."""

    def resume(self) -> None:
        """Go on after a pause."""

    def step(self) -> None:
        """While paused, go on to the next safe point."""

    def stop(self) -> None:
        """End at the next safe point, and save."""

    def edit(self, node_id: str, name: str, value: Any) -> None:
        """Change a live parameter at the next safe point."""

    def watch_probes(self, outputs: Sequence[Tuple[str, str]]) -> None:
        """Ask for `ProbeSample` events of these outputs (node id, port), and no others."""

    def watch_viewer(self, env_ids: Sequence[int], hz: float) -> None:
        """Ask for `ViewerFrame` events of these environments, so many per second; of none where it is empty."""

    def _deliver(self) -> None:
        taken: List[Any] = self._mailbox.take()
        if taken:
            self.events.emit(taken)
