"""Joins a window to its runs: buttons, status bar, canvas, settings, failures, and the question at the end."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QDialog

from runtime.events import Failed, NodeStatistics, ProbeSample, RunStarted

from ..canvas.run_display import RunDisplay
from ..dialogs.choose import choose_folder
from ..dialogs.messages import ACCEPT, DESTRUCTIVE, REJECT, ask
from .controller import ACTIVE, FAILED, PAUSED, RUNNING, STARTING, STOPPING, RunController
from .failure_dialog import FailureDialog
from .run_options import NO_WEIGHTS, RunOptions
from .run_status import RunStatus
from .settings_panel import RunSettingsPanel

if TYPE_CHECKING:
    from ..history.entries import RunEntry
    from ..main_window import MainWindow

PATIENCE_MS = 10_000
DOCUMENT_ACTIONS = ("actionNew", "actionTemplates", "actionOpen", "actionImport")


class RunView(QObject):
    """What a window shows and offers of its runs.

    Attributes:
        controller: The runs.
        display: On the canvas.
        settings: The form of the run settings.
        status: In the status bar.
    """

    def __init__(self, window: MainWindow, controller: RunController):
        super().__init__(window)
        self._window = window
        self.controller = controller
        self.display = RunDisplay(window.canvas)
        self.settings = RunSettingsPanel(controller, window.tasks)
        self.status = RunStatus(controller)
        self._after: Optional[Callable[[], object]] = None
        self._tips: Dict[str, str] = {}
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._ask_about_stuck_run)
        controller.folder = window.files.folder

    def connect_window(self) -> None:
        """Begin; the window's actions, docks and bars are there now."""
        controller, session = self.controller, self._window.session
        self._tips = {name: self._window.actions_by_name[name].toolTip() for name in ("actionPause", "actionStep")}
        self._window.status.insertPermanentWidget(0, self.status)
        controller.state_changed.connect(self._on_state)
        controller.events.connect(self._on_events)
        controller.refused.connect(self._on_refused)
        self.display.outputs_changed.connect(controller.watch_probes)
        self.display.failure_clicked.connect(self.show_failure)
        self.settings.edited.connect(self._keep_options)
        session.lock_changed.connect(self._window.canvas.set_locked)
        session.registry_changed.connect(self._on_types)
        session.document_replaced.connect(self._load_options)
        self._window.files.path_changed.connect(self._keep_options)
        self._load_options()
        self._enable()

    def _on_types(self) -> None:
        self.settings.build_pages()
        self._load_options()
        self._enable()

    # Settings

    def _key(self) -> str:
        path = self._window.session.document.path
        name = str(path.absolute()) if path is not None else "untitled"
        return "run/" + hashlib.sha256(name.encode()).hexdigest()[:16]

    def _load_options(self) -> None:
        if self._window.session.registry is None:
            return
        self.controller.options = RunOptions.from_text(self._window.settings.text(self._key(), ""))
        self.settings.show_options()

    def _keep_options(self) -> None:
        if self._window.session.registry is None:
            return
        self._window.settings.keep(self._key(), self.controller.options.as_text())

    def show_settings(self) -> None:
        """Bring the run settings to the front."""
        self._window.view.show_panel("runSettings")

    # Buttons

    def train(self) -> None:
        """Train the document as it stands."""
        self._begin("train", self.controller.train)

    def infer(self) -> None:
        """Run the trained policy."""
        self._begin("infer", self.controller.infer)

    def _begin(self, mode: str, start: Callable[[], None]) -> None:
        self._window.session.commit_pending()
        self.settings.show_mode(mode)
        start()

    def toggle_pause(self) -> None:
        """Hold, or go on."""
        if self.controller.state == PAUSED:
            self.controller.resume()
        else:
            self.controller.pause()

    def choose_run(self) -> None:
        """Let the user choose the folder of a run to look at."""
        places = [place for place in self._window.watching.runs.folders() if place.is_dir()]
        start = places[0] if places else self._window.files.folder()
        choose_folder(self._window, "attachDialog", "Look at a run: choose its folder", start, self.attach)

    def attach(self, path: Path) -> None:
        """Look at a run that somebody else started."""
        self.controller.attach(path)

    def _enable(self) -> None:
        state, actions = self.controller.state, self._window.actions_by_name
        is_free = state not in ACTIVE
        why_not = self.controller.why_no_pause
        can_start = is_free and self._window.session.registry is not None
        for name, enabled in (
            ("actionTrain", can_start), ("actionInfer", can_start), ("actionAttach", is_free),
            ("actionPause", not why_not and state in (RUNNING, PAUSED)),
            ("actionStep", not why_not and state == PAUSED),
            ("actionStop", not is_free and state != STOPPING), *((name, is_free) for name in DOCUMENT_ACTIONS),
        ):  # fmt: skip
            actions[name].setEnabled(enabled)
        for name, tip in self._tips.items():
            actions[name].setToolTip(f"{tip}\n{why_not}".strip())
        pause = actions["actionPause"]
        pause.setText("&Resume" if state == PAUSED else "&Pause")
        pause.setIconText(pause.text().replace("&", ""))
        actions.set_icon("actionPause", "run" if state == PAUSED else "pause")

    # Following the run

    def _on_state(self, state: str) -> None:
        self._enable()
        if state == STARTING:
            self._window.notice.clear()
            self.display.begin()
        if state == STOPPING and self.controller.can_steer:
            self._patience.start()
        if state not in ACTIVE:
            self._patience.stop()
            self._close_question()
            self.display.end()
        if state == FAILED and self.controller.failure is not None:
            self._tell_failure(self.controller.failure)
        if state not in ACTIVE and self._after is not None:
            after, self._after = self._after, None
            after()

    def _on_events(self, events: Any) -> None:
        statistics: List[NodeStatistics] = []
        for event in events:
            if isinstance(event, NodeStatistics):
                statistics.append(event)
            elif isinstance(event, RunStarted):
                statistics.clear()
                self.display.begin_clock(event.time)
            elif isinstance(event, ProbeSample):
                self.display.show_sample(event)
        if statistics:
            self.display.show_statistics(statistics[-1])

    def _tell_failure(self, failure: Failed) -> None:
        if failure.node_id:
            self.display.show_failure(failure.node_id)
            self._window.session.reveal(failure.node_id)
        first = failure.error.splitlines()[0] if failure.error else "unknown error"
        self._window.notice.tell(f"The run failed: {first}", [("Details", self.show_failure)])

    def show_failure(self) -> None:
        """The last failure in full."""
        if self.controller.failure is not None:
            for earlier in self._window.findChildren(QDialog, "runFailure"):
                earlier.close()
            FailureDialog(self._window, self.controller.failure).open()

    def _on_refused(self, reason: str) -> None:
        if reason == "problems":
            self._window.view.show_panel("problems")
            self._window.session.message.emit("The workflow has errors; mend them first")
            return
        self._window.notice.tell(f"Nothing was started: {reason}", [("Run settings", self.show_settings)])
        if reason == NO_WEIGHTS:
            self._window.watching.runs.find_newest_weights(self._offer_weights)

    def _offer_weights(self, entry: RunEntry) -> None:
        """The notice that weights are missing, with a run that has some."""
        if NO_WEIGHTS not in self._window.notice.text:
            return
        infer = ("Infer from the newest run", lambda: self._window.watching.runs.infer_here(entry))
        text = f"Nothing was started: {NO_WEIGHTS}. The newest run that has some: {entry.name}"
        self._window.notice.tell(text, [infer, ("Run settings", self.show_settings)])

    # A run that does not stop

    def _ask_about_stuck_run(self) -> None:
        node = self.display.working_title or "A node"
        has_begun = self.controller.run_folder is not None
        ask(
            self._window, "runStuck", "The run does not stop.",
            f"{f'{node} has not ended its work' if has_begun else 'The run has been starting, and hears nothing yet,'} "
            f"for {PATIENCE_MS // 1000} s. A run that is given up saves "
            "nothing more; in a thread it goes on unseen until the editor is closed.",
            [("Wait", REJECT, self._patience.start), ("Give up the run", DESTRUCTIVE, self.controller.give_up)],
        )  # fmt: skip

    def _close_question(self) -> None:
        for question in self._window.findChildren(QDialog, "runStuck"):
            question.close()

    # Closing

    def may_close(self, then: Callable[[], object]) -> bool:
        """True where no run of the window goes on; else the user is asked, and ``then`` is called after the run."""
        if not self.controller.is_active or not self.controller.can_steer:
            return True
        ask(
            self._window, "runGoesOn", "A run is going on.",
            "Stopping saves its state, so that it can be resumed from its run folder.",
            [("Stop and save", ACCEPT, lambda: self._stop_then(then)), ("Cancel", REJECT, None)],
        )  # fmt: skip
        return False

    def _stop_then(self, then: Callable[[], object]) -> None:
        if not self.controller.is_active:
            then()
            return
        self._after = then
        self.controller.stop()
