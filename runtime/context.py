"""The run context: all that nodes share during one run, passed to them, never global."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from .distributed.communicator import Communicator
from .errors import DnneError
from .events import Event, EventBus, LogMessage, Metrics

if TYPE_CHECKING:
    import torch

    from .distributed.iteration_exchange import IterationExchange

MAX_SEED = 2**63 - 1
MIB = 2.0**20
LONGEST_EPISODE = 100_000
"""Steps of an episode of an evaluation, where neither the run nor the task says otherwise."""


def _cpu() -> torch.device:
    import torch

    return torch.device("cpu")


@dataclass
class Progress:
    """How far a run is; counted from the beginning of the run, across resumes.

    Attributes:
        environment_steps: Transitions of all environments together.
        iterations: Training iterations (policy updates).
        total_steps: Environment steps at which the run ends, if that is known.
        total_iterations: Iterations at which the run ends, if that is known.
    """

    environment_steps: int = 0
    iterations: int = 0
    total_steps: Optional[int] = None
    total_iterations: Optional[int] = None

    @property
    def fraction(self) -> Optional[float]:
        """Share of the run that is done, in [0, 1]; ``None`` where only the clock will end it."""
        shares = []
        if self.total_steps:
            shares.append(self.environment_steps / self.total_steps)
        if self.total_iterations:
            shares.append(self.iterations / self.total_iterations)
        return min(1.0, max(shares)) if shares else None


@dataclass
class RunContext:
    """Settings and services of one run.

    Attributes:
        seed: Base of every random generator.
        device: Where tensors live.
        inference: No gradients, no updates; policies run in evaluation mode.
        visual: Open the simulator's own viewer, where it has one.
        verbose: Log details of single steps.
        episodes: In inference, whole episodes to run; 0 for no limit.
        longest_episode: Steps after which such an episode is given up; 0 for the greater of `LONGEST_EPISODE` and the
            task's own limit.
        unfinished_episodes: Of the episodes to run, those that were given up.
        save_checkpoint_dir, load_checkpoint_dir: The two switches of checkpointing.
        freeze: Parts of the model whose parameters do not move.
        log_interval: Metrics are published every so many iterations.
        evaluate: Called after each iteration; gives the metrics of an evaluation where one is due.
        resumed: The run goes on from a saved state.
        begins_episodes_anew: The run is resumed, but its environments cannot go on in the midst of their episodes.
        random_stream: Tells the random numbers of a run that was resumed with other processes from its earlier ones.
        num_threads: CPU threads of torch in the thread that runs the engine.
        rank, world_size: This process among the run's processes.
        communicator: What it exchanges with them.
        exchange: Where there are other processes, joins their metrics and wishes once per iteration.
        phase_listeners: Called with the name of a phase and its numbers: ``post_rollout``, ``pre_update`` and
            ``post_update``, by the node that trains.
        emit: Sends an event to the hosts.
        progress: Steps and iterations so far.
    """

    seed: int = 0
    device: torch.device = field(default_factory=_cpu)
    inference: bool = False
    visual: bool = False
    verbose: bool = False
    episodes: int = 0
    longest_episode: int = 0
    unfinished_episodes: int = 0
    save_checkpoint_dir: Optional[str] = None
    load_checkpoint_dir: Optional[str] = None
    run_dir: Optional[str] = None
    freeze: Tuple[str, ...] = ()
    log_interval: int = 1
    evaluate: Optional[Callable[[], Dict[str, float]]] = None
    resumed: bool = False
    random_stream: str = ""
    begins_episodes_anew: bool = False
    num_threads: int = 1
    rank: int = 0
    world_size: int = 1
    communicator: Communicator = field(default_factory=Communicator)
    emit: EventBus = field(default_factory=EventBus)
    progress: Progress = field(default_factory=Progress)
    metric_sources: List[Callable[[], Dict[str, float]]] = field(default_factory=list)
    exchange: Optional[IterationExchange] = None
    iteration_listeners: List[Callable[[Dict[str, float]], None]] = field(default_factory=list)
    phase_listeners: List[Callable[[str, Dict[str, float]], None]] = field(default_factory=list)
    stop_reason: Optional[str] = None
    started_at: float = field(default_factory=time.perf_counter)
    steps_at_start: int = 0
    lap_began: float = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since this process started the run."""
        return time.perf_counter() - self.started_at

    def new_generator(self, name: str) -> torch.Generator:
        """A generator on the run's device, seeded from (seed, name, rank) and independent of all others."""
        import torch

        digest = hashlib.sha256(f"{self.seed}/{name}/{self.rank}{self.random_stream}".encode()).digest()
        generator = torch.Generator(device=self.device)
        generator.manual_seed(int.from_bytes(digest[:8], "little") & MAX_SEED)
        return generator

    @property
    def starts_anew(self) -> bool:
        """True where weights go on from a saved state, but episodes do not."""
        return bool(self.random_stream) or self.begins_episodes_anew

    @property
    def stop_now(self) -> Optional[str]:
        """A node's reason to end the run; None where other processes have to hear of it first."""
        return self.stop_reason if self.exchange is None else None

    def count_steps(self, own_environments: int) -> None:
        """Count a step of this process's environments, and of as many on every other process."""
        self.progress.environment_steps += own_environments * self.world_size

    def request_stop(self, reason: str) -> None:
        """End the run at the next safe point (a node's word); at the end of the iteration, where there are others."""
        if self.stop_reason is None:
            self.stop_reason = reason

    def lap(self) -> float:
        """Seconds since the last call, or since the first node was about to fire."""
        began, self.lap_began = self.lap_began, self.elapsed
        return self.lap_began - began

    def enter_phase(self, name: str, stats: Dict[str, float]) -> None:
        """Tell the listeners that a phase of the training begins or has ended."""
        for listener in self.phase_listeners:
            listener(name, stats)

    def log(self, message: str, level: str = "info", node_id: str = "") -> None:
        """Write a line to the run's log."""
        self.emit(LogMessage(self.elapsed, level, message, node_id))

    def send(self, make: Callable[..., Event], *arguments: Any, **options: Any) -> None:
        """Emit an event stamped with the present time."""
        self.emit(make(self.elapsed, *arguments, **options))

    def finish_iteration(self, metrics: Dict[str, float]) -> Dict[str, float]:
        """Count a training iteration and publish its metrics, with those of every other node.

        Returns:
            The merged metrics, as they were published.

        Raises:
            DnneError: Two nodes report a metric of the same name.
        """
        self.progress.iterations += 1
        merged: Dict[str, float] = {}
        for part in self._metrics_of_all(metrics):
            for name, value in part.items():
                if name in merged:
                    raise DnneError(f"two nodes report the metric {name!r}; give one of them another name")
                merged[name] = value
        merged.update(self._clock_metrics())
        evaluation = self.evaluate() if self.evaluate is not None else {}
        merged.update(evaluation)
        if evaluation or self.progress.iterations % self.log_interval == 0:
            self.emit(Metrics(self.elapsed, self.progress.environment_steps, self.progress.iterations, merged))
        for listener in self.iteration_listeners:
            listener(merged)
        return merged

    def _metrics_of_all(self, own: Dict[str, float]) -> List[Dict[str, float]]:
        if self.exchange is not None:
            return self.exchange(own)
        return [own, *(source() for source in self.metric_sources)]

    def _clock_metrics(self) -> Dict[str, float]:
        elapsed = max(self.elapsed, 1e-9)
        metrics = {
            "time/elapsed_seconds": elapsed,
            "time/steps_per_second": (self.progress.environment_steps - self.steps_at_start) / elapsed,
        }
        if self.device.type == "cuda":
            metrics.update(_gpu_memory(self.device))
        return metrics


def _gpu_memory(device: torch.device) -> Dict[str, float]:
    """What tensors take now and took at most. Unit: MiB."""
    import torch

    now, peak = torch.cuda.memory_allocated(device), torch.cuda.max_memory_allocated(device)
    return {"gpu/memory_allocated_mb": now / MIB, "gpu/peak_memory_mb": peak / MIB}
