"""The firing rules: queues between ports, who may fire next, and who waits for whom.

The machine moves values but computes nothing, so the interpreter runs it with real nodes and the static
schedule is derived by running it with tokens: both follow the same rules in the same order.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Deque, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ..node import ANY_INPUT, Node
from ..ports import HELD, STREAM

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

    __slots__ = ("link", "items", "limit", "source", "target")

    def __init__(self, link: Link, source: "Unit", target: "Unit", limit: int):
        self.link, self.source, self.target, self.limit = link, source, target, limit
        self.items: Deque[Any] = deque()


class HeldSlot:
    """The last value of a held wire."""

    __slots__ = ("link", "value", "written", "source", "target")

    def __init__(self, link: Link, source: "Unit", target: "Unit"):
        self.link, self.source, self.target = link, source, target
        self.value: Any = None
        self.written = False


class TriggerWire:
    """A wire to a trigger port; pending triggers are counted at the target."""

    __slots__ = ("link", "source", "target")

    def __init__(self, link: Link, source: "Unit", target: "Unit"):
        self.link, self.source, self.target = link, source, target


class Unit:
    """A node's place in the machine: its queues, wires and counters."""

    def __init__(self, node: Node, index: int):
        self.node = node
        self.index = index
        self.streams: List[StreamQueue] = []
        self.held: List[HeldSlot] = []
        self.trigger_wires: List[TriggerWire] = []
        self.routes: Dict[str, List[Any]] = {}
        self.outbox: List[Tuple[StreamQueue, Any]] = []
        self.triggers = 0
        self.firings = 0
        self.releases = 0
        self.seconds = 0.0
        self.busy = False
        self.in_ready = False
        self.due = True
        self.fires_on_any = node.fires_on == ANY_INPUT

    @property
    def name(self) -> str:
        """``5 Step``, for messages."""
        return f"{self.node.id} {self.node.label}"

    @property
    def is_source(self) -> bool:
        """True if no stream input is wired: the node fires once (or by its interval)."""
        return not self.streams

    @property
    def unreleased(self) -> int:
        """Firings that still wait for their trigger."""
        return self.firings - self.releases if self.trigger_wires else 0

    @property
    def queued(self) -> int:
        """Values that wait in the node's stream queues."""
        return sum(len(queue.items) for queue in self.streams)


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
            order = list(unit.node.inputs)
            unit.streams.sort(key=lambda queue: order.index(queue.link.target_port))
            unit.due = unit.is_source

    def _connect(self, link: Link) -> None:
        source, target = self.by_id[link.source], self.by_id[link.target]
        kind = target.node.inputs[link.target_port].kind
        wire: Any
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
        if not all(slot.written for slot in unit.held):
            return False
        if unit.is_source:
            return unit.due
        if unit.fires_on_any:
            return any(queue.items for queue in unit.streams)
        return all(queue.items for queue in unit.streams)

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
        """Take the next ready unit off the list; ``None`` when nobody can act."""
        while self.ready:
            unit = self.ready.popleft()
            unit.in_ready = False
            if self.is_ready(unit):
                return self._action_of(unit)
        return None

    def _action_of(self, unit: Unit) -> Action:
        if unit.triggers and unit.unreleased:
            return Action(unit, RELEASE, ())
        if unit.fires_on_any:
            return Action(unit, FIRE, (next(queue for queue in unit.streams if queue.items),))
        return Action(unit, FIRE, tuple(unit.streams))

    # Moving values

    def begin(self, action: Action) -> Dict[str, Any]:
        """Take the action's inputs off their queues, and let writers go on that waited for the room."""
        unit = action.unit
        if action.kind == RELEASE:
            unit.triggers -= 1
            unit.releases += 1
            return {}
        unit.due = False
        unit.firings += 1
        inputs = {queue.link.target_port: queue.items.popleft() for queue in action.queues}
        for slot in unit.held:
            inputs[slot.link.target_port] = slot.value
        for queue in action.queues:
            if queue.source.outbox:
                self._flush(queue.source)
        return inputs

    def deliver(self, unit: Unit, outputs: Optional[Dict[str, Any]]) -> None:
        """Send a unit's outputs along their wires; what finds a full queue stays in the outbox."""
        if outputs:
            for port, value in outputs.items():
                for wire in unit.routes.get(port, ()):
                    self._send(unit, wire, value)
        self.wake(unit)

    def _send(self, unit: Unit, wire: Any, value: Any) -> None:
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
    def values_in_flight(self) -> int:
        """Values in stream queues and outboxes; at 0 a stop leaves nothing behind but held observations."""
        return sum(len(queue.items) for queue in self.queues) + sum(len(unit.outbox) for unit in self.units)

    @property
    def has_leftovers(self) -> bool:
        """True if a run that cannot move is deadlocked rather than finished."""
        return self.values_in_flight > 0 or any(unit.unreleased for unit in self.units)

    def copy_counts(self, other: "Machine") -> None:
        """Take over another machine's occupancy with its values replaced by tokens (same nodes, same links)."""
        for mine, theirs in zip(self.queues, other.queues):
            mine.items = deque([None] * len(theirs.items))
        for slot, origin in zip(self.slots, other.slots):
            slot.written = origin.written
        for unit, source in zip(self.units, other.units):
            unit.triggers, unit.firings, unit.releases = source.triggers, source.firings, source.releases
            unit.due = source.due
            queue_of = {id(theirs): mine for mine, theirs in zip(self.queues, other.queues)}
            unit.outbox = [(queue_of[id(queue)], None) for queue, _ in source.outbox]

    def snapshot(self, phases: Tuple[int, ...]) -> Tuple:
        """A hashable picture of the occupancy: equal pictures have equal futures."""
        return (
            tuple(len(queue.items) for queue in self.queues),
            tuple(slot.written for slot in self.slots),
            tuple((unit.triggers, unit.unreleased, unit.due, len(unit.outbox)) for unit in self.units),
            tuple(unit.index for unit in self.ready),
            phases,
        )
