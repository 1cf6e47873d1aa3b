"""Derives a static schedule: the firing sequence of a graph whose rates are constant.

The machine is run with tokens instead of values, by the same rules as the interpreter, until its occupancy repeats.
What came before the repetition is the prologue; what lies between is the period, which then runs again and again
without asking who is ready. Lee and Messerschmitt 1987, "Static scheduling of synchronous data flow programs", do
the same for graphs without feedback through OR nodes and triggers; a simulation needs no balance equations.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from ..errors import DnneError
from ..node import Node
from .deadlock import Wait, deadlock_error, starving
from .machine import RELEASE, Action, Link, Machine, Unit

MAX_ACTIONS = 200_000


class NotStatic(DnneError):
    """The graph must be run by queues; the text says which node is the reason."""


class Entry(NamedTuple):
    """One action of a schedule.

    Attributes:
        unit: Index of the unit in the machine.
        kind: ``fire`` or ``release``.
        queues: Indices of the queues that it takes from.
        ports: Wired output ports that it must emit; it must not emit the others.
        ready: Where a stop may come after it, the units on the ready list, so that a stop keeps their order.
    """

    unit: int
    kind: str
    queues: Tuple[int, ...]
    ports: FrozenSet[str]
    ready: Optional[Tuple[int, ...]]


class StaticSchedule(NamedTuple):
    """A prologue that runs once and a period that repeats (empty where the graph comes to an end).

    Attributes:
        prologue, period: Their actions.
        starving: Where units wait that never fire.
    """

    prologue: Tuple[Entry, ...]
    period: Tuple[Entry, ...]
    starving: Tuple[Wait, ...] = ()

    @property
    def text(self) -> str:
        """For the log: ``static schedule of 97 firings (6 before it)``."""
        return f"static schedule of {len(self.period)} firings ({len(self.prologue)} before it)"


def derive(
    nodes: Sequence[Node], links: Sequence[Link], queue_size: int, start: Optional[Machine] = None
) -> StaticSchedule:
    """Find the static schedule of a graph, from an empty machine or from the state of ``start``.

    Raises:
        NotStatic: A rate depends on data or on the clock, or no period was found.
        DeadlockError: The graph locks whatever its values are.
    """
    machine = Machine(nodes, links, queue_size)
    for unit in machine.units:
        _refuse_dynamic(unit)
    if start is not None:
        machine.copy_counts(start)
        machine.restore_ready([unit.index for unit in start.ready])
    else:
        for unit in machine.units:
            initial = (name for name, port in unit.node.outputs.items() if port.initially)
            machine.deliver(unit, dict.fromkeys(initial))
    machine.wake_all()
    return _simulate(machine)


def _refuse_dynamic(unit: Unit) -> None:
    node = unit.node
    if any(unit.is_async.values()):
        raise NotStatic(f"node {unit.name} is asynchronous")
    if node.interval() is not None:
        raise NotStatic(f"node {unit.name} fires by the clock")
    for port in unit.routes:
        if node.emits_every(port) is None:
            raise NotStatic(f"the rate of output {port!r} of node {unit.name} depends on data")


def _simulate(machine: Machine) -> StaticSchedule:
    seen: Dict[Tuple, int] = {}
    entries: List[Entry] = []
    queue_index = {id(queue): index for index, queue in enumerate(machine.queues)}
    rates = [(unit, rate) for unit in machine.units for rate in _rates(unit)]
    while len(entries) < MAX_ACTIONS:
        picture = machine.snapshot(tuple([unit.firings % rate for unit, rate in rates]))
        first = seen.setdefault(picture, len(entries))
        if first < len(entries):
            return StaticSchedule(tuple(entries[:first]), tuple(entries[first:]), tuple(starving(machine)))
        action = machine.next_action()
        if action is None:
            if machine.has_leftovers:
                raise deadlock_error(machine)
            return StaticSchedule(tuple(entries), (), tuple(starving(machine)))
        entries.append(_perform(machine, action, queue_index))
    raise NotStatic(f"the firing sequence did not repeat within {MAX_ACTIONS} firings")


def _perform(machine: Machine, action: Action, queue_index: Dict[int, int]) -> Entry:
    ports = emitted_ports(action)
    machine.begin(action)
    machine.deliver(action.unit, dict.fromkeys(ports))
    ready = tuple([unit.index for unit in machine.ready]) if machine.count_action() else None
    queues = tuple([queue_index[id(queue)] for queue in action.queues])
    return Entry(action.unit.index, action.kind, queues, frozenset(ports), ready)


def _rates(unit: Unit) -> List[int]:
    every = (unit.node.emits_every(port) for port in unit.routes)
    return [rate for rate in every if rate is not None and rate > 1]


def emitted_ports(action: Action) -> List[str]:
    """Wired output ports that an action emits, by declaration."""
    unit, kind, queues = action
    fired_by = {queue.port for queue in queues}
    ports = []
    for name in unit.routes:
        port = unit.node.outputs[name]
        if kind == RELEASE:
            emits = port.on_release
        elif port.on_release and unit.trigger_wires:
            emits = False
        elif port.on_input:
            emits = port.on_input in fired_by
        else:
            every = unit.node.emits_every(name) or 0
            emits = every > 0 and (unit.firings + 1) % every == 0
        if emits:
            ports.append(name)
    return ports
