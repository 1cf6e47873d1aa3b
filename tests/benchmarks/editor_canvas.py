"""How long 500 nodes take to open in the canvas, and how long a frame of panning takes.

    QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.editor_canvas [NODES]

Panning is measured at the zoom that shows the whole graph, half of it, and at 100 %: each frame moves the view by some
pixels and paints it at once. Targets: open < 2.5 s, pan p95 < 40 ms.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Dict, List

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

import nodes
from app.canvas.canvas import Canvas
from app.canvas.tools import MoveTool
from app.document import Document
from app.session import EditorSession
from runtime.graph import is_link
from runtime.registry import discover
from runtime.workflow import NodeEntry, Workflow, load_workflow

EXAMPLE = Path(__file__).parents[2] / "examples" / "cartpole_ppo.json"
COLUMNS, WIDTH, HEIGHT = 7, 1560.0, 420.0
FRAMES = 120


def large_workflow(count: int) -> Workflow:
    """Copies of the reference graph, side by side, until there are ``count`` nodes."""
    example = load_workflow(EXAMPLE)
    found: Dict[str, NodeEntry] = {}
    copy = 0
    while len(found) < count:
        for entry in list(example.nodes.values())[: count - len(found)]:
            node_id = str(copy * 10 + int(entry.id))
            inputs = {
                name: [str(copy * 10 + int(value[0])), value[1]] if is_link(value) else value
                for name, value in entry.inputs.items()
            }
            x, y = entry.position
            place = (x + copy % COLUMNS * WIDTH, y + copy // COLUMNS * HEIGHT)
            found[node_id] = NodeEntry(node_id, entry.class_type, inputs, entry.title, place)
        copy += 1
    return Workflow("Large", found)


def open_time(session: EditorSession, canvas: Canvas, workflow: Workflow) -> float:
    """Seconds from the document to the first painted frame."""
    start = time.perf_counter()
    session.set_document(Document(workflow))
    QApplication.processEvents()
    canvas.viewer.viewport().repaint()
    return time.perf_counter() - start


def pan_times(canvas: Canvas, zoom: float) -> List[float]:
    """Seconds of each frame."""
    viewer = canvas.viewer
    viewer.set_zoom_at(zoom, QPointF(viewer.viewport().rect().center()))
    viewer.centre_on(canvas.items.bounds().center())
    QApplication.processEvents()
    taken = []
    for frame in range(FRAMES):
        start = time.perf_counter()
        direction = 1 if frame % 40 < 20 else -1
        viewer.pan(QPointF(9 * direction, 7 * direction))
        viewer.viewport().repaint()
        QApplication.processEvents()
        taken.append(time.perf_counter() - start)
    return taken


def drag_times(canvas: Canvas) -> List[float]:
    """Seconds of each frame while one node of the graph is dragged, with its wires and feedback lanes laid anew."""
    node_id = list(canvas.items.nodes)[len(canvas.items.nodes) // 2]
    item = canvas.items.nodes[node_id]
    canvas.viewer.set_zoom_at(0.6, QPointF(canvas.viewer.viewport().rect().center()))
    canvas.viewer.centre_on(item.card.center())
    QApplication.processEvents()
    start = item.card.center()
    tool = MoveTool(canvas, start, item.pos(), [node_id], ())
    taken = []
    for frame in range(FRAMES):
        begin = time.perf_counter()
        tool.move(start + QPointF(20.0 * (frame % 10 + 1), 20.0 * (frame % 7)), Qt.KeyboardModifier.NoModifier)
        QApplication.processEvents()
        taken.append(time.perf_counter() - begin)
    tool.cancel()
    return taken


def p95(values: List[float]) -> float:
    """The value that 95 % do not exceed."""
    return sorted(values)[int(len(values) * 0.95)]


def main(count: int) -> None:
    """Measure and print."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    session = EditorSession()
    session.set_registry(discover([nodes]))
    canvas = Canvas(session)
    canvas.resize(1366, 768)
    canvas.show()
    QApplication.processEvents()
    workflow = large_workflow(count)
    seconds = open_time(session, canvas, workflow)
    print(f"open: {len(workflow.nodes)} nodes, {len(canvas.items.wires)} wires: {seconds:.2f} s (target < 2.5 s)")
    whole = canvas.viewer.zoom
    for zoom in (whole, 2 * whole, 0.4, 0.6, 1.0):
        taken = pan_times(canvas, zoom)
        print(
            f"pan at zoom {zoom:.2f}: mean {1e3 * sum(taken) / len(taken):.1f} ms, p95 {1e3 * p95(taken):.1f} ms (< 40)"
        )
    taken = drag_times(canvas)
    print(f"drag a node at zoom 0.60: mean {1e3 * sum(taken) / len(taken):.1f} ms, p95 {1e3 * p95(taken):.1f} ms")
    canvas.close()
    app.processEvents()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
