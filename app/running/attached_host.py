"""Looks at the folder of a run that somebody else started: it may go on, on another machine, or be over."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO, List, Mapping, Optional, Union

from runtime.errors import RunError
from runtime.event_records import events_from
from runtime.recording import RunFolder
from runtime.recording.run_folder import EVENTS_FILE

from .host import Outcome, RunHost
from .mailbox import Mailbox

POLL_SECONDS = 0.5
BLOCK = 1 << 20


class Tail:
    """Reads a file of lines that grows; a torn last line waits for its rest, a file that was replaced begins anew."""

    def __init__(self, path: Path):
        self._path = path
        self._file: Optional[BinaryIO] = None
        self._rest = b""

    def read(self) -> List[bytes]:
        """The whole lines since the last call.

        Raises:
            OSError: The file cannot be read; that it is not there yet is no error.
        """
        if self._file is None or self._is_another():
            self.close()
            try:
                self._file = self._path.open("rb")
            except FileNotFoundError:
                return []
        block = self._file.read(BLOCK)
        *lines, self._rest = (self._rest + block).split(b"\n")
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

    Raises:
        RunError: It is no run's folder.
    """

    can_steer = False
    why_no_pause = "This run is only looked at: somebody else has started it."

    def __init__(self, path: Union[str, Path], mailbox: Mailbox):
        super().__init__(mailbox)
        self.folder = RunFolder.open(path, lock=False)
        self._tail = Tail(self.folder.path / EVENTS_FILE)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="dnne-attached", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def _follow(self) -> None:
        try:
            self.outcome = self._read_to_the_end()
        except (OSError, RunError) as error:
            self.outcome = Outcome(1, f"{self.folder.path} cannot be read any more: {error}")
        finally:
            self._tail.close()

    def _read_to_the_end(self) -> Outcome:
        while not self._closed.is_set():
            result = self.folder.read_info().get("result")
            lines = self._tail.read()
            while lines:
                self._deliver(lines)
                lines = self._tail.read()
            if result is not None:
                return Outcome(0 if result != "failed" else 1, "" if result != "failed" else "the run has failed")
            self._closed.wait(POLL_SECONDS)
        return Outcome(0)

    def _deliver(self, lines: List[bytes]) -> None:
        records: List[Mapping[str, Any]] = []
        for line in lines:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue  # torn by a kill or a full disk, as `read_records` leaves it out
            if isinstance(record, dict):
                records.append(record)
        for event in events_from(records):
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
