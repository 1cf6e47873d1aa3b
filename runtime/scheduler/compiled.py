"""Turns the entries of a static schedule into closures that move real values through the machine's queues."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from ..errors import NodeFailure, RateError
from .machine import RELEASE, HeldSlot, Machine, StreamQueue, TriggerWire, Unit
from .static_schedule import Entry

Step = Callable[[], None]
Send = Callable[[Dict[str, Any]], None]


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
        unit = self.machine.units[entry.unit]
        send = _sender(unit, entry)
        if entry.kind == RELEASE:
            return _release_step(unit, send)
        return _fire_step(unit, [self.machine.queues[index] for index in entry.queues], send)


def _release_step(unit: Unit, send: Send) -> Step:
    release, checked, clock = unit.node.release, unit.checked, time.perf_counter

    def step() -> None:
        started = clock()
        unit.triggers -= 1
        unit.releases += 1
        try:
            outputs = checked(release())
        except Exception as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        send(outputs)
        unit.seconds += clock() - started

    return step


def _fire_step(unit: Unit, queues: List[StreamQueue], send: Send) -> Step:
    compute, checked, clock = unit.node.compute, unit.checked, time.perf_counter  # type: ignore[attr-defined]
    streams = tuple((queue.port, queue.items.popleft) for queue in queues)
    held = tuple((slot.port, slot) for slot in unit.held)

    def step() -> None:
        started = clock()
        inputs = {port: take() for port, take in streams}
        for port, slot in held:
            inputs[port] = slot.value
        unit.due = False
        unit.firings += 1
        try:
            outputs = checked(compute(**inputs))
        except Exception as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        send(outputs)
        unit.seconds += clock() - started

    return step


def _sender(unit: Unit, entry: Entry) -> Send:
    """A function that sends outputs along their wires and refuses a rate other than the declared one."""
    wires = [(port, wire) for port in unit.routes if port in entry.ports for wire in unit.routes[port]]
    appends = tuple((port, wire.items.append) for port, wire in wires if isinstance(wire, StreamQueue))
    slots = tuple((port, wire) for port, wire in wires if isinstance(wire, HeldSlot))
    targets = tuple(wire.target for _, wire in wires if isinstance(wire, TriggerWire))
    expected, silent = entry.ports, unit.routes.keys() - entry.ports

    def send(outputs: Dict[str, Any]) -> None:
        if not outputs.keys() >= expected or (silent and not silent.isdisjoint(outputs)):
            raise rate_error(unit, entry, outputs)
        for port, append in appends:
            append(outputs[port])
        for port, slot in slots:
            slot.value = outputs[port]
            slot.written = True
        for target in targets:
            target.triggers += 1

    return send


def rate_error(unit: Unit, entry: Entry, outputs: Dict[str, Any]) -> RateError:
    """The error of a node that does not keep its declared rates."""
    missing, extra = sorted(entry.ports - outputs.keys()), sorted(outputs.keys() & unit.routes.keys() - entry.ports)
    parts = [f"did not emit {', '.join(missing)}"] if missing else []
    parts += [f"emitted {', '.join(extra)}"] if extra else []
    return RateError(
        f"node {unit.name} {' and '.join(parts)} at {entry.kind} {unit.firings}, against the declared rates; "
        "declare the port with every=None if its rate depends on data"
    )
