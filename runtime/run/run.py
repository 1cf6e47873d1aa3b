"""A run from its first node to its last file; the same for every host."""

from __future__ import annotations

import logging
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from ..checkpointed_node import CheckpointedNode
from ..checkpoints import ResumeStore
from ..context import Progress, RunContext
from ..distributed.communicator import Communicator
from ..distributed.fingerprint import fingerprint
from ..distributed.iteration_exchange import IterationExchange, MetricSource
from ..errors import DnneError, NodeFailure, RunError
from ..events import Failed, Finished, Metrics, NodeStats, RunStarted, Sink
from ..graph import Graph
from ..node import Node
from ..scheduler.control import RunControl
from ..scheduler.engine import Engine
from .blame import blame, innermost
from .checkpointing import CheckpointService, load_checkpoints
from .final_metrics import inference_metrics
from .initial_state import share_initial_state
from .limits import Limits
from .log_bridge import forward_logging
from .pretraining import load_pretrained
from .resume_saving import ResumeSaver
from .settings import RunSettings
from .sinks import Sinks
from .state import restore_machine, restore_nodes, restore_shared
from .tf32 import tf32

Evaluate = Callable[[], Dict[str, float]]
NewEvaluation = Callable[[Graph, RunSettings, RunContext, RunControl], Evaluate]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        reason: Why it ended, in words.
        environment_steps, iterations: From the run's beginning.
        seconds: Of this session.
        metrics: Of the last iteration; in inference, of all episodes.
        nodes: Statistics of every node.
    """

    reason: str
    environment_steps: int
    iterations: int
    seconds: float
    metrics: Dict[str, float] = field(default_factory=dict)
    nodes: Sequence[NodeStats] = ()


class Run:
    """Sets the nodes of a graph up, runs them, and saves what must be kept.

    Args:
        graph: A validated graph; its nodes are used once.
        settings: What the host asks for.
        name: The workflow's name, for displays.
        sinks: Consumers of events.
        control: Switches for the host.
        resume_store: Where resume states go; ``None`` for none.
        resume_state: A loaded state to go on from; this process's own, where several train.
        run_dir: The run folder, for nodes that write files.
        communicator: The processes that train together. They are stopped together, at the end of an iteration, by what
            one of them alone knows of: a signal, a time limit, a node's request. Only rank 0 has sinks and files.
        processes_before: Number of processes that saved the resume state.
        node_states: Checkpoint states by node id to start from, in place of those of a folder.
        new_evaluation: Makes what evaluates during the training.
    """

    def __init__(
        self,
        graph: Graph,
        settings: RunSettings,
        name: str = "",
        sinks: Sequence[Sink] = (),
        control: Optional[RunControl] = None,
        resume_store: Optional[ResumeStore] = None,
        resume_state: Optional[Dict[str, Any]] = None,
        run_dir: Optional[str] = None,
        communicator: Optional[Communicator] = None,
        processes_before: int = 1,
        node_states: Optional[Mapping[str, Any]] = None,
        new_evaluation: Optional[NewEvaluation] = None,
    ):
        self.communicator = communicator or Communicator()
        self.graph, self.settings, self.name = graph, settings, name
        self.control = control or RunControl()
        self.resume_store = None if settings.inference else resume_store
        self.resume_state = resume_state
        self.sinks = Sinks(sinks)
        self._processes_before = processes_before
        self.context = self._new_context(run_dir)
        self.exchange = self._new_exchange()
        self._node_states, self._new_evaluation = node_states, new_evaluation
        self.limits = Limits(settings, self.context)
        self.resume_saver = ResumeSaver(self.resume_store, graph, self.context, settings, self._more_state)
        self.engine: Optional[Engine] = None
        self.safe_point_listeners: List[Callable[[], None]] = []
        self._metrics: Dict[str, float] = {}
        self._open_nodes = list(graph.nodes.values())

    def _new_context(self, run_dir: Optional[str]) -> RunContext:
        settings = self.settings
        return RunContext(
            seed=settings.seed,
            device=settings.torch_device(self.communicator.local_rank),
            inference=settings.inference,
            visual=settings.visual,
            verbose=settings.verbose,
            episodes=settings.episodes or 0,
            longest_episode=settings.longest_episode or 0,
            save_checkpoint_dir=settings.save_checkpoint_dir,
            load_checkpoint_dir=settings.load_checkpoint_dir,
            freeze=settings.frozen_parts,
            log_interval=settings.log_interval,
            run_dir=run_dir,
            resumed=self.resume_state is not None,
            random_stream=self._new_random_stream(),
            rank=self.communicator.rank,
            world_size=self.communicator.world_size,
            communicator=self.communicator,
            num_threads=settings.threads,
            emit=self.sinks,
            progress=Progress(total_steps=settings.total_timesteps, total_iterations=settings.iterations),
        )

    def _new_random_stream(self) -> str:
        """Not that of the run's beginning, where a run goes on with other processes and so without their generators."""
        if self.resume_state is None or self._processes_before == self.communicator.world_size:
            return ""
        return f"/{self.resume_state['progress']['iterations']} of {self._processes_before}"

    def _new_exchange(self) -> Optional[IterationExchange]:
        if not self.communicator.is_distributed:
            return None
        self.context.exchange = IterationExchange(
            self.communicator,
            self.context,
            self._wish_to_stop,
            lambda: bool(self.control.stop_reason),
            lambda: self.resume_saver.is_due,
            self._fingerprints,
        )
        return self.context.exchange

    def execute(self) -> RunResult:
        """Run to the end.

        Raises:
            DnneError: What went wrong; a `Failed` event was sent, and the nodes are closed.
        """
        self.context.started_at = time.perf_counter()
        with self._reporting():
            engine = self._prepare()
            return self._end(engine, engine.run())

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """Pass the log on to the hosts; tell them of an error, and close the nodes after it."""
        with forward_logging(self.context), tf32(self.settings.tf32):
            try:
                yield
            except BaseException as error:  # noqa: BLE001 - raised again below, without an innocent node's name
                failure = self._blamed(error)
                self._report_failure(failure)
                self._close_nodes()
                raise failure from failure.__cause__

    def _blamed(self, error: BaseException) -> BaseException:
        return self.sinks.acquit(innermost(error))

    # Start

    def _prepare(self) -> Engine:
        graph, context = self.graph, self.context
        self.communicator.use(context.device)
        for node in graph.nodes.values():
            node.context = context
        for node in graph.nodes.values():
            with blame(node):
                node.setup()
        self._check_viewer()
        self._check_freeze()
        self._restore_or_load()
        self.checkpoints = CheckpointService(
            graph, context, self.settings.save_interval, self.settings.last_k_checkpoints
        )
        engine = self.engine = self._new_engine()
        if self.resume_state is not None:
            if not context.starts_anew:
                restore_machine(self.resume_state, engine, graph, context)
            self.checkpoints.load_state_dict(self.resume_state["checkpoints"])
            self.limits.load_state_dict(self.resume_state["limits"])
        engine.prepare()
        self._listen()
        self.checkpoints.check_space()
        self._announce(engine)
        return engine

    def _new_engine(self) -> Engine:
        control = self.control
        if self.exchange is not None:  # all stop together; only looking at one process is no matter of the others
            control = RunControl()
            control.watch = self.control.watch
        return Engine(
            list(self.graph.nodes.values()), self.graph.links, self.context, control, self.settings.queue_size,
            self.settings.scheduler, self._at_safe_point,
        )  # fmt: skip

    def _restore_or_load(self) -> None:
        graph, context = self.graph, self.context
        stuck = [node for node in graph.nodes.values() if not getattr(node, "episodes_resume", True)]
        if self.resume_state is not None and context.random_stream:
            restore_shared(self.resume_state, graph, context)
            self._tell_of_new_processes()
        elif self.resume_state is not None and stuck:
            context.begins_episodes_anew = True
            restore_shared(self.resume_state, graph, context, with_random_numbers=True)
            for node in stuck:
                note = getattr(node, "resume_note", "its episodes begin anew")
                context.log(f"weights, optimiser and normalisers go on exactly, but {note}", "warning", node.id)
        elif self.resume_state is not None:
            restore_nodes(self.resume_state, graph, context)
        elif self._node_states is not None:
            for node_id, state in self._node_states.items():
                graph.nodes[node_id].load_checkpoint_state(state)  # type: ignore[attr-defined]
        elif context.load_checkpoint_dir is not None and context.rank == 0:
            load_checkpoints(graph, context.load_checkpoint_dir, context)
        elif self.settings.pretrained_dir is not None and context.rank == 0:
            load_pretrained(graph, self.settings.pretrained_dir, context)
        if self.resume_state is None and self.communicator.is_distributed:
            share_initial_state(graph, context)

    def _tell_of_new_processes(self) -> None:
        if self.context.rank == 0:
            self.context.log(
                f"the number of processes was {self._processes_before} and is {self.communicator.world_size}: weights, "
                "optimiser and normalisers go on exactly, but episodes and random numbers start anew",
                "warning",
            )

    def _check_viewer(self) -> None:
        if self.settings.visual and not any(getattr(node, "has_viewer", False) for node in self.graph.nodes.values()):
            self.context.log(
                "--visual: no simulator of this workflow has a viewer of its own; running without", "warning"
            )

    def _evaluation(self) -> Optional[Evaluate]:
        if self.settings.eval_interval is None or self.settings.inference:
            return None
        for node in self.graph.nodes.values():
            if getattr(node, "one_per_process", False):
                raise RunError(
                    f"eval_interval: the simulator of node {node.id} ({node.label}) allows one simulation per process, "
                    "which the training takes; save checkpoints, and evaluate them with dnne evaluate"
                )
        if self._new_evaluation is None:
            raise RunError("eval_interval: this host does not evaluate during a training")
        return self._new_evaluation(self.graph, self.settings, self.context, self.control)

    def _check_freeze(self) -> None:
        if self.context.freeze and not any(getattr(node, "can_freeze", False) for node in self.graph.nodes.values()):
            raise RunError(f"--freeze {self.settings.freeze}: no node of this workflow trains a model with such parts")

    def _listen(self) -> None:
        context = self.context
        reporting = [n for n in self.graph.nodes.values() if type(n).collect_metrics is not Node.collect_metrics]
        context.metric_sources += [partial(_collect_metrics, node) for node in reporting]
        if self.exchange is not None:
            self.exchange.sources += [
                MetricSource(collect, node.merge_metrics) for collect, node in zip(context.metric_sources, reporting)
            ]
            self.resume_saver.agree()
        context.iteration_listeners += [self._keep_metrics, self.limits.on_iteration, self.checkpoints.on_iteration]
        context.evaluate = self._evaluation()
        context.steps_at_start = context.progress.environment_steps

    def _announce(self, engine: Engine) -> None:
        context, settings = self.context, self.settings
        context.lap()
        context.send(
            RunStarted, self.name, settings.mode, settings.seed, str(context.device),
            "static" if engine.schedule is not None else "queues", engine.schedule_reason,
            context.progress.environment_steps, context.progress.iterations, context.resumed, context.run_dir or "",
        )  # fmt: skip

    def _keep_metrics(self, metrics: Dict[str, float]) -> None:
        self._metrics = metrics

    # Safe points

    def _at_safe_point(self) -> Optional[str]:
        for listener in self.safe_point_listeners:
            listener()
        self.checkpoints.save_due()
        if self.exchange is not None:
            return self._at_safe_point_together(self.exchange)
        if self.resume_saver.is_due:
            self._save("interval")
        return self.limits.reached()

    def _at_safe_point_together(self, exchange: IterationExchange) -> Optional[str]:
        """As alone, but what one process wishes waits until all have heard of it."""
        if exchange.save_wanted:
            exchange.save_wanted = False
            self._save("interval")
        return exchange.stop_reason or self.limits.counted()

    def _wish_to_stop(self) -> Optional[str]:
        if self.control.paused or self.control.take_edits():
            raise RunError("a run of several processes can be stopped, but neither paused nor edited")
        orphaned = "the launcher was killed" if self.communicator.is_orphaned else None
        return self.control.stop_reason or self.context.stop_reason or orphaned or self.limits.timed_out()

    @property
    def interrupted(self) -> bool:
        """True where somebody outside has asked for the end, of whichever process."""
        return bool(self.control.stop_reason) or (self.exchange is not None and self.exchange.interrupted)

    def _fingerprints(self) -> Dict[str, int]:
        nodes = self.graph.nodes.items()
        return {key: fingerprint(node.checkpoint_state()) for key, node in nodes if isinstance(node, CheckpointedNode)}

    def _save(self, reason: str) -> None:
        if self.engine is not None:
            self.resume_saver.save(self.engine, reason)

    def _more_state(self) -> Dict[str, Any]:
        return {"checkpoints": self.checkpoints.state_dict(), "limits": self.limits.state_dict()}

    # End

    def _end(self, engine: Engine, reason: str) -> RunResult:
        context, progress = self.context, self.context.progress
        self.checkpoints.save_all(reason)
        self._save(reason)
        metrics = inference_metrics(context) if self.settings.inference else dict(self._metrics)
        if self.settings.inference:
            context.send(Metrics, progress.environment_steps, progress.iterations, metrics)
        failures = self._close_nodes()
        if failures:
            raise RunError("all is saved, but closing failed: " + "; ".join(failures))
        context.send(Finished, reason, progress.environment_steps, progress.iterations, self.interrupted)
        return RunResult(
            reason, progress.environment_steps, progress.iterations, context.elapsed, metrics, engine.statistics()
        )

    def _report_failure(self, error: BaseException) -> None:
        node_id = error.node_id if isinstance(error, NodeFailure) else ""
        label = error.label if isinstance(error, NodeFailure) else ""
        origin = error.__cause__ if isinstance(error, NodeFailure) and error.__cause__ else error
        is_explained = isinstance(origin, DnneError) and not self.context.verbose
        text = "" if is_explained else "".join(traceback.format_exception(type(origin), origin, origin.__traceback__))
        message = str(error) or type(error).__name__
        try:
            self.context.send(Failed, message, text, node_id, label, self.context.progress.environment_steps)
        except Exception:
            logger.exception("the failure could not be recorded everywhere")

    def _close_nodes(self) -> List[str]:
        """Close every node once, even where one raises; returns what went wrong, which is logged too."""
        failures = []
        while self._open_nodes:
            node = self._open_nodes.pop(0)
            try:
                node.close()
            except Exception as error:
                failures.append(f"node {node.id} ({node.label}): {type(error).__name__}: {error}")
                logger.exception("closing failed: %s", failures[-1])
        return failures


def _collect_metrics(node: Node) -> Dict[str, float]:
    with blame(node):
        return node.collect_metrics()
