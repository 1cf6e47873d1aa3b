"""What a person sees of a run: a live line on a terminal, plain lines elsewhere, messages, errors, and a summary."""

import math
import re
import sys
import threading
from typing import Callable, Dict, List, Mapping, Optional, TextIO

from ..atomic import PathLike
from ..duration import format_duration
from ..events import (
    CheckpointSaved,
    Event,
    Failed,
    Finished,
    LogMessage,
    Metrics,
    NodeStatistics,
    ParameterChanged,
    Paused,
    Resumed,
    RunStarted,
)
from .live_line import LiveLine
from .pace import Pace
from .report import time_table
from .tally import RunTally, summary_lines
from .text_output import TextOutput

_REFRESH_SECONDS = 0.2
_PLAIN_LINE_SECONDS = 5.0
_STATISTICS_SECONDS = 10.0
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PREFIXES = {"debug": "debug: ", "warning": "warning: ", "error": "error: "}


class ProgressDisplay:
    """A sink that tells a person how the run goes.

    On a terminal one line is rewritten a few times a second; elsewhere a line is written every five seconds at most,
    and a last one at the end. Messages of level info, warning and error are always shown; those of level debug, all
    metrics, saved states and time per node only when ``verbose``. Everything goes to standard error, so that events on
    standard output stay clean. Control characters in messages are shown as escapes.

    Where nobody reads the stream any more, or it cannot be written, the event that notices it raises
    :class:`OutputClosed` or :class:`StorageError`, once: the run ends, and later events are not shown.
    """

    def __init__(
        self,
        stream: Optional[TextIO] = None,
        total_steps: Optional[int] = None,
        total_iterations: Optional[int] = None,
        total_seconds: Optional[float] = None,
        verbose: bool = False,
    ) -> None:
        """Show nothing yet.

        Args:
            stream: Standard error where it is ``None``.
            total_steps, total_iterations: Where the run ends, counted from its beginning, across resumes.
            total_seconds: Seconds after which this process ends the run.
            verbose: Show details.
        """
        self.tally = RunTally()
        self.verbose = verbose
        self._output = TextOutput(sys.stderr if stream is None else stream)
        self._live = LiveLine(self._output) if self._output.is_terminal else None
        self._pace = Pace(total_steps, total_iterations, total_seconds)
        self._lock = threading.RLock()
        self._next_refresh = 0.0
        self._next_statistics = _STATISTICS_SECONDS
        self._shown_step = -1
        self._handlers: Dict[type, Callable] = {
            RunStarted: self._on_started,
            LogMessage: lambda event: self.message(event.message, event.level),
            Metrics: self._on_metrics,
            NodeStatistics: self._on_statistics,
            CheckpointSaved: self._on_checkpoint,
            ParameterChanged: self._on_parameter,
            Paused: self._on_paused,
            Resumed: self._on_resumed,
            Failed: self._on_failed,
            Finished: self._on_finished,
        }

    def __call__(self, event: Event) -> None:
        """Show one event.

        Raises:
            OutputClosed: nobody reads the stream any more.
            StorageError: the stream cannot be written.
        """
        with self._lock:
            self.tally(event)
            handler = self._handlers.get(type(event))
            if handler is not None:
                handler(event)

    def message(self, text: str, level: str = "info") -> None:
        """Show a message above the live line; may be called from any thread, so that nothing garbles the line."""
        if level == "debug" and not self.verbose:
            return
        text = _visible(_PREFIXES.get(level, "") + text)
        with self._lock:
            if self._live is not None:
                self._live.print(text, level)
            else:
                self._output.write(text + "\n")

    def summarise(self, places: Optional[Mapping[str, PathLike]] = None) -> None:
        """End the live line and print the summary of the run."""
        self.close()
        self._output.write("\n".join(summary_lines(self.tally, places)) + "\n")

    def close(self) -> None:
        """End the live line, so that what comes next begins on a line of its own."""
        with self._lock:
            if self._live is not None:
                self._live.end()

    def _on_started(self, event: RunStarted) -> None:
        self._pace.update(event.time, event.step, event.iteration)
        beginning = f"resumed at step {event.step:,}, iteration {event.iteration:,}, " if event.resumed else ""
        self.message(f"{event.name}: {event.mode}, {beginning}device {event.device}, seed {event.seed}")
        self.message(f"schedule: {event.schedule} ({event.schedule_reason})", "debug")

    def _on_metrics(self, event: Metrics) -> None:
        if self.verbose:
            numbers = "  ".join(f"{name} {float(value):.5g}" for name, value in event.values.items())
            self.message(f"iteration {event.iteration:,}, step {event.step:,}: {numbers}", "debug")
        self._on_progress(event)

    def _on_progress(self, event: Event) -> None:
        self._pace.update(event.time, self.tally.step, self.tally.iteration)
        if event.time >= self._next_refresh:
            self._refresh(event.time)

    def _on_statistics(self, event: NodeStatistics) -> None:
        self._on_progress(event)
        if self.verbose and event.time >= self._next_statistics:
            self._next_statistics = event.time + _STATISTICS_SECONDS
            self._show_statistics()

    def _on_checkpoint(self, event: CheckpointSaved) -> None:
        what = f"checkpoint of node {event.node_id}" if event.node_id else "resume state"
        self.message(f"{what} saved in {event.path} ({event.reason})", "debug")

    def _on_parameter(self, event: ParameterChanged) -> None:
        self.message(f"node {event.node_id}: {event.name} was {event.old!r} and is {event.new!r}")

    def _on_paused(self, event: Paused) -> None:
        self._pace.hold()
        self.message(f"paused at step {event.step:,}")

    def _on_resumed(self, event: Resumed) -> None:
        self._pace.restart()
        self.message(f"going on at step {event.step:,}")

    def _on_failed(self, event: Failed) -> None:
        self._end(event)
        self.message(_failure(event), "error")

    def _on_finished(self, event: Finished) -> None:
        self._pace.update(event.time, event.step, event.iteration)
        if self.verbose and self.tally.nodes:
            self._show_statistics()
        self._end(event)

    def _show_statistics(self) -> None:
        waiting = ", ".join(f"{node.node_id} {node.label} {node.queued}" for node in self.tally.nodes if node.queued)
        table = time_table(self.tally.nodes, self.tally.running_time)
        self.message("\n".join(["time per node", *table, f"waiting values: {waiting or 'none'}"]), "debug")

    def _end(self, event: Event) -> None:
        has_begun = self.tally.started is not None or self.tally.step > 0
        if has_begun and (self._live is not None or self.tally.step != self._shown_step):
            self._refresh(event.time)
        self.close()

    def _refresh(self, time: float) -> None:
        fields = self._fields()
        self._shown_step = self.tally.step
        if self._live is not None:
            self._next_refresh = time + _REFRESH_SECONDS
            self._live.show(self._pace.fraction, fields)
        else:
            self._next_refresh = time + _PLAIN_LINE_SECONDS
            self._output.write("  ".join(fields) + "\n")

    def _fields(self) -> List[str]:
        """What the line says, the most important first."""
        tally, pace = self.tally, self._pace
        fraction, speed = pace.fraction, pace.steps_per_second
        fields = []
        if fraction is not None:
            fields.append(f"{int(100 * fraction):3d} %")
        fields.append(_count("step", tally.step, pace.total_steps))
        if not math.isnan(tally.mean_reward):
            fields.append(f"reward {tally.mean_reward:.1f}")
        fields.append(self._time_field())
        if speed is not None:
            fields.append(f"{speed:,.0f} steps/s")
        if tally.started is None or tally.started.mode != "infer":
            fields.append(_count("iteration", tally.iteration, pace.total_iterations))
        return fields

    def _time_field(self) -> str:
        left = self._pace.seconds_left
        if self.tally.reason:
            return f"after {format_duration(self.tally.time)}"
        return f"{format_duration(self.tally.time)} so far" if left is None else f"{format_duration(left)} left"


def _count(name: str, done: int, total: Optional[int]) -> str:
    return f"{name} {done:,}/{total:,}" if total else f"{name} {done:,}"


def _failure(event: Failed) -> str:
    where = f"node {event.node_id} ({event.label})"
    at_step = f" (at step {event.step:,})" if event.step else ""
    error = event.error if not event.node_id or event.error.startswith(where) else f"{where}: {event.error}"
    return f"{error}{at_step}\n{event.traceback}".rstrip()


def _visible(text: str) -> str:
    return _CONTROL_CHARACTERS.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\r\n", "\n"))
