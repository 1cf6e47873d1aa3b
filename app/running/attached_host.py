"""Looks at the folder of a run that somebody else started: it may go on, on another machine, or be over."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from typing import Any, BinaryIO, List, Mapping, Optional, Union

from runtime.errors import DnneError
from runtime.event_records import events_from
from runtime.events import Event, Metrics, NodeStatistics, RunStarted
from runtime.recording import RunFolder
from runtime.recording.run_folder import EVENTS_FILE, METRICS_FILE

from ..plots.metrics_file import PastMetrics, read_past
from .host import Outcome, RunHost, crashed
from .mailbox import Mailbox

POLL_SECONDS, WAIT_SECONDS = 0.5, 0.005
BLOCK, PAUSE_SECONDS = 1 << 16, 0.001
"""So many bytes are read at once, and then the window has its turn: both need Python's lock."""
MOST_WAITING = 500
NOTHING = PastMetrics(0.0, 0, 0, {})
METRIC = b'{"event": "metric"'
METRIC_LINE = re.compile(rb"^" + re.escape(METRIC) + rb".*\n", re.MULTILINE)
ITERATION = re.compile(rb'"iteration": (\d{1,18})\b')


class Tail:
    """Reads a file of lines that grows; a torn last line waits for its rest, a file that was replaced begins anew."""

    def __init__(self, path: Path):
        self._path = path
        self._file: Optional[BinaryIO] = None
        self._rest = b""

    def read(self) -> bytes:
        """Some whole lines that came after those of the last call; none where there are no more.

        Raises:
            OSError: The file cannot be read; that it is not there yet is no error.
        """
        if self._file is None or self._is_another():
            self.close()
            try:
                self._file = self._path.open("rb")
            except FileNotFoundError:
                return b""
        block, lines = b"-", b""
        while block and not lines:
            block = self._file.read(BLOCK)
            lines, end, self._rest = (self._rest + block).rpartition(b"\n")
            lines += end
        return lines

    def _is_another(self) -> bool:
        """True after the file was replaced, or cut by a resume."""
        assert self._file is not None
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._file.fileno())
        return (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev) or now.st_size < self._file.tell()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._rest = None, b""


class AttachedHost(RunHost):
    """Follows ``events.jsonl`` of a run folder; the run is left alone.

    The metrics that the run has reported so far come from ``metrics.csv``, which is read ten times as fast.

    Raises:
        RunError: It is no run's folder.
    """

    can_steer = False
    why_no_pause = "This run is only looked at: somebody else has started it."

    def __init__(self, path: Union[str, Path], mailbox: Mailbox):
        super().__init__(mailbox)
        self.folder = RunFolder.open(path, lock=False)
        self._tail = Tail(self.folder.path / EVENTS_FILE)
        self._known = NOTHING
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="dnne-attached", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def _follow(self) -> None:
        try:
            self.outcome = self._read_to_the_end()
        except (OSError, DnneError) as error:
            self.outcome = Outcome(1, f"{self.folder.path} cannot be read any more: {error}")
        except BaseException as error:  # noqa: BLE001 - shown in the window, which goes on
            self.outcome = crashed(error)
        finally:
            self._tail.close()

    def _read_to_the_end(self) -> Outcome:
        while not self._closed.is_set():
            result = self.folder.read_info().get("result")
            lines = self._tail.read()
            while lines and not self._closed.is_set():
                self._deliver(lines)
                self._closed.wait(PAUSE_SECONDS)
                lines = self._tail.read()
            if result is not None:
                return Outcome(0 if result != "failed" else 1, "" if result != "failed" else "the run has failed")
            self._closed.wait(POLL_SECONDS)
        return Outcome(0)

    def _deliver(self, lines: bytes) -> None:
        records: List[Mapping[str, Any]] = []
        for line in self._without_known(lines).splitlines():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue  # torn by a kill or a full disk, as `read_records` leaves it out
            if isinstance(record, dict):
                records.append(record)
        for event in events_from(records):
            if not self._is_known(event):
                self._put(event)
            if isinstance(event, RunStarted) and not event.resumed:
                self._put_past(event.time)

    def _is_known(self, event: Event) -> bool:
        """Metrics that came from ``metrics.csv``, and statistics of moments before the last of these."""
        if isinstance(event, Metrics):
            return event.iteration < self._known.iteration
        return isinstance(event, NodeStatistics) and event.step < self._known.step

    def _without_known(self, lines: bytes) -> bytes:
        """Leave out metrics that are known already, where all of these are; to parse them would take long."""
        last = lines.rfind(METRIC)
        found = ITERATION.search(lines, last) if last >= 0 else None
        return METRIC_LINE.sub(b"", lines) if found and int(found[1]) < self._known.iteration else lines

    def _put_past(self, time: float) -> None:
        """Tell what metrics the run has reported; the last of them comes as an event."""
        self._known = NOTHING
        try:
            for part in read_past(self.folder.path / METRICS_FILE, block=BLOCK):
                self._known = part
                self._put(part)
                if self._closed.wait(PAUSE_SECONDS):
                    return
        except DnneError as error:
            self.warn(time, f"metrics are taken from the events, which takes longer: {error}")

    def _put(self, event: Event) -> None:
        """Put an event into the mailbox, once the window has taken some of what lies there, or looks away."""
        while len(self.mailbox) >= MOST_WAITING:
            if self._closed.wait(WAIT_SECONDS):
                return
        self.mailbox.put(event)

    def command(self, name: str, /, **arguments: Any) -> None:
        """Only ``stop`` does something: it ends the looking, not the run."""
        if name == "stop":
            self._closed.set()

    def abandon(self) -> None:
        """Stop reading."""
        self._closed.set()

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()
        self._thread.join()
