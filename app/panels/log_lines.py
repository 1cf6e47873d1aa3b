"""The lines of the log, without Qt: made from events, capped, filtered, unfolded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import List, Optional, Sequence, Set, Tuple

from runtime.events import CheckpointSaved, Event, Failed, Finished, LogMessage, ParameterChanged, RunStarted

DEBUG, INFO, WARNING, ERROR = LEVELS = ("debug", "info", "warning", "error")
MOST_RECORDS = 100_000


@dataclass(frozen=True, eq=False)
class LogRecord:
    """One message.

    Attributes:
        time: Seconds since the start of the run.
        level: One of `LEVELS`.
        node_id: Where it comes from; empty for the run itself.
        text: One line.
        details: Further lines, such as a traceback; shown on demand.
    """

    time: float
    level: str
    node_id: str
    text: str
    details: Tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """Everything, as it is copied."""
        where = f" [node {self.node_id}]" if self.node_id else ""
        return "\n".join([f"{clock(self.time)} {self.level.upper()}{where} {self.text}", *self.details])


Row = Tuple[LogRecord, int]
"""A record and the number of one of its details; -1 for the record itself."""


def clock(seconds: float) -> str:
    """0:00:01.250"""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:06.3f}"


def record_of(event: Event) -> Optional[LogRecord]:
    """What the log says of an event; ``None`` for events that are shown elsewhere."""
    if isinstance(event, LogMessage):
        level = event.level if event.level in LEVELS else INFO
        return _record(event.time, level, event.node_id, event.message)
    if isinstance(event, Failed):
        where = f"{event.label or 'Node ' + event.node_id}: " if event.node_id else ""
        return _record(event.time, ERROR, event.node_id, f"Failed. {where}{event.error}", event.traceback)
    if isinstance(event, CheckpointSaved):
        what = "Checkpoint saved" if event.node_id else "State to resume from saved"
        text = f"{what} after step {event.step:,} ({event.reason}): {event.path}"
        return _record(event.time, INFO, event.node_id, text)
    if isinstance(event, Finished):
        verb = "Interrupted" if event.interrupted else "Finished"
        text = f"{verb}: {event.reason}; {event.step:,} steps, {event.iteration:,} iterations"
        return _record(event.time, INFO, "", text)
    if isinstance(event, RunStarted):
        verb = "Resumed" if event.resumed else "Started"
        text = f"{verb}: {event.name}, {event.mode}, device {event.device}, seed {event.seed}"
        return _record(event.time, INFO, "", text)
    if isinstance(event, ParameterChanged):
        return _record(event.time, INFO, event.node_id, f"{event.name} changed from {event.old!r} to {event.new!r}")
    return None


def _record(time: float, level: str, node_id: str, message: str, traceback: str = "") -> LogRecord:
    text, *more = message.splitlines() or [""]
    return LogRecord(time, level, node_id, text, (*more, *traceback.rstrip().splitlines()))


class LogLines:
    """The records, and the rows that are shown of them.

    Attributes:
        records: Oldest first, at most ``most``.
        rows: Those that pass the filters, with the details of unfolded ones.
        levels: Shown levels.
        words: All of them must occur in a record, whatever their case.
        counts: Records by level.
    """

    def __init__(self, most: int = MOST_RECORDS):
        self.most = most
        self.records: List[LogRecord] = []
        self.rows: List[Row] = []
        self.levels: Set[str] = {INFO, WARNING, ERROR}
        self.words: Tuple[str, ...] = ()
        self.counts: Counter[str] = Counter()
        self._unfolded: Set[int] = set()

    def passes(self, record: LogRecord) -> bool:
        """True for records that are shown."""
        if record.level not in self.levels:
            return False
        if not self.words:
            return True
        text = record.whole.casefold()
        return all(word in text for word in self.words)

    def add(self, records: Sequence[LogRecord]) -> List[Row]:
        """Add records, errors unfolded; returns their rows, which the caller adds to ``rows`` with `extend`."""
        self.records += records
        self.counts.update(record.level for record in records)
        self._unfolded.update(id(record) for record in records if record.level == ERROR and record.details)
        return [row for record in records if self.passes(record) for row in self._rows_of(record)]

    def overflow(self) -> int:
        """Forget the oldest records where there are too many; returns how many of the first rows belonged to them."""
        surplus = len(self.records) - self.most
        if surplus <= 0:
            return 0
        surplus += self.most // 10  # so that it is not needed for every line
        gone = {id(record) for record in self.records[:surplus]}
        self.counts.subtract(record.level for record in self.records[:surplus])
        del self.records[:surplus]
        self._unfolded -= gone
        count = 0
        while count < len(self.rows) and id(self.rows[count][0]) in gone:
            count += 1
        return count

    def set_filter(self, levels: Set[str], text: str) -> None:
        """Show these levels, and what holds all words of a text."""
        self.levels, self.words = set(levels), tuple(text.casefold().split())
        self.rows = [row for record in self.records if self.passes(record) for row in self._rows_of(record)]

    def is_unfolded(self, record: LogRecord) -> bool:
        """True where its details are shown."""
        return id(record) in self._unfolded

    def set_unfolded(self, record: LogRecord, on: bool) -> None:
        """Show or hide the details; the caller changes ``rows``."""
        if on:
            self._unfolded.add(id(record))
        else:
            self._unfolded.discard(id(record))

    def clear(self) -> None:
        """Forget everything."""
        self.records, self.rows, self._unfolded = [], [], set()
        self.counts.clear()

    def _rows_of(self, record: LogRecord) -> List[Row]:
        lines = len(record.details) if self.is_unfolded(record) else 0
        return [(record, line) for line in range(-1, lines)]
