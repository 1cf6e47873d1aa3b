"""Starts, steers and ends the runs of one window, whatever host they run in."""

from __future__ import annotations

import contextlib
import math
import tempfile
import time
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional, Sequence, Tuple, Union

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from runtime.errors import DnneError
from runtime.events import Event, Failed, Finished, LogMessage, Paused, Resumed, RunStarted
from runtime.modes import INFER, TRAIN
from runtime.validation import ERROR, build_graph
from runtime.workflow import save_workflow

from ..session import EditorSession
from .host import Outcome, RunHost
from .mailbox import Mailbox
from .process_host import ProcessHost
from .run_options import PROCESS, RunOptions, check, parse

FRAME_MS, HEARTBEAT_MS = 16, 100
"""Least and greatest time between two looks into the mailbox. The window sleeps until it rings: a run in a thread waits
whenever the window does something."""
MOST_PER_FRAME = 200
"""Events; of more the window would be late for the mouse."""

IDLE, STARTING, RUNNING, PAUSED, STOPPING = "idle", "starting", "running", "paused", "stopping"
FINISHED, FAILED = "finished", "failed"
ACTIVE = (STARTING, RUNNING, PAUSED, STOPPING)
STOPPED_IN_EDITOR = "stopped in the editor"


class RunController(QObject):
    """The run of one window.

    Attributes:
        state: ``idle``, ``starting``, ``running``, ``paused``, ``stopping``, ``finished`` or ``failed``.
        run_folder: Where the present run, or the last one, writes.
        mode: ``train`` or ``infer``, of the present or last run.
        processes: How many train together in the present or last run.
        was_interrupted: Somebody asked for the end of the last run.
        options: What the next run is asked for; the settings panel writes it.
        nodes_folders: Folders of node files besides the per-user one.
        folder: Gives the folder that relative paths and runs lie below.

    Signals:
        state_changed: The new state.
        events: Frozen events of `runtime.events`, oldest first, at most 60 times a second. Metrics and messages are
            complete; of statistics, probes and viewer frames there is the newest one per node and port.
        refused: Nothing was started; says why. ``"problems"`` where the workflow has errors.
    """

    state_changed = Signal(str)
    events = Signal(object)
    refused = Signal(str)
    _rung = Signal()

    def __init__(self, session: EditorSession, parent: Optional[QObject] = None):
        super().__init__(parent)
        self.session = session
        self.state = IDLE
        self.run_folder: Optional[Path] = None
        self.mode = TRAIN
        self.options = RunOptions()
        self.folder: Callable[[], Path] = Path.cwd
        self.nodes_folders: Sequence[Path] = ()
        self.failure: Optional[Failed] = None
        self.was_interrupted = False
        self.processes = 1
        self._mailbox = Mailbox(self._ring)
        self._host: Optional[RunHost] = None
        self._outputs: Tuple[Tuple[str, str], ...] = ()
        self._view: Tuple[Tuple[int, ...], float] = ((), 0.0)
        self._last_error = ""
        self._scratch: Optional[tempfile.TemporaryDirectory] = None
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._deliver)
        self._delivered_at = 0.0
        self._rung.connect(self._on_ring, Qt.ConnectionType.QueuedConnection)

    @property
    def is_active(self) -> bool:
        """A run goes on, or is looked at."""
        return self.state in ACTIVE

    @property
    def can_steer(self) -> bool:
        """The run is the editor's own."""
        return self._host is not None and self._host.can_steer

    @property
    def why_no_pause(self) -> str:
        """Why the present run can neither be paused nor edited; empty where it can, or where there is none."""
        return self._host.why_no_pause if self._host is not None else ""

    # Starting

    def train(self) -> None:
        """Train the document as it stands."""
        self._start(TRAIN)

    def infer(self) -> None:
        """Run the document's trained policy."""
        self._start(INFER)

    def attach(self, path: Union[str, Path]) -> None:
        """Look at a run folder, of a run that goes on or is over."""
        if self.is_active:
            self.refused.emit("A run is going on; stop it first.")
            return
        from .attached_host import AttachedHost  # brings torch

        try:
            host = AttachedHost(path, self._mailbox)
        except DnneError as error:
            self.refused.emit(str(error))
            return
        self.mode, self.processes = str(host.folder.read_info().get("mode", TRAIN)), 1
        self.run_folder = host.folder.path
        self._launch(host)

    def _start(self, mode: str) -> None:
        if self.is_active:
            return
        if self.session.registry is None:
            self.refused.emit("The node types are still loading.")
            return
        self.session.validate_now()
        if self.session.is_empty:
            self.refused.emit("There is nothing to run yet: add nodes, or start from a template (Ctrl+Shift+N).")
            return
        if any(problem.severity == ERROR for problem in self.session.problems):
            self.refused.emit("problems")
            return
        try:
            words = self.options.words(mode, self.folder().absolute())
            processes = check(words, mode)
            host = self._new_host(mode, words, processes)
        except DnneError as error:
            self.refused.emit(str(error))
            return
        self.mode, self.run_folder, self.processes = mode, None, processes
        self._launch(host)

    def _new_host(self, mode: str, words: Sequence[str], processes: int) -> RunHost:
        document, registry = deepcopy(self.session.workflow), self.session.registry
        if self.options.host_for(processes) == PROCESS:
            self._scratch = tempfile.TemporaryDirectory(prefix="dnne-run-")
            path = Path(self._scratch.name) / "workflow.json"
            save_workflow(document, path)
            folders = [f"--nodes-dir={folder.absolute()}" for folder in self.nodes_folders]
            return ProcessHost([mode, str(path), *folders, *words], self.options.interpreter, self._mailbox, processes)
        from runtime.command.session import Source  # bring torch, which has loaded behind the window

        from .thread_host import ThreadHost

        assert registry is not None
        source = Source(document, lambda adjust: build_graph(document, registry, adjust))
        return ThreadHost(source, parse(words, mode), mode == INFER, self._mailbox)

    def _launch(self, host: RunHost) -> None:
        self._host = host
        self.failure, self.was_interrupted, self._last_error = None, False, ""
        self._change_state(STARTING)
        if host.can_steer:
            self.session.set_locked(True, takes_live_edits=not host.why_no_pause)
            self.session.document_changed.connect(self._follow_edits)
            self._send_wishes()
        host.start()
        self._send_wishes()
        self._timer.start(FRAME_MS)

    # Steering

    def pause(self) -> None:
        """Hold at the next safe point."""
        self._steer("pause")

    def resume(self) -> None:
        """Go on after a pause."""
        self._steer("resume")

    def step(self) -> None:
        """While paused, go on to the next safe point."""
        self._steer("step")

    def stop(self) -> None:
        """End at the next safe point, and save; of a run that is only looked at, look away."""
        if self.is_active and self._host is not None:
            self._change_state(STOPPING)
            self._host.command("stop", reason=STOPPED_IN_EDITOR)

    def edit(self, node_id: str, name: str, value: Any) -> None:
        """Change a live parameter at the next safe point."""
        self._steer("edit", node_id=node_id, name=name, value=value)

    def _steer(self, name: str, /, **arguments: Any) -> None:
        """Do what can be done with one process alone."""
        if not self.why_no_pause:
            self._command(name, **arguments)

    def watch_probes(self, outputs: Sequence[Tuple[str, str]]) -> None:
        """Ask for `ProbeSample` events of these outputs (node id, port), and no others."""
        self._outputs = tuple(outputs)
        self._command("watch_probes", outputs=self._outputs)

    def watch_viewer(self, env_ids: Sequence[int], hz: float) -> None:
        """Ask for `ViewerFrame` events of these environments, so many per second; of none where it is empty."""
        self._view = (tuple(env_ids), hz)
        self._command("watch_viewer", env_ids=self._view[0], hz=hz)

    def _command(self, name: str, /, **arguments: Any) -> None:
        if self.is_active and self.can_steer and self._host is not None:
            self._host.command(name, **arguments)

    def _send_wishes(self) -> None:
        """What the panels watch holds for every run, also for those that are started later."""
        if self._outputs:
            self.watch_probes(self._outputs)
        if self._view[0]:
            self.watch_viewer(*self._view)

    def _follow_edits(self, changes: Sequence[Any]) -> None:
        """A live parameter was changed in the document: the run follows."""
        for change in changes:
            if len(change.path) == 4 and change.path[0] == "nodes" and change.path[2] == "inputs":
                declared = self.session.live_parameter(change.path[1], change.path[3])
                if declared is not None:
                    entry = self.session.workflow.nodes[change.path[1]]
                    self.edit(change.path[1], declared.name, entry.inputs.get(change.path[3], declared.default))

    # Hearing

    def _ring(self) -> None:
        """Something is in the mailbox; called in any thread."""
        with contextlib.suppress(RuntimeError):  # the window is gone, and a run that was given up goes on
            self._rung.emit()

    def _on_ring(self) -> None:
        left = FRAME_MS - 1000.0 * (time.monotonic() - self._delivered_at)
        if self._host is None:
            return
        if left <= 0:
            self._deliver()
        else:
            self._timer.start(math.ceil(left))

    def _deliver(self) -> None:
        self._timer.start(HEARTBEAT_MS)
        self._delivered_at = time.monotonic()
        host = self._host
        outcome = host.outcome if host is not None else None
        taken = self._mailbox.take(MOST_PER_FRAME)
        if taken:
            for event in taken:
                self._note(event)
            self.events.emit(taken)
        if len(self._mailbox):
            self._timer.start(FRAME_MS)
        elif outcome is not None:
            self._end(outcome)

    def _note(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.run_folder = Path(event.run_dir) if event.run_dir and self.can_steer else self.run_folder
            self.failure = None
            self._leave_starting()
            self._tell_restarted_run()
        elif isinstance(event, Paused) and self.state == RUNNING:
            self._change_state(PAUSED)
        elif isinstance(event, Resumed) and self.state == PAUSED:
            self._change_state(RUNNING)
        elif isinstance(event, Failed):
            self.failure = event
        elif isinstance(event, Finished):
            self.failure, self.was_interrupted = None, event.interrupted
        elif isinstance(event, LogMessage) and event.level == "error":
            self._last_error = event.message

    def _tell_restarted_run(self) -> None:
        """Processes that were started again after a failure have not heard what those before them had been told."""
        if self.processes > 1:
            self._send_wishes()
            if self.state == STOPPING and self._host is not None:
                self._host.command("stop", reason=STOPPED_IN_EDITOR)

    def _leave_starting(self) -> None:
        if self.state == STARTING:
            self._change_state(RUNNING)

    def _end(self, outcome: Outcome) -> None:
        host = self._host
        assert host is not None
        self._timer.stop()
        host.close()
        rest = self._mailbox.take()
        for event in rest:
            self._note(event)
        if host.can_steer and self.session.is_locked:
            self.session.document_changed.disconnect(self._follow_edits)
            self.session.set_locked(False)
        if outcome.code != 0 and self.failure is None:
            text = self._last_error if not outcome.error or (outcome.code == 2 and self._last_error) else outcome.error
            self.failure = Failed(0.0, text or f"the run ended with exit code {outcome.code}", outcome.details)
            rest = [*rest, self.failure]
        elif self.failure is not None and self.processes > 1 and not self.failure.traceback:
            self.failure = replace(self.failure, traceback=outcome.details)  # what the processes said at last
        self._host = None
        self._drop_scratch()
        if rest:
            self.events.emit(rest)
        self._change_state(FAILED if self.failure is not None else FINISHED)

    def _drop_scratch(self) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _change_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def give_up(self) -> None:
        """The run does not stop: go on without it."""
        if self._host is not None and self.state == STOPPING:
            self._host.abandon()
            self._mailbox = Mailbox(self._ring)  # what the old one still gets belongs to no run
            self._end(Outcome(1, "the run did not stop and was given up; what it had saved is in its run folder"))

    def finish(self) -> None:
        """The window closes: stop and save, and wait until nothing is left of the run."""
        if self._host is None:
            return
        self._host.command("stop", reason="the editor was closed")
        self._host.close()
        self._end(self._host.outcome or Outcome(0))
