"""The firing rules: queues between ports, who may fire next, and who waits for whom.

The machine moves values but computes nothing, so the interpreter runs it with real nodes and the static
schedule is derived by running it with tokens: both follow the same rules in the same order.
"""

from __future__ import annotations

import inspect
from collections import deque
from typing import Any, Deque, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from ..errors import DnneError
from ..events import WireStats
from ..node import ANY_INPUT, Node
from ..ports import HELD, STREAM
from .watch import Tap

FIRE, RELEASE = "fire", "release"
DEFAULT_QUEUE_SIZE = 2


class Link(NamedTuple):
    """A wire: from an output port to an input port, by node id and port name."""

    source: str
    source_port: str
    target: str
    target_port: str


class StreamQueue:
    """The bounded first-in-first-out queue of one wire."""

    __slots__ = ("action", "items", "limit", "link", "port", "source", "target")

    def __init__(self, link: Link, source: Unit, target: Unit, limit: int):
        self.link, self.source, self.target, self.limit = link, source, target, limit
        self.port = link.target_port
        self.items: Deque[Any] = deque()
        self.action = Action(target, FIRE, (self,))

    def take_excess(self) -> List[Any]:
        """Take off, oldest first, what is beyond the limit."""
        excess = [self.items.pop() for _ in range(len(self.items) - self.limit)]
        return excess[::-1]


class HeldSlot:
    """The last value of a held wire."""

    __slots__ = ("link", "port", "source", "target", "value", "written")

    def __init__(self, link: Link, source: Unit, target: Unit):
        self.link, self.source, self.target = link, source, target
        self.port = link.target_port
        self.value: Any = None
        self.written = False


class TriggerWire:
    """A wire to a trigger port; pending triggers are counted at the target."""

    __slots__ = ("link", "source", "target")

    def __init__(self, link: Link, source: Unit, target: Unit):
        self.link, self.source, self.target = link, source, target


Wire = Union[StreamQueue, HeldSlot, TriggerWire]


class Unit:
    """A node's place in the machine: its queues, wires, counters and taps.

    ``began``: when its present or last firing began, by `time.perf_counter`; other threads may read it.
    ``busy``: it has taken the inputs of an action and not yet delivered its outputs.
    """

    def __init__(self, node: Node, index: int):
        self.node = node
        self.index = index
        self.streams: List[StreamQueue] = []
        self.held: List[HeldSlot] = []
        self.trigger_wires: List[TriggerWire] = []
        self.routes: Dict[str, List[Wire]] = {}
        self.outbox: List[Tuple[StreamQueue, Any]] = []
        self.triggers = 0
        self.firings = 0
        self.releases = 0
        self.seconds = 0.0
        self.began = 0.0
        self.busy = False
        self.in_ready = False
        self.due = True
        self.taps: Tuple[Tuple[str, Tap], ...] = ()
        self.fires_on_any = node.fires_on == ANY_INPUT
        methods = {FIRE: node.compute, RELEASE: node.release}  # type: ignore[attr-defined]
        self.is_async = {kind: inspect.iscoroutinefunction(method) for kind, method in methods.items()}
        self.fire = self.release = Action(self, FIRE, ())

    def arrange(self) -> None:
        """Bring wires into the order in which the node declares its ports, triggers last, and prepare the actions."""
        inputs = list(self.node.inputs)
        self.streams.sort(key=lambda queue: inputs.index(queue.port))
        wired = [port for port in self.node.outputs if port in self.routes]
        wired.sort(key=lambda port: all(isinstance(wire, TriggerWire) for wire in self.routes[port]))
        self.routes = {port: self.routes[port] for port in wired}
        self.due = not self.streams
        self.fire, self.release = Action(self, FIRE, tuple(self.streams)), Action(self, RELEASE, ())

    @property
    def name(self) -> str:
        """``5 (Step)``, for messages."""
        return f"{self.node.id} ({self.node.label})"

    @property
    def unreleased(self) -> int:
        """Firings that still wait for their trigger."""
        return self.firings - self.releases if self.trigger_wires else 0

    @property
    def queued(self) -> int:
        """Values that wait in the node's stream queues."""
        return sum(len(queue.items) for queue in self.streams)

    def wire_stats(self) -> Tuple[WireStats, ...]:
        """Values that wait in each stream queue."""
        return tuple([WireStats(queue.port, len(queue.items), queue.limit) for queue in self.streams])

    @property
    def actions_per_cycle(self) -> int:
        """The most that the node does where every one of its wires carries one value."""
        return (len(self.streams) if self.fires_on_any else 1) + len(self.trigger_wires)

    def checked(self, outputs: Any) -> Dict[str, Any]:
        """What the node returned, as a dictionary of its own ports.

        Raises:
            DnneError: It is none.
        """
        if outputs is None:
            return {}
        if not isinstance(outputs, dict):
            raise DnneError(f"it returned a {type(outputs).__name__}; expected a dictionary by output port, or None")
        if not outputs.keys() <= self.node.outputs.keys():
            unknown = sorted(str(port) for port in outputs.keys() - self.node.outputs.keys())
            known = ", ".join(self.node.outputs) or "none"
            raise DnneError(f"it returned values for {', '.join(unknown)}, but its outputs are {known}")
        return outputs


