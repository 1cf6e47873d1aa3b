"""A run that stops and goes on within one process, its nodes and environments alive in between."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Dict, Optional, Protocol

from ..checkpointed_node import CheckpointedNode
from ..errors import NodeFailure, RunError
from ..events import Finished
from ..scheduler.engine import Engine
from .run import Run, RunResult
from .state import carry_over


class IterationListener(Protocol):
    """What hears of the phases of a training."""

    error: Optional[BaseException]

    @property
    def hear_phases(self) -> bool:
        """Whether `call` wants those within an iteration."""

    def begin_iteration(self) -> None:
        """An iteration is about to begin: nothing of its rollout has happened."""

    def call(self, event: str, stats: Dict[str, float]) -> None:
        """A phase begins or has ended."""


class ContinuedRun(Run):
    """As `Run`, in several parts that together are one run to the last bit.

    Args:
        listener: Is told of iterations and phases; what it raises ends the run, and is raised as it is.
        arguments, options: As for `Run`.
    """

    def __init__(self, listener: IterationListener, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._listener = listener
        self._between_iterations = True
        self._left_at: Optional[float] = None
        self._has_run = self._is_over = False
        self._wanted = 0

    def begin(self) -> None:
        """Set the nodes up, where this was not done yet.

        Raises:
            DnneError: What went wrong; the nodes are closed.
        """
        if self.engine is not None or self._is_over:
            return
        self.context.started_at = time.perf_counter()
        if self.context.progress.fraction is None:
            self.context.progress.total_steps = 1  # until `advance` gives the end, which linear schedules ask for
        with self._reporting():
            self._prepare()
        self._left_at = time.perf_counter()

    def advance(self, steps: int) -> RunResult:
        """Go on for a number of environment steps. What the last call did beyond its number counts for this one.

        Raises:
            DnneError: What went wrong; the nodes are closed, and the run is over.
        """
        if self._is_over:
            raise RunError("this run has ended; make a new runner")
        self._wanted = self.end_after(steps)
        self._set_end(self._wanted)
        self.begin()
        if self._left_at is not None:
            self.context.started_at += time.perf_counter() - self._left_at
        with self._reporting():
            engine = self._engine_from_here()
            return self._leave(engine, self._begin_iteration() or engine.run())

    def end_after(self, steps: int) -> int:
        """Where `advance` would end with so many steps, counted from the run's beginning."""
        return min(self._wanted, self.context.progress.environment_steps) + steps

    @property
    def is_over(self) -> bool:
        """True after an error, and after `close`."""
        return self._is_over

    def close(self) -> None:
        """Close the nodes. May be called twice.

        Raises:
            RunError: A node could not be closed.
        """
        self._is_over = True
        failures = self._close_nodes()
        if failures:
            raise RunError("all is saved, but closing failed: " + "; ".join(failures))

    def node_states(self) -> Dict[str, Any]:
        """Checkpoint states by node id."""
        nodes = self.graph.nodes.items()
        return {key: node.checkpoint_state() for key, node in nodes if isinstance(node, CheckpointedNode)}

    def restart_counting(self, iterations: int, steps: int) -> None:
        """Go on from another state's counts; the next thing is the beginning of an iteration."""
        progress = self.context.progress
        progress.iterations, progress.environment_steps = iterations, steps
        self._wanted = steps
        self._between_iterations = True

    def listen_to_phases(self) -> None:
        """Have the node that trains tell of its phases, where the listener wants to hear of them."""
        self.context.phase_listeners = [self._listener.call] if self._listener.hear_phases else []

    def _set_end(self, total: int) -> None:
        self.settings = replace(self.settings, total_timesteps=total)
        self.limits.settings = self.settings
        self.context.progress.total_steps = total

    def _engine_from_here(self) -> Engine:
        """The first part's engine, or one that takes over where the last part's stopped."""
        assert self.engine is not None
        self.control.stop_reason = self.context.stop_reason = None
        if self._has_run:
            engine = self._new_engine()
            carry_over(self.engine, engine, self.graph)
            self.context.resumed = True
            engine.prepare()
            self.engine = engine
            self._announce(engine)
        self._has_run = True
        self.listen_to_phases()
        return self.engine

    def _begin_iteration(self) -> Optional[str]:
        """Tell the listener, where an iteration begins now; its wish to stop."""
        if not self._between_iterations:
            return None
        self._between_iterations = False
        self._listener.begin_iteration()
        return self.control.stop_reason

    def _listen(self) -> None:
        super()._listen()
        self.context.iteration_listeners.append(self._end_iteration)

    def _end_iteration(self, metrics: Dict[str, float]) -> None:
        self._between_iterations = True
        self._listener.call("post_iteration", metrics)

    def _at_safe_point(self) -> Optional[str]:
        return super()._at_safe_point() or self._begin_iteration()

    def _leave(self, engine: Engine, reason: str) -> RunResult:
        context, progress = self.context, self.context.progress
        self.checkpoints.save_all(reason)
        self._save(reason)
        context.send(Finished, reason, progress.environment_steps, progress.iterations, self.interrupted)
        self._left_at = time.perf_counter()
        return RunResult(
            reason, progress.environment_steps, progress.iterations, context.elapsed, dict(self._metrics),
            engine.statistics(),
        )  # fmt: skip

    def _blamed(self, error: BaseException) -> BaseException:
        failure = super()._blamed(error)
        self._is_over = True
        origin = failure.__cause__ if isinstance(failure, NodeFailure) else failure
        return origin if origin is not None and origin is self._listener.error else failure
