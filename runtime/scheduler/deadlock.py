"""Says who waits for whom when nothing can fire, and which nodes starve."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

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
        """``5 Step waits at its input 'trigger' for 6 Trainer (port 'trigger')``."""
        if self.full:
            return (
                f"{self.unit.name} waits to write '{self.port}': the queue of {self.awaited.name} "
                f"(port '{self.awaited_port}') is full"
            )
        return f"{self.unit.name} waits at its input '{self.port}' for {self.awaited.name} (port '{self.awaited_port}')"


def waits_of(unit: Unit) -> List[Wait]:
    """What keeps a unit from acting, port by port."""
    waits = [Wait(unit, q.link.source_port, q.target, q.link.target_port, True) for q, _ in unit.outbox]
    if unit.unreleased and not unit.triggers:
        waits += [Wait(unit, w.link.target_port, w.source, w.link.source_port) for w in unit.trigger_wires]
    if unit.fires_on_any and any(queue.items for queue in unit.streams):
        return waits
    for wire in unit.streams:
        if not wire.items:
            waits.append(Wait(unit, wire.link.target_port, wire.source, wire.link.source_port))
    for slot in unit.held:
        if not slot.written:
            waits.append(Wait(unit, slot.link.target_port, slot.source, slot.link.source_port))
    return waits


def find_ring(machine: Machine) -> List[Wait]:
    """A ring of waiting ports, or the longest chain found where the waiting ends at a node that is done."""
    longest: List[Wait] = []
    for start in sorted(machine.units, key=lambda unit: not (unit.queued or unit.unreleased or unit.outbox)):
        path: List[Wait] = []
        ring = _search(start, path, set())
        if ring:
            return ring
        if (start.queued or start.unreleased or start.outbox) and not longest:
            longest = waits_of(start)
    return longest


def _search(unit: Unit, path: List[Wait], done: set) -> Optional[List[Wait]]:
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


def deadlock_error(machine: Machine) -> DeadlockError:
    """The error of a graph that cannot move, with its ring of waiting ports."""
    ring = find_ring(machine)
    lines = "\n".join(f"  {wait.text}" for wait in ring)
    firings = sum(unit.firings for unit in machine.units)
    return DeadlockError(f"deadlock after {firings} firings: no node can fire, and values are left.\n{lines}")


def starving(machine: Machine) -> List[str]:
    """A line for each node that has not fired yet, with the port at which it waits."""
    lines = []
    for unit in machine.units:
        if unit.firings == 0 and not machine.is_ready(unit) and not unit.busy:
            lines += [f"{wait.text}, which has sent nothing" for wait in waits_of(unit)[:1]]
    return lines
