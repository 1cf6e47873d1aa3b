"""Derives a static schedule: the firing sequence of a graph whose rates are constant.

The machine is run with tokens instead of values, by the same rules as the interpreter, until its occupancy repeats.
What came before the repetition is the prologue; what lies between is the period, which then runs again and again
without asking who is ready. Lee and Messerschmitt 1987, "Static scheduling of synchronous data flow programs", do
the same for graphs without feedback through OR nodes and triggers; a simulation needs no balance equations.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Dict, FrozenSet, List, Optional, Sequence, Tuple

from ..node import Node
from .deadlock import deadlock_error
from .machine import FIRE, RELEASE, Action, Link, Machine, Unit

MAX_ACTIONS = 200_000


class NotStatic(Exception):
    """The graph must be run by queues; the text says which node is the reason."""


@dataclass(frozen=True)
class Entry:
    """One action of a schedule.

    Attributes:
        unit: Index of the unit in the machine.
        kind: ``fire`` or ``release``.
        queues: Indices of the queues that it takes from.
        ports: Output ports that it must emit.
        quiet: No stream value is in flight after it: a good place to stop.
        ready: Units on the ready list after it, so that a stop keeps their order.
    """

    unit: int
    kind: str
    queues: Tuple[int, ...]
    ports: FrozenSet[str]
    quiet: bool
    ready: Tuple[int, ...]


@dataclass(frozen=True)
class StaticSchedule:
    """A prologue that runs once and a period that repeats (empty where the graph comes to an end)."""

    prologue: Tuple[Entry, ...]
    period: Tuple[Entry, ...]

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
    for node in nodes:
        _refuse_dynamic(node)
    machine = Machine(nodes, links, queue_size)
    if start is not None:
        machine.copy_counts(start)
        machine.restore_ready([unit.index for unit in start.ready])
    else:
        for unit in machine.units:
            initial = (name for name, port in unit.node.outputs.items() if port.initially)
            machine.deliver(unit, dict.fromkeys(initial))
    machine.wake_all()
    return _simulate(machine)


def _refuse_dynamic(node: Node) -> None:
    name = f"node {node.id} ({node.label})"
    if inspect.iscoroutinefunction(node.compute) or inspect.iscoroutinefunction(node.release):  # type: ignore[attr-defined]
        raise NotStatic(f"{name} is asynchronous")
    if node.interval() is not None:
        raise NotStatic(f"{name} fires by the clock")
    for port in node.outputs:
        if port in node.connected and node.emits_every(port) is None:
            raise NotStatic(f"the rate of output {port!r} of {name} depends on data")


def _simulate(machine: Machine) -> StaticSchedule:
    seen: Dict[Tuple, int] = {}
    entries: List[Entry] = []
    queue_index = {id(queue): index for index, queue in enumerate(machine.queues)}
    rates = [_rates(unit) for unit in machine.units]
    while len(entries) < MAX_ACTIONS:
        picture = machine.snapshot(_phases(machine, rates))
        if picture in seen:
            first = seen[picture]
            return StaticSchedule(tuple(entries[:first]), tuple(entries[first:]))
        seen[picture] = len(entries)
        action = machine.next_action()
        if action is None:
            if machine.has_leftovers:
                raise deadlock_error(machine)
            return StaticSchedule(tuple(entries), ())
        ports = emitted_ports(action)
        machine.begin(action)
        machine.deliver(action.unit, dict.fromkeys(ports))
        queues = tuple(queue_index[id(queue)] for queue in action.queues)
        quiet = machine.values_in_flight == 0
        ready = tuple(unit.index for unit in machine.ready)
        entries.append(Entry(action.unit.index, action.kind, queues, frozenset(ports), quiet, ready))
    raise NotStatic(f"its firing sequence did not repeat within {MAX_ACTIONS} firings")


def _rates(unit: Unit) -> List[int]:
    every = (unit.node.emits_every(port) for port in unit.node.outputs)
    return [rate for rate in every if rate is not None and rate > 1]


def _phases(machine: Machine, rates: List[List[int]]) -> Tuple[int, ...]:
    return tuple(unit.firings % rate for unit, unit_rates in zip(machine.units, rates) for rate in unit_rates)


def emitted_ports(action: Action) -> List[str]:
    """Output ports that an action emits, by declaration."""
    unit, kind, queues = action
    fired_by = {queue.link.target_port for queue in queues}
    ports = []
    for name, port in unit.node.outputs.items():
        if kind == RELEASE:
            emits = port.on_release
        elif port.on_release and unit.trigger_wires:
            emits = False
        elif port.on_input:
            emits = port.on_input in fired_by
        else:
            every = unit.node.emits_every(name)
            emits = bool(every) and (unit.firings + 1) % every == 0
        if emits:
            ports.append(name)
    return ports


def never_firing(machine: Machine, schedule: StaticSchedule) -> List[Unit]:
    """Units that the schedule never fires."""
    active = {entry.unit for entry in schedule.prologue + schedule.period if entry.kind == FIRE}
    return [unit for unit in machine.units if unit.index not in active and not unit.firings]