class Action(NamedTuple):
    """One thing that a unit does: it fires on these queues, or it releases."""

    unit: Unit
    kind: str
    queues: Tuple[StreamQueue, ...]


class Machine:
    """Units, their wires, and the list of those that may act, in the order in which they became ready."""

    def __init__(self, nodes: Sequence[Node], links: Iterable[Link], queue_size: int = DEFAULT_QUEUE_SIZE):
        self.units = [Unit(node, index) for index, node in enumerate(nodes)]
        self.by_id = {unit.node.id: unit for unit in self.units}
        self.queues: List[StreamQueue] = []
        self.slots: List[HeldSlot] = []
        self.ready: Deque[Unit] = deque()
        self.queue_size = queue_size
        for link in links:
            self._connect(link)
        for unit in self.units:
            unit.arrange()
        self.cycle_length = sum(unit.actions_per_cycle for unit in self.units)
        self.since_quiet = 0
        self.passed_over = 0

    def _connect(self, link: Link) -> None:
        source, target = self.by_id[link.source], self.by_id[link.target]
        kind = target.node.inputs[link.target_port].kind
        wire: Wire
        if kind == STREAM:
            wire = StreamQueue(link, source, target, self.queue_size)
            self.queues.append(wire)
            target.streams.append(wire)
        elif kind == HELD:
            wire = HeldSlot(link, source, target)
            self.slots.append(wire)
            target.held.append(wire)
        else:
            wire = TriggerWire(link, source, target)
            target.trigger_wires.append(wire)
        source.routes.setdefault(link.source_port, []).append(wire)

    # Who may act

    def is_ready(self, unit: Unit) -> bool:
        """The firing rules of `runtime.ports.In`, and that all of the last firing's values have gone out."""
        if unit.busy or unit.outbox:
            return False
        if unit.triggers and unit.unreleased:
            return True
        for slot in unit.held:
            if not slot.written:
                return False
        if not unit.streams:
            return unit.due
        for queue in unit.streams:
            if bool(queue.items) is unit.fires_on_any:
                return unit.fires_on_any
        return not unit.fires_on_any

    def wake(self, unit: Unit) -> None:
        """Put a unit at the end of the ready list if it may act and is not there yet."""
        if not unit.in_ready and self.is_ready(unit):
            unit.in_ready = True
            self.ready.append(unit)

    def wake_all(self) -> None:
        """Look at every unit (at the start of a run, and after a resume)."""
        for unit in self.units:
            self.wake(unit)

    def restore_ready(self, indices: Iterable[int]) -> None:
        """Put units on the ready list in a given order (the order at a stop)."""
        self.ready.clear()
        for unit in self.units:
            unit.in_ready = False
        for index in indices:
            self.wake(self.units[index])

    def next_action(self) -> Optional[Action]:
        """Take the next ready unit off the list (a ready one stays so until it acts); ``None`` when nobody can act."""
        if not self.ready:
            return None
        unit = self._pop_ready()
        unit.in_ready = False
        return self._action_of(unit)

    def _pop_ready(self) -> Unit:
        """The first ready unit; releases come after firings.

        A release begins the next turn of a cycle. What the last turn set in motion elsewhere (metrics on their way to a
        held input, through however many nodes) comes first, so that a Print in between changes nothing. Beside a loop
        that never rests, a release waits for two firings per unit at most.
        """
        for position, unit in enumerate(self.ready):
            if not (unit.triggers and unit.unreleased):
                if position == 0:
                    return self.ready.popleft()
                if self.passed_over < 2 * len(self.units):
                    self.passed_over += 1
                    del self.ready[position]
                    return unit
                break
        self.passed_over = 0
        return self.ready.popleft()

    def _action_of(self, unit: Unit) -> Action:
        if unit.triggers and unit.unreleased:
            return unit.release
        if unit.fires_on_any:
            return next(queue.action for queue in unit.streams if queue.items)
        return unit.fire

    # Moving values

    def begin(self, action: Action) -> Dict[str, Any]:
        """Take the action's inputs off their queues, and let writers go on that waited for the room."""
        unit, kind, queues = action
        unit.busy = True
        if kind == RELEASE:
            unit.triggers -= 1
            unit.releases += 1
            return {}
        unit.due = False
        unit.firings += 1
        inputs = {}
        for queue in queues:
            inputs[queue.port] = queue.items.popleft()
        for slot in unit.held:
            inputs[slot.port] = slot.value
        for queue in queues:
            if queue.source.outbox:
                self._flush(queue.source)
        return inputs

    def deliver(self, unit: Unit, outputs: Dict[str, Any]) -> None:
        """Send a unit's outputs along their wires, in declared order; what finds a full queue stays in the outbox."""
        for port, wires in unit.routes.items():
            if port in outputs:
                for wire in wires:
                    self._send(unit, wire, outputs[port])
        if unit.taps:
            _keep(unit.taps, outputs)
        unit.busy = False
        self.wake(unit)

    def _send(self, unit: Unit, wire: Wire, value: Any) -> None:
        if isinstance(wire, StreamQueue):
            if len(wire.items) >= wire.limit:
                unit.outbox.append((wire, value))
                return
            wire.items.append(value)
        elif isinstance(wire, HeldSlot):
            wire.value, wire.written = value, True
        else:
            wire.target.triggers += 1
        self.wake(wire.target)

    def _flush(self, unit: Unit) -> None:
        waiting, unit.outbox = unit.outbox, []
        for queue, value in waiting:
            self._send(unit, queue, value)
        self.wake(unit)

    # The state as a whole

    @property
    def is_quiet(self) -> bool:
        """True if no stream value is in flight (then no outbox holds one either: it would wait for a full queue)."""
        for queue in self.queues:  # noqa: SIM110 - asked after every firing: a generator costs four times as much
            if queue.items:
                return False
        return True

    def count_action(self) -> bool:
        """Count an action that is done; true if a stop may come here.

        That is where no stream value is in flight. A graph in which there always is one (the next observation is
        under way before the trainer has fired) may be stopped after any action, once a whole cycle was not quiet.
        """
        if self.is_quiet:
            self.since_quiet = 0
            return True
        if self.since_quiet < self.cycle_length:
            self.since_quiet += 1
        return self.since_quiet == self.cycle_length

    @property
    def has_leftovers(self) -> bool:
        """True if a run that cannot move is deadlocked rather than finished."""
        return not self.is_quiet or any(unit.unreleased for unit in self.units)

    def settle(self) -> None:
        """Bring restored values into the form that the interpreter knows: what a queue has no room for waits outside.

        A static schedule keeps no outbox; each wire has a single writer, so that the order is the same.
        """
        for unit in self.units:
            queues = [wire for wires in unit.routes.values() for wire in wires if isinstance(wire, StreamQueue)]
            unit.outbox = [(queue, value) for queue in queues for value in queue.take_excess()] + unit.outbox
        self.since_quiet = 0 if self.is_quiet else self.cycle_length

    def empty_outboxes(self) -> None:
        """Undo `settle`: put values that wait for room into their queues, as a static schedule has them."""
        for unit in self.units:
            for queue, value in unit.outbox:
                queue.items.append(value)
            unit.outbox = []

    def copy_counts(self, other: Machine) -> None:
        """Take over another machine's occupancy with its values replaced by tokens (same nodes, same links)."""
        for mine, theirs in zip(self.queues, other.queues):
            mine.items = deque([None] * len(theirs.items))
        for slot, origin in zip(self.slots, other.slots):
            slot.written = origin.written
        queue_of = {id(theirs): mine for mine, theirs in zip(self.queues, other.queues)}
        for unit, source in zip(self.units, other.units):
            unit.triggers, unit.firings, unit.releases = source.triggers, source.firings, source.releases
            unit.due = source.due
            unit.outbox = [(queue_of[id(queue)], None) for queue, _ in source.outbox]
        self.since_quiet = other.since_quiet

    def snapshot(self, phases: Tuple[int, ...]) -> Tuple:
        """A hashable picture of the occupancy: equal pictures have equal futures."""
        return (
            self.passed_over,
            tuple([len(queue.items) for queue in self.queues]),
            tuple([slot.written for slot in self.slots]),
            tuple([(unit.triggers, unit.unreleased, unit.due) for unit in self.units]),
            tuple([id(queue) for unit in self.units for queue, _ in unit.outbox]),
            tuple([unit.index for unit in self.ready]),
            self.since_quiet,
            phases,
        )


def _keep(taps: Tuple[Tuple[str, Tap], ...], outputs: Dict[str, Any]) -> None:
    for port, tap in taps:
        if port in outputs:
            tap.value, tap.written = outputs[port], True
