"""Turns the entries of a static schedule into closures that move real values through the machine's queues."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple, Union

from ..errors import NodeFailure, RateError
from .machine import RELEASE, HeldSlot, Machine, StreamQueue, TriggerWire, Unit
from .static_schedule import Entry, StaticSchedule
from .watch import Tap

Step = Callable[[], None]
Appends = Tuple[Tuple[str, Callable[[Any], None]], ...]
Slots = Tuple[Tuple[str, Union[HeldSlot, Tap]], ...]


class Section(NamedTuple):
    """Steps up to a safe point, and the ready list there; ``None`` where the schedule's end is none."""

    steps: Tuple[Step, ...]
    ready: Optional[Tuple[int, ...]]


class Compiler:
    """Makes one closure per distinct entry; equal entries share theirs."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self._cache: Dict[Tuple, Step] = {}

    def sections(self, entries: Iterable[Entry]) -> List[Section]:
        """Closures of the entries, cut at the safe points."""
        sections: List[Section] = []
        steps: List[Step] = []
        for entry in entries:
            steps.append(self._step(entry))
            if entry.ready is not None:
                sections.append(Section(tuple(steps), entry.ready))
                steps = []
        if steps:
            sections.append(Section(tuple(steps), None))
        return sections

    def _step(self, entry: Entry) -> Step:
        key = entry._replace(ready=None)
        if key not in self._cache:
            self._cache[key] = self._compile(entry)
        return self._cache[key]

    def _compile(self, entry: Entry) -> Step:
        return _compiled(self.machine.units[entry.unit], entry, [self.machine.queues[index] for index in entry.queues])


class Program:
    """The sections of a schedule in the order in which they run: the prologue's once, then the period's for ever.

    Attributes:
        is_outdated: Set when taps were put on or taken off; what comes next is compiled anew.
    """

    def __init__(self, machine: Machine, schedule: StaticSchedule):
        self._machine, self._schedule = machine, schedule
        self.is_outdated = False

    def __iter__(self) -> Iterator[Section]:
        sections, start = self._compile()
        index = 0
        while index < len(sections):
            yield sections[index]
            index += 1
            if self.is_outdated:
                sections, start = self._compile()
            if index == len(sections):
                index = start

    def _compile(self) -> Tuple[List[Section], int]:
        self.is_outdated = False
        compiler = Compiler(self._machine)
        prologue = compiler.sections(self._schedule.prologue)
        return prologue + compiler.sections(self._schedule.period), len(prologue)


def _compiled(unit: Unit, entry: Entry, queues: List[StreamQueue]) -> Step:
    """One firing or release, as straight-line code.

    Between two steps a node has computed for long and the caches are cold: here a call costs three times what it costs
    in a loop of its own. So what is sent is checked once per combination of ports, and wires are sorted beforehand.
    """
    fires, clock = entry.kind != RELEASE, time.perf_counter
    act = unit.node.compute if fires else unit.node.release  # type: ignore[attr-defined]
    takes = tuple((queue.port, queue.items.popleft) for queue in queues)
    held = tuple((slot.port, slot) for slot in unit.held) if fires else ()
    appends, slots, targets = _wires(unit, entry)
    accept, accepted = _acceptance(unit, entry)

    def step() -> None:
        unit.began = started = clock()
        inputs = {}
        for port, take in takes:
            inputs[port] = take()
        for port, slot in held:
            inputs[port] = slot.value
        if fires:
            unit.due = False
            unit.firings += 1
        else:
            unit.triggers -= 1
            unit.releases += 1
        try:
            outputs = act(**inputs)
            if type(outputs) is not dict or tuple(outputs) not in accepted:
                outputs = accept(outputs)
        except RateError:
            raise
        except (Exception, SystemExit) as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        for port, append in appends:
            append(outputs[port])
        for port, keeper in slots:
            keeper.value = outputs[port]
            keeper.written = True
        for target in targets:
            target.triggers += 1
        unit.seconds += clock() - started

    return step


def _wires(unit: Unit, entry: Entry) -> Tuple[Appends, Slots, Tuple[Unit, ...]]:
    """Where an action's values go: to the ends of queues, to held slots and taps, and the units that it triggers."""
    taps = tuple((port, tap) for port, tap in unit.taps if port in entry.ports)
    wires = [(port, wire) for port in unit.routes if port in entry.ports for wire in unit.routes[port]]
    return (
        tuple((port, wire.items.append) for port, wire in wires if isinstance(wire, StreamQueue)),
        tuple((port, wire) for port, wire in wires if isinstance(wire, HeldSlot)) + taps,
        tuple(wire.target for _, wire in wires if isinstance(wire, TriggerWire)),
    )


def _acceptance(unit: Unit, entry: Entry) -> Tuple[Callable[[Any], Dict[str, Any]], Set[Tuple[str, ...]]]:
    """A check of what an action returned, and the combinations of ports that have passed it."""
    expected, silent = entry.ports, unit.routes.keys() - entry.ports
    accepted: Set[Tuple[str, ...]] = set()

    def accept(outputs: Any) -> Dict[str, Any]:
        checked = unit.checked(outputs)
        if not checked.keys() >= expected or not silent.isdisjoint(checked):
            raise rate_error(unit, entry, checked)
        accepted.add(tuple(checked))
        return checked

    return accept, accepted


def rate_error(unit: Unit, entry: Entry, outputs: Dict[str, Any]) -> RateError:
    """The error of a node that does not keep its declared rates."""
    missing, extra = sorted(entry.ports - outputs.keys()), sorted(outputs.keys() & unit.routes.keys() - entry.ports)
    parts = [f"did not emit {', '.join(missing)}"] if missing else []
    parts += [f"emitted {', '.join(extra)}"] if extra else []
    return RateError(
        f"node {unit.name} {' and '.join(parts)} at {entry.kind} {unit.firings}, against the declared rates; "
        "declare the port with every=None if its rate depends on data"
    )
