"""Turns the entries of a static schedule into closures that move real values through the machine's queues."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from ..errors import NodeFailure, RateError
from .machine import RELEASE, HeldSlot, Machine, StreamQueue, Unit
from .static_schedule import Entry

Step = Callable[[], None]


class Section(NamedTuple):
    """Steps up to a safe point, and the ready list there."""

    steps: Tuple[Step, ...]
    ready: Tuple[int, ...]


class Compiler:
    """Makes one closure per distinct entry; equal entries share theirs."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self._cache: Dict[Tuple, Step] = {}

    def sections(self, entries: Tuple[Entry, ...]) -> List[Section]:
        """Closures of the entries, cut after each quiet one (after every one where none is quiet)."""
        any_quiet = any(entry.quiet for entry in entries)
        sections: List[Section] = []
        current: List[Step] = []
        for entry in entries:
            current.append(self._step(entry))
            if entry.quiet or not any_quiet:
                sections.append(Section(tuple(current), entry.ready))
                current = []
        if current:
            sections.append(Section(tuple(current), entries[-1].ready))
        return sections

    def _step(self, entry: Entry) -> Step:
        key = (entry.unit, entry.kind, entry.queues, entry.ports)
        if key not in self._cache:
            self._cache[key] = self._compile(entry)
        return self._cache[key]

    def _compile(self, entry: Entry) -> Step:
        unit = self.machine.units[entry.unit]
        send = _sender(unit, entry)
        if entry.kind == RELEASE:
            return _release_step(unit, send)
        return _fire_step(unit, [self.machine.queues[index] for index in entry.queues], send)


def _release_step(unit: Unit, send: Callable[[Any], None]) -> Step:
    release, clock = unit.node.release, time.perf_counter

    def step() -> None:
        started = clock()
        unit.triggers -= 1
        unit.releases += 1
        try:
            outputs = release()
        except Exception as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        send(outputs)
        unit.seconds += clock() - started

    return step


def _fire_step(unit: Unit, queues: List[StreamQueue], send: Callable[[Any], None]) -> Step:
    compute, clock = unit.node.compute, time.perf_counter  # type: ignore[attr-defined]
    streams = tuple((queue.link.target_port, queue.items.popleft) for queue in queues)
    held = tuple((slot.link.target_port, slot) for slot in unit.held)

    def step() -> None:
        started = clock()
        inputs = {name: take() for name, take in streams}
        for name, slot in held:
            inputs[name] = slot.value
        unit.due = False
        unit.firings += 1
        try:
            outputs = compute(**inputs)
        except Exception as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        send(outputs)
        unit.seconds += clock() - started

    return step


def _sender(unit: Unit, entry: Entry) -> Callable[[Optional[Dict[str, Any]]], None]:
    """A function that sends outputs along their wires and refuses a rate other than the declared one."""
    expected = entry.ports
    appends: List[Tuple[str, Callable[[Any], None]]] = []
    slots: List[Tuple[str, HeldSlot]] = []
    triggered: List[Unit] = []
    for port in unit.node.outputs:
        for wire in unit.routes.get(port, ()) if port in expected else ():
            if isinstance(wire, StreamQueue):
                appends.append((port, wire.items.append))
            elif isinstance(wire, HeldSlot):
                slots.append((port, wire))
            else:
                triggered.append(wire.target)
    routes, held, targets = tuple(appends), tuple(slots), tuple(triggered)
    unwired_by_data = {port for port in unit.node.outputs if unit.node.emits_every(port) is None}

    def send(outputs: Optional[Dict[str, Any]]) -> None:
        emitted = outputs or {}
        if emitted.keys() != expected and emitted.keys() - unwired_by_data != expected:
            raise rate_error(unit, entry.kind, set(emitted), set(expected))
        for port, append in routes:
            append(emitted[port])
        for port, slot in held:
            slot.value = emitted[port]
            slot.written = True
        for target in targets:
            target.triggers += 1

    return send


def rate_error(unit: Unit, kind: str, emitted: set, expected: set) -> RateError:
    """The error of a node that does not keep its declared rates."""
    parts = []
    if expected - emitted:
        parts.append(f"did not emit {sorted(expected - emitted)}")
    if emitted - expected:
        parts.append(f"emitted {sorted(emitted - expected)}")
    return RateError(
        f"node {unit.name} {' and '.join(parts)} at {kind} {unit.firings}, against the declared rates; "
        "declare the port with every=None if its rate depends on data"
    )
