"""What the canvas shows of a run: who works, who takes the time, what waits, what travels, and where it failed."""

from __future__ import annotations

from typing import Dict, List, Optional, Set, Tuple

from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, Signal
from PySide6.QtWidgets import QGraphicsItem

from runtime.events import LiveStatistics, NodeStatistics, ProbeSample

from .canvas import Canvas
from .hits import PORT, WIRE, Hit
from .looks import OUT
from .node_rates import NodeRates
from .probe_placing import find_place
from .run_items import PROBE_SIZE, NodeOverlay, ProbeItem, QueueChip

Output = Tuple[str, str]
TOO_SHORT = 0.4


class RunDisplay(QObject):
    """Overlays of one canvas.

    Signals:
        outputs_changed: The outputs (node id, port) whose values are wanted: pinned and hovered ones.
        failure_clicked: The badge of the failed node was clicked.
    """

    outputs_changed = Signal(list)
    failure_clicked = Signal()

    def __init__(self, canvas: Canvas):
        super().__init__(canvas)
        self._canvas = canvas
        self._probes: Dict[Output, ProbeItem] = {}
        self._hovered: Optional[Output] = None
        self._measured = NodeRates()
        self._shares: Dict[str, float] = {}
        self._rates: Dict[str, float] = {}
        self._working = ""
        self._failed = ""
        self._shows_heat = self._is_running = False
        canvas.hover_settled.connect(self._on_hover)
        canvas.probe_toggled.connect(self.toggle)
        canvas.badge_pressed = self._press
        canvas.session.document_replaced.connect(self.clear)
        canvas.session.document_changed.connect(self._on_changes)
        canvas.viewer.view_changed.connect(self._place_all)

    # A run's course

    def begin(self) -> None:
        """A run starts: forget the last one."""
        self._measured, self._shares, self._rates = NodeRates(), {}, {}
        self._working, self._is_running = "", True
        for probe in self._probes.values():
            probe.samples.clear()
        self.show_failure("")
        self._keep_pixels(True)
        self._refresh()

    def begin_clock(self, time: float) -> None:
        """The first node is about to fire, so many seconds after the start of the run."""
        self._measured = NodeRates(time)

    def end(self) -> None:
        """The run is over: nobody works, and what stays of the figures are the run's averages."""
        self._is_running, self._working = False, ""
        self._shares, self._rates = self._measured.average()
        self._keep_pixels(False)
        for wire in self._canvas.items.wires.values():
            if isinstance(wire.overlay, QueueChip):
                wire.overlay.set_state(0, 0)
        self._refresh()

    def show_statistics(self, event: NodeStatistics) -> None:
        """Bring rates, shares and queues up to date, a few times a second and where the run holds."""
        elapsed = event.time - self._measured.time
        is_at_work = isinstance(event, LiveStatistics) and bool(event.working)
        if elapsed < TOO_SHORT and self._is_running and is_at_work:
            return
        if elapsed >= TOO_SHORT:
            self._measured.add(event.time, event.nodes)
            self._shares, self._rates = self._measured.recent()
        if isinstance(event, LiveStatistics) and self._is_running:
            self._working = event.working
            self._show_queues(event)
        self._refresh()

    def _show_queues(self, event: NodeStatistics) -> None:
        depths = {(node.node_id, wire.port): wire for node in event.nodes for wire in node.wires}
        for wire in self._canvas.items.wires.values():
            depth = depths.get((wire.look.target, wire.look.port))
            if depth is None or (not depth.queued and wire.overlay is None):
                continue
            if not isinstance(wire.overlay, QueueChip):
                wire.overlay = QueueChip(wire)
            wire.overlay.set_state(depth.queued, depth.limit)

    def _keep_pixels(self, on: bool) -> None:
        """Wires lie under most of what changes in a run, and are dear to draw."""
        modes = QGraphicsItem.CacheMode
        for wire in self._canvas.items.wires.values():
            wire.setCacheMode(modes.DeviceCoordinateCache if on else modes.NoCache)

    def _refresh(self) -> None:
        for node_id, item in self._canvas.items.nodes.items():
            known = node_id in self._rates or node_id == self._failed or self._shares.get(node_id)
            if not known and not isinstance(item.overlay, NodeOverlay):
                continue
            overlay = self._overlay(node_id)
            share, rate = self._shares.get(node_id, 0.0), self._rates.get(node_id)
            average = "" if self._is_running else "average "
            text = "" if rate is None else f"{average}{_rate(rate)}  ·  {100 * share:.0f} %"
            overlay.set_state(text, share, node_id == self._working, self._shows_heat)

    def _overlay(self, node_id: str) -> NodeOverlay:
        item = self._canvas.items.nodes[node_id]
        if not isinstance(item.overlay, NodeOverlay):
            item.overlay = NodeOverlay(item)
        return item.overlay

    @property
    def working_title(self) -> str:
        """Title of the node that was computing when it was last heard of; empty where none is known."""
        item = self._canvas.items.nodes.get(self._working)
        return item.look.title if item is not None else ""

    def set_heat(self, on: bool) -> None:
        """Tint every node by its share of the time, or do not."""
        self._shows_heat = on
        self._refresh()

    def clear(self) -> None:
        """Another document: nothing is known of it."""
        for output in list(self._probes):
            self._remove(output)
        self._measured, self._shares, self._rates, self._working, self._failed = NodeRates(), {}, {}, "", ""
        self._hovered = None
        self._tell()

    # Failure

    def show_failure(self, node_id: str) -> None:
        """Put the red badge on this node; on none where it is empty."""
        nodes = self._canvas.items.nodes
        if self._failed in nodes:
            self._overlay(self._failed).set_failed(False)
        self._failed = node_id
        if node_id in nodes:
            self._overlay(node_id).set_failed(True)

    def _press(self, position: QPointF) -> bool:
        item = self._canvas.items.nodes.get(self._failed)
        overlay = item.overlay if item is not None else None
        if isinstance(overlay, NodeOverlay) and overlay.has_failed and overlay.badge.contains(position):
            self.failure_clicked.emit()
            return True
        return False

    # Probes

    @property
    def pinned(self) -> List[Output]:
        """Outputs with a pinned probe."""
        return [output for output, probe in self._probes.items() if probe.is_pinned]

    @property
    def wanted(self) -> List[Output]:
        """Outputs whose values are wanted now."""
        return [*self.pinned, *([self._hovered] if self._hovered and self._hovered not in self.pinned else [])]

    def probe(self, output: Output) -> Optional[ProbeItem]:
        """The probe of an output, if one is shown."""
        return self._probes.get(output)

    def toggle(self, node_id: str, port: str) -> None:
        """Pin a probe to an output, or take it off."""
        output = (node_id, port)
        probe = self._probes.get(output) or self._new_probe(output)
        probe.is_pinned = not probe.is_pinned
        probe.update()
        if not probe.is_pinned and output != self._hovered:
            self._remove(output)
        self._tell()

    def unpin_all(self) -> None:
        """Take all probes off."""
        for output in self.pinned:
            self.toggle(*output)

    def show_sample(self, sample: ProbeSample) -> None:
        """A value came through."""
        probe = self._probes.get((sample.node_id, sample.port))
        if probe is not None:
            probe.add(sample)

    def _on_hover(self, hit: object) -> None:
        output = self._output_of(hit) if self._is_running and isinstance(hit, Hit) else None
        if output == self._hovered:
            return
        before, self._hovered = self._hovered, output
        if before is not None and before in self._probes and not self._probes[before].is_pinned:
            self._remove(before)
        if output is not None and output not in self._probes:
            self._new_probe(output)
        self._tell()

    def _output_of(self, hit: Hit) -> Optional[Output]:
        wires = self._canvas.items.wires
        if hit.kind == WIRE and hit.place in wires:
            look = wires[hit.place].look
            return (look.source, look.output)
        if hit.kind == PORT and hit.port is not None:
            if hit.port.side == OUT:
                return (hit.node_id, hit.port.name)
            sources = [w.look for w in wires.values() if (w.look.target, w.look.port) == (hit.node_id, hit.port.name)]
            return (sources[0].source, sources[0].output) if sources else None
        return None

    def _new_probe(self, output: Output) -> ProbeItem:
        node = self._canvas.items.nodes.get(output[0])
        title = f"{node.look.title if node else output[0]}.{output[1]}"
        probe = ProbeItem(title, self._canvas)
        self._probes[output] = probe
        self._canvas.items.scene.addItem(probe)
        self._place(output)
        return probe

    def _place(self, output: Output) -> None:
        """Near the middle of the output's first wire, or near the port where it has none; where it hides least."""
        items = self._canvas.items
        wires = [wire for wire in items.wires.values() if (wire.look.source, wire.look.output) == output]
        if wires:
            place = wires[0].middle + QPointF(14, 14)
        elif output[0] in items.nodes:
            place = items.nodes[output[0]].port_place(OUT, output[1]) + QPointF(14, 14)
        else:
            return
        size = QSizeF(*PROBE_SIZE) / self._canvas.viewer.zoom
        taken = [QRectF(other.pos(), size) for key, other in self._probes.items() if key != output]
        cards = (item.card for item in items.nodes.values())
        self._probes[output].setPos(find_place(place, size, cards, taken))

    def _remove(self, output: Output) -> None:
        probe = self._probes.pop(output)
        if probe.scene() is not None:
            probe.scene().removeItem(probe)

    def _on_changes(self, _: object) -> None:
        nodes: Set[str] = set(self._canvas.items.nodes)
        gone = [output for output in self._probes if output[0] not in nodes]
        for output in gone:
            self._remove(output)
        self._place_all()
        if gone:
            self._tell()

    def _place_all(self) -> None:
        """Side by side at this zoom; first those that were there first."""
        probes, self._probes = self._probes, {}
        for output, probe in probes.items():
            self._probes[output] = probe
            self._place(output)

    def _tell(self) -> None:
        self.outputs_changed.emit(self.wanted)


def _rate(rate: float) -> str:
    if rate >= 10_000:
        return f"{rate / 1000:,.0f}k/s"
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s"
