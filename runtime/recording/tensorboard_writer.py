"""Metrics for TensorBoard, over environment steps. TensorBoard is optional: exports need torch alone."""

import logging
import re
import time
from pathlib import Path
from typing import Any, Optional, Tuple

from ..atomic import PathLike
from ..events import Event, Failed, Finished, Metrics
from .line_file import storage_errors

logger = logging.getLogger(__name__)

_FLUSH_SECONDS = 5
_EVENT_FILE = re.compile(r"events\.out\.tfevents\.([0-9]+)\.")
_LONGEST_WAIT = 2.0
# What a missing, a damaged and an outdated installation raise (TypeError: protobuf of another age).
_NOT_INSTALLED = (ImportError, AttributeError, TypeError, ValueError)


class TensorBoardWriter:
    """Writes the metrics of an iteration as scalars of the same names.

    All scalars of an iteration go into one record: thirty calls of ``SummaryWriter.add_scalar`` take 1.4 ms, one
    record takes 0.1 ms.
    """

    def __init__(self, folder: PathLike, purge_step: Optional[int] = None) -> None:
        """Open a new event file in ``folder``; where TensorBoard does not import, log one warning and write nothing.

        Args:
            folder: Created where missing.
            purge_step: A resumed run's environment steps plus one: TensorBoard hides what an earlier process wrote
                from this step on.

        Raises:
            StorageError: the file cannot be created.
        """
        self._folder = folder
        self._writer: Any = None
        self._summary: Any = None
        try:
            summary_writer, self._summary = _tensorboard()
        except _NOT_INSTALLED as error:
            logger.warning(
                "no TensorBoard log is written, as torch.utils.tensorboard does not import (%s: %s); "
                "to have one: pip install tensorboard",
                type(error).__name__,
                error,
            )
            return
        with storage_errors(folder):
            if purge_step is not None:
                _await_later_name(Path(folder))
            self._writer = summary_writer(str(folder), purge_step=purge_step, flush_secs=_FLUSH_SECONDS)

    @property
    def is_active(self) -> bool:
        """Whether TensorBoard is installed and no error has ended the writing."""
        return self._writer is not None

    def __call__(self, event: Event) -> None:
        """Write the scalars of a :class:`Metrics` event; the end of a run flushes them to the disk.

        Raises:
            StorageError: the file cannot be written. TensorBoard writes in a thread, so that the error may come with
                a later event.
        """
        if self._writer is None:
            return
        if isinstance(event, Metrics):
            values = [self._summary.Value(tag=name, simple_value=float(v)) for name, v in event.values.items()]
            self._guarded(self._writer.file_writer.add_summary, self._summary(value=values), event.step)
        elif isinstance(event, (Finished, Failed)):
            self._guarded(self._writer.flush)

    def close(self) -> None:
        """Write what is left and close the file.

        Raises:
            StorageError: the file cannot be written.
        """
        if self._writer is not None:
            writer = self._writer
            self._guarded(writer.close)
            self._writer = None

    def _guarded(self, action: Any, *arguments: Any) -> None:
        writer, self._writer = self._writer, None
        with storage_errors(self._folder):
            action(*arguments)
        self._writer = writer


def _tensorboard() -> Tuple[Any, Any]:
    from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter, Summary


def _await_later_name(folder: Path) -> None:
    """TensorBoard reads files in the order of their names, which begin with the second in which they were made."""
    if not folder.is_dir():
        return
    matches = [_EVENT_FILE.match(path.name) for path in folder.iterdir()]
    newest = max((int(match[1]) for match in matches if match), default=0)
    wait = newest + 1 - time.time()
    if wait > _LONGEST_WAIT:
        logger.warning("%s holds a log from the future: TensorBoard may show what the resumed run replaces", folder)
    elif wait > 0:
        time.sleep(wait)
