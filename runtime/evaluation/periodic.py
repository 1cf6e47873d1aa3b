"""Evaluations during a training, on environments and random generators of their own."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Dict, List, Optional

from ..checkpointed_node import CheckpointedNode
from ..context import RunContext
from ..errors import DnneError, RunError
from ..graph import Graph
from ..run.settings import RunSettings
from ..scheduler.control import RunControl
from .episodes import derived_seed, evaluation_settings, run_episodes
from .statistics import Episodes, summarize

POLL_SECONDS = 0.1
METRICS = {
    "episodes": "episodes", "mean": "mean_reward", "std": "std_reward", "min": "min_reward", "max": "max_reward",
    "iqm": "iqm_reward", "mean_length": "mean_length", "success_rate": "success_rate",
}  # fmt: skip


def evaluation_metrics(episodes: Episodes) -> Dict[str, float]:
    """``eval/*`` of finished episodes.

    Raises:
        RunError: There are none, or a return is NaN or infinite.
    """
    figures = summarize([episodes])
    metrics = {f"eval/{METRICS[name]}": value for name, value in figures.items() if name in METRICS}
    return {name: float(value) for name, value in metrics.items() if value is not None}


class PeriodicEvaluation:
    """Evaluates the present weights every so many iterations, in a graph, an engine and a thread of its own.

    Of several processes rank 0 evaluates. The others wait, however long it takes: they hear of rank 0 several times a
    second, so that no exchange comes near the collective timeout, and a process that dies is noticed at once.

    Args:
        build: Makes a fresh graph of the same workflow.
        graph: The graph in training; its states are read, never written.
        settings: Of the training.
        context: Of the training.
        control: Of the training; a stop, on whichever process, ends the evaluation too, and its part of the episodes is
            dropped.
    """

    def __init__(
        self,
        build: Callable[[], Graph],
        graph: Graph,
        settings: RunSettings,
        context: RunContext,
        control: RunControl,
    ):
        assert settings.eval_interval is not None
        self._build, self._graph, self._context, self._control = build, graph, context, control
        self._interval = settings.eval_interval
        self._is_over = False
        self._settings = evaluation_settings(
            settings.eval_episodes, derived_seed(settings.seed, "evaluation"), settings.device,
            queue_size=settings.queue_size, scheduler=settings.scheduler, threads=settings.threads,
            tf32=settings.tf32, longest_episode=settings.longest_episode,
        )  # fmt: skip

    def __call__(self) -> Dict[str, float]:
        """eval/* metrics where an evaluation is due after the iteration that just ended, else nothing; on rank 0 alone.

        Where none of its episodes has ended the log says so, and the training goes on.

        Raises:
            DnneError: The evaluation failed, or a process is lost.
        """
        if self._context.progress.iterations % self._interval:
            return {}
        if self._context.rank:
            self._wait_for_rank_zero()
            return {}
        began = time.perf_counter()
        episodes = self._evaluate()
        if episodes is None:
            return {}
        if episodes.left_out:
            self._context.log(f"evaluation: {episodes.left_out}", "warning")
        metrics = evaluation_metrics(episodes) if episodes.returns else {}
        return {**metrics, "time/evaluation_seconds": time.perf_counter() - began}

    def _evaluate(self) -> Optional[Episodes]:
        """In a thread of its own, for this one's event loop is running; ``None`` where the training was stopped."""
        inner = RunControl()
        outcome: List[Any] = []
        thread = threading.Thread(target=self._work, args=(inner, outcome), name="dnne-evaluation")
        thread.start()
        try:
            while thread.is_alive():
                thread.join(POLL_SECONDS)
                reason = self._tell_others(is_over=False)
                if reason is not None:
                    inner.stop(reason)
        except BaseException:
            inner.stop("the training has failed")
            thread.join()
            raise
        (result,) = outcome
        if isinstance(result, BaseException):
            text = f"the evaluation after iteration {self._context.progress.iterations} failed: {result}"
            raise RunError(text) from result
        self._tell_others(is_over=True)
        return None if inner.stop_reason is not None else result

    def _tell_others(self, is_over: bool) -> Optional[str]:
        """Why the training is to be stopped, on whichever process; the others hear whether the evaluation is over."""
        communicator = self._context.communicator
        orphaned = "the launcher was killed" if communicator.is_orphaned else None
        messages = communicator.all_gather_json({"stop": self._control.stop_reason or orphaned, "over": is_over})
        self._is_over = bool(messages[0]["over"])
        return next((message["stop"] for message in messages if message["stop"]), None)

    def _wait_for_rank_zero(self) -> None:
        self._is_over = False
        while not self._is_over:
            self._tell_others(is_over=False)

    def _work(self, control: RunControl, outcome: List[Any]) -> None:
        try:
            outcome.append(run_episodes(self._fresh_graph(), self._settings, self._states(), control))
        except Exception as error:  # noqa: BLE001 - raised again in the training's thread
            outcome.append(error)

    def _fresh_graph(self) -> Graph:
        graph = self._build()
        if list(graph.nodes) != list(self._graph.nodes):
            raise DnneError("the graph of the evaluation has other nodes than that of the training")
        return graph

    def _states(self) -> Dict[str, Any]:
        nodes = self._graph.nodes.items()
        return {key: node.checkpoint_state() for key, node in nodes if isinstance(node, CheckpointedNode)}
