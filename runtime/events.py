"""What happens in a run, as frozen events that any host may consume: a window, a progress bar, a file.

A sink is a callable that takes one event. Sinks are called in the engine's thread, in order; an exception in one
ends the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Dict, List, Mapping, Optional, Tuple

if TYPE_CHECKING:
    from .simulators.interface import ViewerState


@dataclass(frozen=True)
class Event:
    """Base of all events. ``time``: seconds since the start of the run.

    Attributes:
        is_recorded: False for what only shows how a run stands at this moment; no file keeps it.
    """

    is_recorded: ClassVar[bool] = True

    time: float


@dataclass(frozen=True)
class RunStarted(Event):
    """The engine is about to fire the first node."""

    name: str
    mode: str
    seed: int
    device: str
    schedule: str
    schedule_reason: str
    step: int = 0
    iteration: int = 0
    resumed: bool = False
    run_dir: str = ""


@dataclass(frozen=True)
class Metrics(Event):
    """The numbers of one iteration; written as one JSON line per metric."""

    step: int
    iteration: int
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LogMessage(Event):
    """A line of the log; ``level`` is one of debug, info, warning, error."""

    level: str
    message: str
    node_id: str = ""


@dataclass(frozen=True)
class WireStats:
    """How many values wait at one stream input, and how many may at most."""

    port: str
    queued: int
    limit: int


@dataclass(frozen=True)
class NodeStats:
    """Firings, seconds spent and waiting values of one node, altogether and by its stream inputs."""

    node_id: str
    label: str
    firings: int
    seconds: float
    queued: int
    wires: Tuple[WireStats, ...] = ()


@dataclass(frozen=True)
class NodeStatistics(Event):
    """Statistics of every node, about once a second and at the end."""

    step: int
    nodes: Tuple[NodeStats, ...] = ()


@dataclass(frozen=True)
class LiveStatistics(NodeStatistics):
    """Statistics a few times a second, for a host that watches; ``working`` is the node that computes right now."""

    is_recorded: ClassVar[bool] = False

    working: str = ""


@dataclass(frozen=True)
class ProbeSample(Event):
    """The last value that left an output, for a host that watches.

    Attributes:
        node_id, port: The output.
        shape, dtype: Of the value; of a record its first tensor, of anything else its type and no shape.
        minimum, mean, maximum: Of its finite elements; NaN where there is none.
        finite: Share of finite elements, in [0, 1].
    """

    is_recorded: ClassVar[bool] = False

    node_id: str
    port: str
    shape: Tuple[int, ...]
    dtype: str
    minimum: float
    mean: float
    maximum: float
    finite: float


@dataclass(frozen=True)
class ViewerFrame(Event):
    """How the environments of a simulation stand, for a host that draws them."""

    is_recorded: ClassVar[bool] = False

    node_id: str
    state: ViewerState


@dataclass(frozen=True)
class CheckpointSaved(Event):
    """A checkpoint of one node (``node_id``) or a resume state (``node_id`` empty) is complete on disk."""

    path: str
    step: int
    iteration: int
    reason: str
    node_id: str = ""


@dataclass(frozen=True)
class ParameterChanged(Event):
    """A live edit took effect."""

    node_id: str
    name: str
    old: Any
    new: Any
    iteration: int


@dataclass(frozen=True)
class Paused(Event):
    """The run holds at a safe point."""

    step: int


@dataclass(frozen=True)
class Resumed(Event):
    """The run goes on after a pause."""

    step: int


@dataclass(frozen=True)
class Failed(Event):
    """A node or the engine raised; the run is over."""

    error: str
    traceback: str
    node_id: str = ""
    label: str = ""
    step: int = 0


@dataclass(frozen=True)
class Finished(Event):
    """The run ended in order; interrupted where somebody asked for the end."""

    reason: str
    step: int
    iteration: int
    interrupted: bool = False


Sink = Callable[[Event], None]

EVENT_NAMES: Dict[type, str] = {
    RunStarted: "started",
    Metrics: "metric",
    LogMessage: "log",
    NodeStatistics: "node_statistics",
    LiveStatistics: "live_statistics",
    ProbeSample: "probe",
    ViewerFrame: "viewer_frame",
    CheckpointSaved: "checkpoint_saved",
    ParameterChanged: "parameter_changed",
    Paused: "paused",
    Resumed: "resumed",
    Failed: "failed",
    Finished: "finished",
}


def is_clock_metric(name: str) -> bool:
    """True for metrics of the clock and of the machine, which differ between two equal runs."""
    return name.startswith(("time/", "gpu/"))


class EventBus:
    """Passes events to sinks and counts nothing: each sink keeps its own state."""

    def __init__(self, sinks: Optional[List[Sink]] = None):
        self.sinks: List[Sink] = list(sinks or [])

    def __call__(self, event: Event) -> None:
        for sink in self.sinks:
            sink(event)
