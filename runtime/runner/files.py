"""The folder of a runner's run, and its messages."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import List, Optional

from ..atomic import PathLike
from ..configuration.saved import config_text
from ..errors import TrackingError
from ..events import Event, Failed, LogMessage
from ..graph import Graph
from ..recording import Recorders, RunFolder, RunTally, describe_run
from ..recording.trackers import Tracker, check_trackers, open_trackers
from ..run.settings import RunSettings
from ..workflow import Workflow, format_workflow
from .progress import LearnProgress

LOGGER = logging.getLogger("dnne")
"""Not a child of this package's logger, whose records are events of the run already."""
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class RunFiles:
    """A sink that records events in a run folder, where there is one, and shows progress.

    Messages go to the logger ``dnne``; where the program handles no log, they are shown with the progress.

    Args:
        log_dir: Where the folder is made; ``None`` for none.
        graph: For the parameters.
        document: Written into the folder, where a file can hold it.
        track: Trackers, as ``--track`` takes them; they need a folder.
        progress: What is shown.
    """

    def __init__(
        self, log_dir: Optional[PathLike], graph: Graph, document: Optional[Workflow], track: Optional[str],
        progress: LearnProgress,
    ):  # fmt: skip
        if track is not None:
            check_trackers(track)
            if log_dir is None:
                raise TrackingError(f"track={track!r} needs a log_dir: the folder of the run")
        self._track = track
        self._trackers: List[Tracker] = []
        self._log_dir, self._graph, self._document = log_dir, graph, document
        self._stack = contextlib.ExitStack()
        self._folder: Optional[RunFolder] = None
        self._recorders: Optional[Recorders] = None
        self._tally = RunTally()
        self._progress = progress

    def open(self, settings: RunSettings, name: str) -> Optional[Path]:
        """Make the folder.

        Raises:
            StorageError: It cannot be created.
        """
        if self._log_dir is None:
            return None
        folder = self._folder = self._stack.enter_context(RunFolder.create(self._log_dir, name))
        if self._document is not None:
            folder.write_workflow(format_workflow(self._document))
            folder.write_config(config_text(settings, self._graph, folder.path))
        parameters = {node_id: node.parameter_values() for node_id, node in self._graph.nodes.items()}
        device = str(settings.torch_device())
        info = describe_run(
            name, settings.mode, settings.seed, device, settings.threads, settings.as_dict(), parameters
        )
        folder.write_info(info)
        self._recorders = self._stack.enter_context(folder.recorders())
        if self._track is not None:
            self._trackers = open_trackers(self._track, folder.path, settings.as_dict(), self._graph)
        return folder.path

    def __call__(self, event: Event) -> None:
        """Record and show an event."""
        self._tally(event)
        self._progress(event)
        if isinstance(event, LogMessage):
            if self._progress.is_shown and not LOGGER.hasHandlers():
                self._progress.message(event)
            else:
                LOGGER.log(LEVELS[event.level], "%s", event.message)
        if isinstance(event, Failed):
            LOGGER.error("the run failed: %s", event.error)
        if self._recorders is not None:
            self._recorders(event)
        for tracker in self._trackers:
            tracker(event)

    def close(self) -> None:
        """Note the end, and close all files. May be called twice."""
        folder, self._folder = self._folder, None
        for tracker in self._trackers:
            tracker.close()
        with self._stack:
            if folder is not None:
                result = "finished" if self._tally.failure is None else "failed"
                folder.finish(result, self._tally.as_dict())
