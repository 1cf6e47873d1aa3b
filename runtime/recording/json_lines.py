"""Events as JSON lines, for other programs and for later: ``events.jsonl`` and ``--events FILE|-``.

One object a line, with ``event`` and ``time`` in seconds since this process started the run; a metric has ``name``,
``value``, ``step`` and ``iteration``. JSON has no word for NaN and infinity: they are the strings ``"nan"``, ``"inf"``
and ``"-inf"``, which ``float()`` reads. Floats are written so that reading them gives the same bits.
"""

import json
import sys
import threading
from typing import Any, Dict, Iterator, Optional, TextIO, Union

from ..atomic import PathLike
from ..checkpoints.metadata import plain_json
from ..event_records import event_records
from ..events import Event
from .line_file import LineFile, cut_after, whole_lines
from .text_output import TextOutput

STANDARD_OUTPUT = "-"

_encode = json.JSONEncoder(allow_nan=False).encode  # json.dumps would make an encoder for every record


class JsonLinesSink:
    """Writes each event at once, in whole lines, so that a run killed at any instant leaves all that happened.

    Where nobody reads standard output any more (``dnne train --events - | head``), the run ends with
    :class:`OutputClosed`: quietly, but never as if it had succeeded.
    """

    def __init__(self, target: Union[PathLike, TextIO], append: bool = False) -> None:
        """Open a file, or write to a stream that stays open.

        Args:
            target: Path of the file, ``"-"`` for standard output, or a text stream.
            append: Continue the file after its last whole line, as a resumed run does.

        Raises:
            StorageError: the file cannot be created or opened.
        """
        self._lock = threading.Lock()
        self._output: Union[LineFile, TextOutput]
        if target == STANDARD_OUTPUT:
            self._output = TextOutput(sys.stdout)
        elif hasattr(target, "write"):
            self._output = TextOutput(target)  # type: ignore[arg-type]
        else:
            self._output = LineFile(target, append)

    def __call__(self, event: Event) -> None:
        """Write the records of one event; may be called from any thread.

        Raises:
            OutputClosed: nobody reads the stream any more.
            StorageError: the file cannot be written.
        """
        lines = "".join([record_line(record) for record in event_records(event)])
        if lines:
            with self._lock:
                self._output.write(lines)

    def close(self) -> None:
        """Close the file; a stream that was passed in stays open."""
        if isinstance(self._output, LineFile):
            self._output.close()


def record_line(record: Dict[str, Any]) -> str:
    """Return a record as one line of JSON."""
    try:
        text = _encode(record)
    except (TypeError, ValueError):
        text = _encode(plain_json(_with_plain_value(record), "event"))
    return text + "\n"


def read_records(path: PathLike) -> Iterator[Dict[str, Any]]:
    """Yield the records of a file; lines that are no JSON objects, such as a torn last one, are left out.

    Raises:
        StorageError: the file cannot be read.
    """
    for line in whole_lines(path):
        record = _record(line)
        if record is not None:
            yield record


def truncate_after(path: PathLike, iteration: int) -> None:
    """Drop the first record past ``iteration`` and all that follow it, before a run is resumed from there.

    A missing file stays missing; a torn last line is dropped.

    Raises:
        StorageError: the file cannot be read or cut.
    """
    cut_after(path, iteration, _iteration_of)


def _with_plain_value(record: Dict[str, Any]) -> Dict[str, Any]:
    """A metric may come as a tensor or a numpy number of one element."""
    if record["event"] == "metric":
        return dict(record, value=float(record["value"]))
    return record


def _iteration_of(line: bytes) -> Optional[int]:
    record = _record(line.decode("utf-8", "replace"))
    iteration = record.get("iteration") if record else None
    return iteration if isinstance(iteration, int) else None


def _record(line: str) -> Optional[Dict[str, Any]]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
