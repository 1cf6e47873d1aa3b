"""Saves the state of a run from time to time, that of all its processes together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence

from ..checkpoints import ResumeStore, enough_space
from ..checkpoints.resume import encode_rank_state
from ..context import RunContext
from ..events import CheckpointSaved
from ..graph import Graph
from ..scheduler.engine import Engine
from .settings import RunSettings
from .state import capture


class ResumeSaver:
    """Writes resume states at safe points.

    Args:
        store: Where they go; None for nowhere, as on every rank but 0.
        graph, context, settings: Of the run.
        more: What else belongs to the state.
    """

    def __init__(
        self,
        store: Optional[ResumeStore],
        graph: Graph,
        context: RunContext,
        settings: RunSettings,
        more: Callable[[], Dict[str, Any]],
    ):
        self.store, self.graph, self.context, self.settings = store, graph, context, settings
        self._more = more
        self._next = settings.resume_interval
        self._saves = store is not None
        self._warned_of_space = False

    def agree(self) -> None:
        """Let all processes know whether rank 0 saves."""
        self._saves = bool(self.context.communicator.all_gather_json(self._saves)[0])

    @property
    def is_due(self) -> bool:
        """Whether the interval is over."""
        return self._saves and self.context.elapsed >= self._next

    def save(self, engine: Engine, reason: str) -> None:
        """Save, unless a node computes just now: its values would be missing."""
        if not self._saves:
            return
        if self.context.exchange is not None:
            self._save_together(engine, reason)
        elif not engine.is_computing:
            self._write(reason, self._state(engine))

    def _save_together(self, engine: Engine, reason: str) -> None:
        """Gather the states of all processes on rank 0."""
        progress, rank, communicator = self.context.progress, self.context.rank, self.context.communicator
        moments = communicator.all_gather_json(
            None if engine.is_computing else [progress.iterations, progress.environment_steps]
        )
        if None in moments:
            return
        state = self._state(engine)
        contents = communicator.gather_bytes(encode_rank_state(state, moments[0], rank) if rank else b"")
        if rank == 0:
            self._write(reason, state, contents[1:])

    def _state(self, engine: Engine) -> Dict[str, Any]:
        return {**capture(engine, self.graph, self.context), **self._more()}

    def _write(self, reason: str, state: Dict[str, Any], others: Sequence[bytes] = ()) -> None:
        assert self.store is not None
        progress = self.context.progress
        parameters = {node_id: node.parameter_values() for node_id, node in self.graph.nodes.items()}
        meta = {"reason": reason, "settings": self.settings.as_dict(), "parameters": parameters}
        path = self.store.save(state, progress.environment_steps, progress.iterations, meta, others)
        self._next = self.context.elapsed + self.settings.resume_interval
        self.context.send(CheckpointSaved, str(path), progress.environment_steps, progress.iterations, reason)
        self._check_space(path)

    def _check_space(self, saved: Path) -> None:
        """Warn, once, when the disk has little room for another resume state like the one just saved."""
        warning = enough_space(saved, sum(file.stat().st_size for file in saved.iterdir()))
        if warning and not self._warned_of_space:
            self._warned_of_space = True
            self.context.log(warning, "warning")
