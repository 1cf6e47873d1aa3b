"""Runs a graph of nodes: interpreted from the ready list, or by a static schedule where rates are constant.

Both ways move the same values through the same queues in the same order, so the results are the same bits.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Callable, List, Optional, Sequence, Set

import torch

from ..context import RunContext
from ..errors import NodeFailure
from ..events import NodeStatistics, NodeStats, Paused, Resumed
from ..node import Node
from .compiled import Compiler, Section
from .control import FIRING, RunControl
from .deadlock import deadlock_error, starving
from .live_edits import apply_edits
from .machine import DEFAULT_QUEUE_SIZE, RELEASE, Action, Link, Machine, Unit
from .static_schedule import NotStatic, StaticSchedule, derive, never_firing

COMPLETED = "completed"
STATISTICS_INTERVAL = 1.0
STARVING_AFTER = 1000
MAX_ACTIONS_BETWEEN_SAFE_POINTS = 1000

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
        self._pending: Set["asyncio.Future"] = set()
        self._stirred: Optional[asyncio.Event] = None
        self._stepping_firings = False
        self._since_safe_point = 0

    def prepare(self) -> None:
        """Choose the schedule; called once, after the nodes are set up and a resumed state is in place.

        Raises:
            NotStatic: ``scheduler="static"`` and the graph has no static schedule.
            DeadlockError: The graph can be seen to lock before anything runs.
        """
        if not self.context.resumed:
            for unit in self.machine.units:
                self.machine.deliver(unit, unit.node.initial())
        if self._scheduler == "queues":
            self.schedule_reason = "queues were asked for"
            return
        try:
            self.schedule = derive(self.nodes, self.links, self.machine.queue_size, self.machine)
            self.schedule_reason = self.schedule.text
        except NotStatic as reason:
            if self._scheduler == "static":
                raise
            self.schedule_reason = f"queues, because {reason}"
            return
        for unit in never_firing(self.machine, self.schedule):
            self._report_starving(unit.name, "it never fires in this graph")

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
        with _threads(self.context.num_threads), torch.set_grad_enabled(not self.context.inference):
            try:
                if self.schedule is not None and self.schedule.period:
                    reason = await self._run_static(self.schedule)
                else:
                    reason = await self._run_queues()
            finally:
                await self._cancel_pending()
            self._send_statistics()
            return reason

    # Static

    async def _run_static(self, schedule: StaticSchedule) -> str:
        compiler = Compiler(self.machine)
        reason = await self._run_sections(compiler.sections(schedule.prologue))
        period = compiler.sections(schedule.period)
        while reason is None:
            reason = await self._run_sections(period)
        return reason

    async def _run_sections(self, sections: List[Section]) -> Optional[str]:
        for steps, ready in sections:
            for step in steps:
                step()
                if self.control.attention and self.control.paused:
                    await self._hold_between_firings()
            self._section_ready = ready
            reason = await self._safe_point()
            if reason is not None:
                return reason
        return None

    # Interpreted

    async def _run_queues(self) -> str:
        self.machine.wake_all()
        self._start_timers()
        while True:
            action = self.machine.next_action()
            if action is not None:
                await self._act(action)
                reason = await self._after_action()
                if reason is not None:
                    return reason
            elif self._pending:
                await self._wait_for_pending()
                reason = await self._safe_point()
                if reason is not None:
                    return reason
            elif self.machine.has_leftovers:
                raise deadlock_error(self.machine)
            else:
                return COMPLETED

    async def _act(self, action: Action) -> None:
        unit = action.unit
        method = unit.node.release if action.kind == RELEASE else unit.node.compute  # type: ignore[attr-defined]
        inputs = self.machine.begin(action)
        if inspect.iscoroutinefunction(method):
            unit.busy = True
            task = asyncio.ensure_future(self._act_async(unit, method, inputs))
            task.add_done_callback(lambda _: self._stir())
            self._pending.add(task)
            return
        started = self.context.elapsed
        try:
            outputs = method(**inputs)
        except Exception as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        self.machine.deliver(unit, outputs)
        unit.seconds += self.context.elapsed - started

    async def _act_async(self, unit: Unit, method: Callable[..., Any], inputs: dict) -> None:
        started = self.context.elapsed
        try:
            outputs = await method(**inputs)
        except Exception as error:
            raise NodeFailure(unit.node.id, unit.node.label, error) from error
        unit.busy = False
        unit.seconds += self.context.elapsed - started
        self.machine.deliver(unit, outputs)

    async def _after_action(self) -> Optional[str]:
        self._since_safe_point += 1
        if self.control.attention and self.control.paused:
            await self._hold_between_firings()
        if self._pending:
            await asyncio.sleep(0)
            self._raise_failures()
        overdue = self._since_safe_point >= MAX_ACTIONS_BETWEEN_SAFE_POINTS
        if overdue or self.machine.values_in_flight == 0:
            return await self._safe_point()
        return None

    def _start_timers(self) -> None:
        for unit in self.machine.units:
            if unit.is_source and unit.node.interval() is not None:
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
        if self._section_ready is not None:
            return [self.nodes[index].id for index in self._section_ready]
        return [unit.node.id for unit in self.machine.ready]

    @property
    def is_computing(self) -> bool:
        """True while an asynchronous firing is under way; its values would be missing from a saved state."""
        return any(unit.busy for unit in self.machine.units)

    # Safe points

    async def _safe_point(self) -> Optional[str]:
        """Edits, statistics, the host's hooks and every reason to stop; then a pause, if one is asked for."""
        self._since_safe_point = 0
        if self.control.attention:
            self._apply_edits()
        if self.context.elapsed >= self._next_statistics:
            self._next_statistics = self.context.elapsed + STATISTICS_INTERVAL
            self._send_statistics()
        reason = self.control.stop_reason or self.context.stop_reason
        if reason is None and self._at_safe_point is not None:
            reason = self._at_safe_point()
        if reason is None and self.control.paused:
            reason = await self._hold()
        if reason is not None and self.is_computing:
            return await self._finish_busy(reason)
        return reason

    async def _finish_busy(self, reason: str) -> str:
        """Let asynchronous firings end before a stop, so that their values are saved and not lost."""
        while self.is_computing:
            await self._wait_for_pending()
        return reason

    async def _hold(self) -> Optional[str]:
        if self._stepping_firings:
            return self.control.stop_reason
        self.context.send(Paused, self.context.progress.environment_steps)
        while self.control.paused and self.control.stop_reason is None:
            size = self.control.take_step()
            if size is not None:
                self._stepping_firings = size == FIRING
                return None
            self._apply_edits()
            await asyncio.sleep(0.02)
        self.context.send(Resumed, self.context.progress.environment_steps)
        return self.control.stop_reason

    async def _hold_between_firings(self) -> None:
        """While single firings are asked for, hold after each; the host's stop acts at the next safe point."""
        if not self._stepping_firings:
            return
        self._stepping_firings = False
        await self._hold()

    def _apply_edits(self) -> None:
        apply_edits(self.control.take_edits(), self.machine, self.context)

    # Reports

    def statistics(self) -> List[NodeStats]:
        """Firings, seconds and queue depth of every node."""
        return [
            NodeStats(unit.node.id, unit.node.label, unit.firings, unit.seconds, unit.queued)
            for unit in self.machine.units
        ]

    def _send_statistics(self) -> None:
        self.context.send(NodeStatistics, self.context.progress.environment_steps, tuple(self.statistics()))
        if sum(unit.firings for unit in self.machine.units) >= STARVING_AFTER:
            for line in starving(self.machine):
                self._report_starving(line, "while other nodes run")

    def _report_starving(self, name: str, reason: str) -> None:
        if name not in self._starvation_reported:
            self._starvation_reported.add(name)
            self.context.log(f"{name}: {reason}", "warning")


class _threads:
    """Sets torch's threads in this thread for the time of a run (torch keeps the number per thread)."""

    def __init__(self, number: int):
        self.number = number

    def __enter__(self) -> None:
        self.before = torch.get_num_threads()
        torch.set_num_threads(self.number)

    def __exit__(self, *_: Any) -> None:
        torch.set_num_threads(self.before)
