"""Tools of the left mouse button: move nodes and groups, resize a group, select with a rubber band."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Dict, Iterable, List, Optional

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsRectItem

from ..document import Change, edits
from .canvas_base import CanvasBase
from .group_item import SMALLEST, GroupItem
from .inserting import insertion, wire_below
from .looks import WireKey
from .viewer import Tool

DRAG_PIXELS = 4.0
Z_BAND = 20.0


def extends(modifiers: Qt.KeyboardModifier) -> bool:
    """Shift or Ctrl: add to the selection instead of replacing it."""
    return bool(modifiers & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier))


class MoveTool(Tool):
    """Moves nodes and groups together; the document hears of it once, at the end."""

    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(
        self, canvas: CanvasBase, start: QPointF, anchor: QPointF, node_ids: Iterable[str], groups: Iterable[int]
    ):
        """Begin.

        Args:
            canvas: Where.
            start: The mouse.
            anchor: The corner that is put on the grid.
            node_ids, groups: What moves.
        """
        self.canvas, self.start, self.anchor = canvas, start, anchor
        items = canvas.items
        self.nodes: Dict[str, QPointF] = {node_id: items.nodes[node_id].pos() for node_id in node_ids}
        self.groups: Dict[int, QRectF] = {index: QRectF(items.groups[index].rect) for index in groups}
        self.moved = False
        self.shift = QPointF()
        self.wire: Optional[WireKey] = None

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """Show the nodes at their new places."""
        distance = position - self.start
        if not self.moved and math.hypot(distance.x(), distance.y()) * self.canvas.viewer.zoom < DRAG_PIXELS:
            return
        if self.canvas.locked:
            return
        self.moved = True
        self._show(self.canvas.snapped(self.anchor + distance) - self.anchor)
        self._mark_wire(self._wire_below())

    def _wire_below(self) -> Optional[WireKey]:
        """The wire into which the one loose node that moves would go."""
        node_id = next(iter(self.nodes), "")
        if len(self.nodes) != 1 or self.groups or self.canvas.items.wires_of.get(node_id):
            return None
        return wire_below(self.canvas, self.canvas.items.node_class(node_id), self.canvas.items.nodes[node_id].card)

    def _mark_wire(self, place: Optional[WireKey]) -> None:
        for old, on in ((self.wire, False), (place, True)):
            if old in self.canvas.items.wires:
                self.canvas.items.wires[old].set_state(hovered=on)  # type: ignore[index]
        self.wire = place

    def _show(self, shift: QPointF) -> None:
        if shift == self.shift:
            return
        self.shift = shift
        items = self.canvas.items
        for node_id, origin in self.nodes.items():
            items.nodes[node_id].setPos(origin + shift)
        for index, rect in self.groups.items():
            items.groups[index].set_rect(rect.translated(shift))
        items.lay_wires(self.nodes)

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """One undo step for the whole drag; a click without a drag selects the one node."""
        if not self.moved:
            self._clicked(modifiers)
        elif self.shift != QPointF():
            places = {node_id: (origin + self.shift).toTuple() for node_id, origin in self.nodes.items()}
            changes = edits.move_nodes(places) + self._group_changes()
            label = _move_label(len(self.nodes), len(self.groups))
            if self.wire is not None:
                node_id = next(iter(self.nodes))
                node_class = self.canvas.items.node_class(node_id)
                assert node_class is not None, "only a node of a known type fits into a wire"
                changes += insertion(self.canvas, node_id, node_class, self.wire)
                label = f"Insert {self.canvas.items.nodes[node_id].look.title}"
            self._mark_wire(None)
            if not self.canvas.edit(label, changes):
                self.cancel()
        else:
            self.canvas.items.lay_wires()

    def _clicked(self, modifiers: Qt.KeyboardModifier) -> None:
        hit = self.canvas.hit(self.start)
        if hit.node_id and not extends(modifiers):
            self.canvas.select_nodes([hit.node_id])

    def _group_changes(self) -> List[Change]:
        if not self.groups:
            return []
        groups = deepcopy(self.canvas.session.workflow.groups)
        for index, rect in self.groups.items():
            groups[index]["bounding"] = bounding(rect.translated(self.shift))
        return [Change(("groups",), groups)]

    def cancel(self) -> None:
        """Everything goes back."""
        self._mark_wire(None)
        self._show(QPointF())


def _move_label(nodes: int, groups: int) -> str:
    if groups:
        return "Move group"
    return "Move node" if nodes == 1 else f"Move {nodes} nodes"


def bounding(rect: QRectF) -> List[float]:
    """A rectangle as the document writes it."""
    return [float(round(number, 1)) for number in (rect.x(), rect.y(), rect.width(), rect.height())]


class ResizeTool(Tool):
    """Draws a group's lower right corner."""

    cursor = Qt.CursorShape.SizeFDiagCursor

    def __init__(self, canvas: CanvasBase, group: GroupItem, start: QPointF):
        self.canvas, self.group, self.before = canvas, group, QRectF(group.rect)
        self.grip = group.rect.bottomRight() - start

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """Show the new size."""
        if self.canvas.locked:
            return
        corner = self.canvas.snapped(position + self.grip)
        width = max(corner.x() - self.before.x(), SMALLEST[0])
        height = max(corner.y() - self.before.y(), SMALLEST[1])
        self.group.set_rect(QRectF(self.before.x(), self.before.y(), width, height))

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """One undo step."""
        if self.group.rect != self.before:
            workflow = self.canvas.session.workflow
            changes = edits.change_group(workflow, self.group.index, bounding=bounding(self.group.rect))
            self.canvas.edit("Resize group", changes)

    def cancel(self) -> None:
        """The old size."""
        self.group.set_rect(self.before)


class BandTool(Tool):
    """Selects the nodes that a rectangle touches."""

    def __init__(self, canvas: CanvasBase, start: QPointF, modifiers: Qt.KeyboardModifier):
        self.canvas, self.start = canvas, start
        self.before: List[str] = canvas.selection if extends(modifiers) else []
        self.band = QGraphicsRectItem()
        fill = QColor(canvas.theme.accent)
        fill.setAlpha(36)
        pen = QPen(canvas.theme.accent, 1.0)
        pen.setCosmetic(True)
        self.band.setPen(pen)
        self.band.setBrush(fill)
        self.band.setZValue(Z_BAND)
        canvas.select_nodes(self.before)

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """Select what is inside now."""
        rect = QRectF(self.start, position).normalized()
        if self.band.scene() is None:
            self.canvas.items.scene.addItem(self.band)
        self.band.setRect(rect)
        nodes = self.canvas.items.nodes
        inside = [node_id for node_id in self.canvas.session.workflow.nodes if nodes[node_id].card.intersects(rect)]
        self.canvas.session.select(list(dict.fromkeys(self.before + inside)))

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """The selection stays."""
        if self.band.scene() is not None:
            self.canvas.items.scene.removeItem(self.band)

    def cancel(self) -> None:
        """The earlier selection."""
        self.release(self.start, Qt.KeyboardModifier.NoModifier)
        self.canvas.session.select(self.before)
