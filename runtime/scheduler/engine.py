"""Runs a graph of nodes: interpreted from the ready list, or by a static schedule where rates are constant.

Both ways move the same values through the same queues in the same order, so the results are the same bits.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import torch

from ..context import RunContext
from ..errors import DeadlockError, NodeFailure
from ..events import NodeStatistics, NodeStats, Paused, Resumed
from ..node import Node
from .compiled import Program, Step
from .control import FIRING, RunControl
from .deadlock import Wait, deadlock_error, starving
from .live_edits import apply_edits
from .machine import DEFAULT_QUEUE_SIZE, RELEASE, Action, Link, Machine, Unit
from .observer import Observer
from .static_schedule import NotStatic, StaticSchedule, derive
from .torch_threads import torch_threads

COMPLETED = "completed"
STATISTICS_INTERVAL = 1.0
STARVING_AFTER = 1000
PATIENCE = 10.0

SCHEDULERS = ("auto", "static", "queues")


class Engine:
    """One run of a graph.

    Args:
        nodes: In the order of the workflow, set up for the run.
        links: Wires by node id and port name.
        context: The run context, shared by the nodes.
        control: Switches for hosts.
        queue_size: Values that a wire may hold before its writer waits.
        scheduler: ``auto`` takes a static schedule where one exists; ``static`` insists; ``queues`` never does.
        at_safe_point: Called between two firings when no value is in flight; returns a reason to stop, or ``None``.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        links: Sequence[Link],
        context: RunContext,
        control: Optional[RunControl] = None,
        queue_size: int = DEFAULT_QUEUE_SIZE,
        scheduler: str = "auto",
        at_safe_point: Optional[Callable[[], Optional[str]]] = None,
    ):
        self.nodes, self.links = list(nodes), list(links)
        self.context = context
        self.control = control or RunControl()
        self.machine = Machine(self.nodes, self.links, queue_size)
        self.schedule: Optional[StaticSchedule] = None
        self.schedule_reason = ""
        self._scheduler = scheduler
        self._at_safe_point = at_safe_point
        self._next_statistics = STATISTICS_INTERVAL
        self._starvation_reported: Set[str] = set()
        self._pending: Set[asyncio.Future] = set()
        self._stirred: Optional[asyncio.Event] = None
        self._standstill = (0, 0.0)
        self._stepping_firings = False
        self._static_ready: Optional[Tuple[int, ...]] = None
        self._observer = Observer(self.control.watch, self.machine, context)
        self._program: Optional[Program] = None
        self._is_holding = False

    def prepare(self) -> None:
        """Choose the schedule; called once, after the nodes are set up and a resumed state is in place.

        Raises:
            NotStatic: ``scheduler="static"`` and the graph has no static schedule.
            DeadlockError: The graph can be seen to lock before anything runs.
            NodeFailure: A node raised while it gave its initial values.
        """
        if self.context.resumed and not self.context.starts_anew:
            self.machine.settle()
        else:
            for unit in self.machine.units:
                self.machine.deliver(unit, _guarded(unit, unit.node.initial))
        if self._scheduler == "queues":
            self.schedule_reason = "queues were asked for"
            return
        try:
            self.schedule = derive(self.nodes, self.links, self.machine.queue_size, self.machine)
        except NotStatic as reason:
            if self._scheduler == "static":
                raise
            self.schedule_reason = f"queues, because {reason}"
            return
        self.schedule_reason = self.schedule.text
        for wait in self.schedule.starving:
            self._report_starving(wait, "this node never fires in this graph")

    def run(self) -> str:
        """Run to the end in this thread, with an event loop of its own, and return the reason of the end."""
        return asyncio.run(self.run_async())

    async def run_async(self) -> str:
        """Run to the end inside the present event loop.

        Raises:
            NodeFailure: A node raised; the original exception is its cause.
            DeadlockError: Nothing can fire although values are left.
            RateError: A node broke its declared rate.
        """
        with torch_threads(self.context.num_threads), torch.set_grad_enabled(not self.context.inference):
            try:
                if self.schedule is not None:
                    reason = await self._run_static(self.schedule)
                else:
                    reason = await self._run_queues()
            finally:
                await self._cancel_pending()
            self._observer.finish()
            self._send_statistics()
            return reason

    # Static

    async def _run_static(self, schedule: StaticSchedule) -> str:
        self.machine.wake_all()
        self._static_ready = tuple(unit.index for unit in self.machine.ready)
        self.machine.empty_outboxes()
        self._program = Program(self.machine, schedule)
        for steps, ready in self._program:
            if self._stepping_firings:
                await self._step_through(steps)
            else:
                for step in steps:
                    step()
            if ready is not None:
                self._static_ready = ready
                reason = self._look_around()
                if reason is not None or self.control.paused:
                    reason = await self._pause_or_stop(reason)
                if reason is not None:
                    return reason
        self._check_half_filled()
        return COMPLETED

    async def _step_through(self, steps: Iterable[Step]) -> None:
        for step in steps:
            step()
            if self._stepping_firings:
                await self._hold_between_firings()

    # Interpreted

    async def _run_queues(self) -> str:
        self.machine.wake_all()
        self._start_timers()
        reason = None
        while reason is None:
            action = self.machine.next_action()
            if action is None:
                reason = await self._idle()
                continue
            self._act(action)
            may_stop = self.machine.count_action()
            if self._pending:
                await asyncio.sleep(0)
                self._raise_failures()
            if self._stepping_firings:
                await self._hold_between_firings()
            if may_stop:
                reason = await self._safe_point()
        return reason

    async def _idle(self) -> Optional[str]:
        """Nothing can fire now: wait for what is pending, or tell a deadlock from the end."""
        if self._pending:
            await self._wait_for_pending()
            self._report_standstill()
            return await self._safe_point()
        if self.machine.has_leftovers:
            raise deadlock_error(self.machine)
        self._check_half_filled()
        return COMPLETED

    def _report_standstill(self) -> None:
        """Say who waits for whom when only timers are left to move a graph that holds values."""
        firings = sum(unit.firings for unit in self.machine.units if unit.node.interval() is None)
        now = time.perf_counter()
        if firings != self._standstill[0] or self.is_computing or not self.machine.has_leftovers:
            self._standstill = (firings, now)
        elif now - self._standstill[1] > PATIENCE:
            self._standstill = (firings, math.inf)
            self.context.log(
                f"nothing but timers has moved for {PATIENCE:g} s: {deadlock_error(self.machine)}", "warning"
            )

    def _check_half_filled(self) -> None:
        half = [unit.name for unit in self.machine.units if unit.node.is_half_filled()]
        if half:
            raise DeadlockError(
                f"the graph came to a stop while {', '.join(half)} waited for more values: nothing sends any; is a "
                "wire of the cycle missing, or a node of it muted?"
            )

    def _act(self, action: Action) -> None:
        unit, inputs = action.unit, self.machine.begin(action)
        method = unit.node.release if action.kind == RELEASE else unit.node.compute  # type: ignore[attr-defined]
        if unit.is_async[action.kind]:
            task = asyncio.ensure_future(self._act_async(unit, method, inputs))
            task.add_done_callback(lambda _: self._stir())
            self._pending.add(task)
            return
        unit.began = started = time.perf_counter()
        try:
            outputs = unit.checked(method(**inputs))
        except (Exception, SystemExit) as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        self.machine.deliver(unit, outputs)
        unit.seconds += time.perf_counter() - started

    async def _act_async(self, unit: Unit, method: Callable[..., Any], inputs: dict) -> None:
        unit.began = started = time.perf_counter()
        try:
            outputs = unit.checked(await method(**inputs))
        except (Exception, SystemExit) as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        unit.seconds += time.perf_counter() - started
        self.machine.deliver(unit, outputs)

    def _start_timers(self) -> None:
        for unit in self.machine.units:
            if not unit.streams and unit.node.interval() is not None:
                self._pending.add(asyncio.ensure_future(self._tick(unit)))

    async def _tick(self, unit: Unit) -> None:
        while True:
            await asyncio.sleep(unit.node.interval() or 0.0)
            unit.due = True
            self.machine.wake(unit)
            self._stir()

    def _stir(self) -> None:
        if self._stirred is not None:
            self._stirred.set()

    async def _wait_for_pending(self) -> None:
        """Sleep until an asynchronous firing ends or a timer ticks, at most 50 ms so that hosts are heard."""
        self._stirred = asyncio.Event()
        try:
            await asyncio.wait_for(self._stirred.wait(), timeout=0.05)
        except asyncio.TimeoutError:
            self._stirred = None
        self._raise_failures()

    def _raise_failures(self) -> None:
        finished = {task for task in self._pending if task.done()}
        self._pending -= finished
        for task in finished:
            task.result()

    async def _cancel_pending(self) -> None:
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        self._pending.clear()

    @property
    def ready_order(self) -> List[str]:
        """Ids of the nodes that may act now, in their order; part of the resume state."""
        if self._static_ready is not None:
            return [self.nodes[index].id for index in self._static_ready]
        return [unit.node.id for unit in self.machine.ready]

    @property
    def is_computing(self) -> bool:
        """True while an asynchronous firing is under way; its values would be missing from a saved state."""
        return any(unit.busy for unit in self.machine.units)

    # Safe points

    async def _safe_point(self) -> Optional[str]:
        """Edits, statistics, the host's hooks and every reason to stop; then a pause, if one is asked for."""
        return await self._pause_or_stop(self._look_around())

    def _look_around(self) -> Optional[str]:
        """The part of a safe point that every turn of a graph has to pay for, 16 times in an iteration of 25 ms."""
        control, context = self.control, self.context
        if control.has_edits:
            self._apply_edits()
        if control.watch.is_on:
            self._serve_watch()
        elapsed = context.elapsed
        if elapsed >= self._next_statistics:
            self._next_statistics = elapsed + STATISTICS_INTERVAL
            self._send_statistics()
        reason = control.stop_reason
        if reason is None and context.stop_reason is not None:
            reason = context.stop_now
        if reason is None and self._at_safe_point is not None:
            reason = self._at_safe_point()
        return reason

    async def _pause_or_stop(self, reason: Optional[str]) -> Optional[str]:
        if reason is None and self.control.paused and not self._stepping_firings:
            reason = await self._hold(edits=True)
        if reason is not None:
            await self._finish_busy()
        return reason

    async def _finish_busy(self) -> None:
        """Let asynchronous firings end before a stop, so that their values are saved and not lost.

        Raises:
            DeadlockError: One has not ended after `PATIENCE` seconds.
        """
        deadline = time.perf_counter() + PATIENCE
        while self.is_computing:
            if time.perf_counter() > deadline:
                busy = ", ".join(unit.name for unit in self.machine.units if unit.busy)
                raise DeadlockError(f"the run was to stop, but {busy} has not ended its firing for {PATIENCE:g} s")
            await self._wait_for_pending()

    async def _hold(self, edits: bool) -> Optional[str]:
        """Wait for a step, the end of the pause or a stop; edits act at safe points only."""
        self.context.send(Paused, self.context.progress.environment_steps)
        self._is_holding = True
        while self.control.paused and self.control.stop_reason is None:
            size = self.control.take_step()
            if size is not None:
                self._stepping_firings, self._is_holding = size == FIRING, False
                return None
            if edits and self.control.has_edits:
                self._apply_edits()
            self._serve_watch()
            await asyncio.sleep(0.02)
        self._is_holding = False
        self.context.send(Resumed, self.context.progress.environment_steps)
        return self.control.stop_reason

    async def _hold_between_firings(self) -> None:
        """After a single firing hold again; a stop acts at the next safe point."""
        self._stepping_firings = False
        if self.control.paused:
            await self._hold(edits=False)

    def _apply_edits(self) -> None:
        apply_edits(self.control.take_edits(), self.machine, self.context)

    def _serve_watch(self) -> None:
        if self._observer.serve() and self._program is not None:
            self._program.is_outdated = True

    # Reports

    def statistics(self, with_wires: bool = False) -> List[NodeStats]:
        """Firings, seconds and queue depth of every node; any thread may ask."""
        return [
            NodeStats(unit.node.id, unit.node.label, unit.firings, unit.seconds, unit.queued,
                      unit.wire_stats() if with_wires else ())
            for unit in self.machine.units
        ]  # fmt: skip

    def working(self) -> str:
        """Id of the node that computes right now, empty in a pause; any thread may ask."""
        if self._is_holding:
            return ""
        return max(self.machine.units, key=lambda unit: unit.began).node.id

    def _send_statistics(self) -> None:
        self.context.send(NodeStatistics, self.context.progress.environment_steps, tuple(self.statistics()))
        if sum(unit.firings for unit in self.machine.units) >= STARVING_AFTER:
            for wait in starving(self.machine):
                self._report_starving(wait, "this node has not fired yet, while others run")

    def _report_starving(self, wait: Wait, what: str) -> None:
        node_id = wait.unit.node.id
        if node_id not in self._starvation_reported:
            self._starvation_reported.add(node_id)
            self.context.log(f"{what}: {wait.text}, which sends nothing", "warning", node_id)


def _guarded(unit: Unit, method: Callable[[], Any]) -> Dict[str, Any]:
    try:
        return unit.checked(method())
    except (Exception, SystemExit) as error:
        raise NodeFailure(unit.node.id, unit.node.label, error) from error
