"""Says who waits for whom when nothing can fire, and which nodes starve."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Set

from ..errors import DeadlockError
from .machine import Machine, Unit


class Wait(NamedTuple):
    """One unit waits at a port for another unit."""

    unit: Unit
    port: str
    awaited: Unit
    awaited_port: str
    full: bool = False

    @property
    def text(self) -> str:
        """``node 5 (Step) waits at its input 'actions' for node 4 (Action), port 'actions'``."""
        name, awaited = f"node {self.unit.name}", f"node {self.awaited.name}"
        if self.full:
            return f"{name} waits to write '{self.port}': the queue of {awaited}, port '{self.awaited_port}', is full"
        return f"{name} waits at its input '{self.port}' for {awaited}, port '{self.awaited_port}'"


def waits_of(unit: Unit) -> List[Wait]:
    """What keeps a unit from acting, port by port."""
    waits = [Wait(unit, queue.link.source_port, queue.target, queue.port, True) for queue, _ in unit.outbox]
    if unit.unreleased and not unit.triggers:
        waits += [Wait(unit, w.link.target_port, w.source, w.link.source_port) for w in unit.trigger_wires]
    if not (unit.fires_on_any and unit.queued):
        empty = (queue for queue in unit.streams if not queue.items)
        waits += [Wait(unit, queue.port, queue.source, queue.link.source_port) for queue in empty]
    unwritten = (slot for slot in unit.held if not slot.written)
    waits += [Wait(unit, slot.port, slot.source, slot.link.source_port) for slot in unwritten]
    return waits


def find_ring(machine: Machine) -> List[Wait]:
    """A ring of waiting ports; where there is none, the chain of waiting up to a node that waits for nobody."""
    stuck = [unit for unit in machine.units if unit.queued or unit.unreleased or unit.outbox]
    done: Set[int] = set()
    for start in stuck:
        ring = _search(start, [], done)
        if ring:
            return ring
    return _chain(stuck[0]) if stuck else []


def _search(unit: Unit, path: List[Wait], done: Set[int]) -> Optional[List[Wait]]:
    for position, wait in enumerate(path):
        if wait.unit is unit:
            return path[position:]
    if unit.index in done:
        return None
    for wait in waits_of(unit):
        ring = _search(wait.awaited, path + [wait], done)
        if ring:
            return ring
    done.add(unit.index)
    return None


def _chain(unit: Unit) -> List[Wait]:
    chain: List[Wait] = []
    waits = waits_of(unit)
    while waits:
        chain.append(waits[0])
        waits = waits_of(waits[0].awaited)
    return chain


def deadlock_error(machine: Machine) -> DeadlockError:
    """The error of a graph that cannot move, with its ring of waiting ports."""
    waits = find_ring(machine)
    lines = [f"  {wait.text}" for wait in waits]
    if waits and waits[-1].awaited is not waits[0].unit:
        lines[-1] += ", which has nothing more to send"
    if any(wait.full for wait in waits):
        lines.append(f"A branch that holds values back may need more room than {machine.queue_size} per wire.")
    firings = sum(unit.firings for unit in machine.units)
    return DeadlockError(
        f"deadlock after {firings} firings: no node can fire, and values are left.\n" + "\n".join(lines)
    )


def starving(machine: Machine) -> List[Wait]:
    """Where the units wait that have not fired yet and cannot."""
    idle = (unit for unit in machine.units if not (unit.firings or unit.busy or machine.is_ready(unit)))
    return [waits_of(unit)[0] for unit in idle]
