"""Shows a host what it watches: samples of probed outputs, and the state of simulations.

It reads only, draws nothing from any generator, and reduces at most a few times a second by the clock: a run that is
watched gives the same bits as one that is not.
"""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Set, Tuple

import torch

from ..context import RunContext
from ..events import ProbeSample, ViewerFrame
from .watch import Output, Tap, Watch

if TYPE_CHECKING:
    from .machine import Machine

logger = logging.getLogger(__name__)

PROBE_INTERVAL = 0.1


class Observer:
    """Serves the `Watch` of one run, in the engine's thread."""

    def __init__(self, watch: Watch, machine: Machine, context: RunContext):
        self._watch, self._machine, self._context = watch, machine, context
        self._taps: Dict[Output, Tap] = {}
        self._version = 0
        self._next_probe = self._next_frame = 0.0
        self._steps = 0
        self._next_step = 0.0
        self._seconds_per_step = 0.0
        self._without_view: Set[str] = set()

    def serve(self) -> bool:
        """Send what is due; true if taps were put on or taken off, which a compiled schedule has to follow."""
        watch, version = self._watch, self._watch.version
        changed = version != self._version
        if changed:
            self._version = version
            self._place_taps(watch.outputs)
        now = self._context.elapsed
        if self._taps and now >= self._next_probe and self._send_samples():
            self._next_probe = now + PROBE_INTERVAL
        if watch.env_ids:
            self._serve_viewer(now)
        watch.rest(version)
        return changed

    def finish(self) -> None:
        """The run has ended: send the last values, however short it was."""
        if self._version != self._watch.version:
            self._place_taps(self._watch.outputs)
        self._send_samples()
        if self._watch.env_ids:
            self._send_frames()

    # Probes

    def _place_taps(self, outputs: Tuple[Output, ...]) -> None:
        self._taps = {output: self._taps.get(output) or Tap() for output in outputs}
        for unit in self._machine.units:
            unit.taps = tuple((port, tap) for (node_id, port), tap in self._taps.items() if node_id == unit.node.id)
            for port, tap in unit.taps:
                self._take_held(unit.routes.get(port, ()), tap)

    def _take_held(self, wires: Any, tap: Tap) -> None:
        """A held wire has its value at hand, and may not be written again for long."""
        for wire in wires:
            if getattr(wire, "written", False) and not tap.written:
                tap.value, tap.written = wire.value, True

    def _send_samples(self) -> bool:
        """Send what was written since the last time; true if something was."""
        written = [(output, tap) for output, tap in self._taps.items() if tap.written]
        for (node_id, port), tap in written:
            tap.written = False
            self._context.send(ProbeSample, node_id, port, *measure(tap.value))
        return bool(written)

    # Viewer

    def _serve_viewer(self, now: float) -> None:
        if now >= self._next_frame:
            self._next_frame = now + self._watch.frame_interval
            self._send_frames()
        if self._context.inference and self._seconds_per_step:
            self._keep_real_time()

    def _send_frames(self) -> None:
        for unit in self._machine.units:
            if unit.node.id not in self._without_view:
                self._send_frame(unit.node)

    def _send_frame(self, node: Any) -> None:
        try:
            state = node.viewer_state(self._watch.env_ids)
        except Exception as error:
            self._without_view.add(node.id)
            logger.exception("drawing failed")
            message = f"{node.label} cannot be drawn: {type(error).__name__}: {error}"
            self._context.log(message, "error", node.id)
            return
        if state is None:
            return
        self._seconds_per_step = float(state.description.get("seconds_per_step", 0.0))
        self._context.send(ViewerFrame, node.id, state)

    def _keep_real_time(self) -> None:
        """In inference with a viewer, let one step of the environments last as long as it stands for."""
        steps = self._context.progress.environment_steps
        if steps == self._steps:
            return
        self._steps = steps
        now = time.perf_counter()
        self._next_step = max(self._next_step + self._seconds_per_step, now)
        if self._next_step > now:
            time.sleep(min(self._next_step - now, PROBE_INTERVAL))


class Measures(NamedTuple):
    """The figures of a `ProbeSample`."""

    shape: Tuple[int, ...]
    dtype: str
    minimum: float
    mean: float
    maximum: float
    finite: float


def measure(value: Any) -> Measures:
    """Shape, type and range of a value; see `ProbeSample`."""
    path, leaf = _first_leaf(value, [])
    if not isinstance(leaf, torch.Tensor):
        is_number = isinstance(leaf, (int, float))
        number = float(leaf) if is_number else math.nan
        figures = (number, number, number) if math.isfinite(number) else (math.nan,) * 3
        return Measures((), _named(path, type(leaf).__name__), *figures, float(not is_number or math.isfinite(number)))
    name = _named(path, str(leaf.dtype).split(".")[-1])
    return Measures(tuple(leaf.shape), name, *_range(leaf))


def _range(tensor: torch.Tensor) -> Tuple[float, float, float, float]:
    """Minimum, mean and maximum of the finite elements, and their share."""
    if not tensor.numel():
        return math.nan, math.nan, math.nan, 1.0
    numbers = tensor.detach().to(torch.float32).flatten()
    low, high = torch.aminmax(numbers)
    figures = torch.stack((low, numbers.mean(), high)).tolist()
    if all(math.isfinite(figure) for figure in figures):
        return figures[0], figures[1], figures[2], 1.0
    finite = numbers[torch.isfinite(numbers)]
    if not finite.numel():
        return math.nan, math.nan, math.nan, 0.0
    mean = finite.double().mean().item()
    return finite.min().item(), mean, finite.max().item(), finite.numel() / numbers.numel()


def _first_leaf(value: Any, path: List[str]) -> Tuple[List[str], Any]:
    """The first tensor of a record, list or dictionary, else its first number, and the way to it."""
    items = _items(value)
    fallback: Optional[Tuple[List[str], Any]] = None
    for name, item in items:
        found = _first_leaf(item, [*path, name])
        if isinstance(found[1], torch.Tensor):
            return found
        if fallback is None and isinstance(found[1], (int, float)):
            fallback = found
    return fallback or (path, value)


def _items(value: Any) -> List[Tuple[str, Any]]:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return [(str(name), item) for name, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(str(index), item) for index, item in enumerate(value)]
    return []


def _named(path: List[str], kind: str) -> str:
    return f"{'.'.join(path)}: {kind}" if path else kind
