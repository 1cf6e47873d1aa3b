"""The lines of the log, without Qt: made from events, capped, filtered, unfolded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Set, Tuple

from runtime.events import CheckpointSaved, Event, Failed, Finished, LogMessage, ParameterChanged, RunStarted

DEBUG, INFO, WARNING, ERROR = LEVELS = ("debug", "info", "warning", "error")
MOST_RECORDS, MOST_CHARACTERS = 20_000, 4_000_000
LONGEST_RECORD = 200_000
CUT = "… (cut here; all of it is in the run folder's events.jsonl)"


class LogRecord(NamedTuple):
    """One message.

    Attributes:
        time: Seconds since the start of the run.
        level: One of `LEVELS`.
        node_id: Where it comes from; empty for the run itself.
        text: One line.
        details: Further lines, such as a traceback; shown on demand.
        title: Of the node, where it is known.
    """

    time: float
    level: str
    node_id: str
    text: str
    details: Tuple[str, ...] = ()
    title: str = ""

    @property
    def node(self) -> str:
        """``Trainer (6)``; the id alone where the title is not known."""
        return f"{self.title} ({self.node_id})" if self.title else self.node_id

    @property
    def whole(self) -> str:
        """Everything, as it is copied."""
        where = f" [node {self.node}]" if self.node_id else ""
        return "\n".join([f"{clock(self.time)} {self.level.upper()}{where} {self.text}", *self.details])

    @property
    def characters(self) -> int:
        """Of all lines."""
        return len(self.text) + sum(map(len, self.details))


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
        is_named = not event.node_id or f"node {event.node_id} " in event.error
        where = "" if is_named else f"{event.label or 'Node ' + event.node_id}: "
        return _record(event.time, ERROR, event.node_id, f"Failed. {where}{event.error}", event.traceback)
    if isinstance(event, CheckpointSaved):
        what = "Checkpoint saved" if event.node_id else "State to resume from saved"
        text = f"{what} after step {event.step:,} ({event.reason}): {event.path}"
        return _record(event.time, INFO, event.node_id, text)
    if isinstance(event, Finished):
        verb = "Ended" if event.interrupted else "Finished"
        text = f"{verb}: {event.reason}; {event.step:,} steps, {event.iteration:,} iterations"
        return _record(event.time, INFO, "", text)
    if isinstance(event, RunStarted):
        verb = "Resumed" if event.resumed else "Started"
        text = f"{verb}: {event.name}, {event.mode}, device {event.device}, seed {event.seed}"
        return _record(event.time, INFO, "", text)
    if isinstance(event, ParameterChanged):
        return _record(event.time, INFO, event.node_id, f"{event.name} changed from {event.old!r} to {event.new!r}")
    return None


def separator_of(event: RunStarted) -> LogRecord:
    """The line between a run and the one before it."""
    name = Path(event.run_dir).name or event.name
    return _record(event.time, INFO, "", f"──── Run {name} began ────")


def _record(time: float, level: str, node_id: str, message: str, traceback: str = "") -> LogRecord:
    if len(message) > LONGEST_RECORD:
        message = message[:LONGEST_RECORD] + CUT
    text, *more = message.splitlines() or [""]
    return LogRecord(time, level, node_id, text, (*more, *traceback.rstrip().splitlines()))


class LogLines:
    """The records, and the rows that are shown of them.

    Attributes:
        records: Oldest first, at most ``most``, of at most ``most_characters`` altogether.
        dropped: How many older ones were forgotten.
        rows: Those that pass the filters, with the details of unfolded ones.
        levels: Shown levels.
        words: All of them must occur in a record, whatever their case.
        counts: Records by level.
    """

    def __init__(self, most: int = MOST_RECORDS, most_characters: int = MOST_CHARACTERS):
        self.most, self.most_characters = most, most_characters
        self.records: List[LogRecord] = []
        self.dropped = self._characters = 0
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
        self._characters += sum(record.characters for record in records)
        self.counts.update(record.level for record in records)
        self._unfolded.update(id(record) for record in records if record.level == ERROR and record.details)
        return [row for record in records if self.passes(record) for row in self._rows_of(record)]

    def overflow(self) -> int:
        """Forget the oldest records where there are too many; returns how many of the first rows belonged to them."""
        surplus = self._surplus()
        if not surplus:
            return 0
        gone = {id(record) for record in self.records[:surplus]}
        self.counts.subtract(record.level for record in self.records[:surplus])
        self._characters -= sum(record.characters for record in self.records[:surplus])
        del self.records[:surplus]
        self.dropped += surplus
        self._unfolded -= gone
        count = 0
        while count < len(self.rows) and id(self.rows[count][0]) in gone:
            count += 1
        return count

    def _surplus(self) -> int:
        """How many of the oldest records are too many; a tenth more than needed, so that it is not for every line."""
        if len(self.records) <= self.most and self._characters <= self.most_characters:
            return 0
        surplus, characters = len(self.records) - self.most * 9 // 10, self._characters
        for number, record in enumerate(self.records[:-1]):
            if number >= surplus and characters <= self.most_characters * 9 // 10:
                return number
            characters -= record.characters
        return len(self.records) - 1

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
        self.dropped = self._characters = 0
        self.counts.clear()

    def _rows_of(self, record: LogRecord) -> List[Row]:
        lines = len(record.details) if self.is_unfolded(record) else 0
        return [(record, line) for line in range(-1, lines)]
