"""The canvas's commands for groups, arranging and looking."""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Tuple

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF

from ..document import Change, edits
from ..document.layout import arrange
from .canvas_base import CanvasBase
from .group_item import TITLE_HEIGHT
from .looks import IN, OUT
from .routing import STYLES
from .theme import GROUP_COLOURS
from .tools import bounding

GROUP_MARGIN = 20.0
ZOOM_STEP = 1.25
EDGES = ("left", "right", "top", "bottom", "centre", "middle")
AXES = {"horizontal": 0, "vertical": 1}


class ViewCommands(CanvasBase):
    """Groups, align and distribute, layout, zoom."""

    # Groups

    def group_selection(self, title: str = "Group") -> Optional[int]:
        """Put a group around the selected nodes; returns its index."""
        if not self.selection:
            self.session.message.emit("Select the nodes that the group is to hold")
            return None
        rect = self.items.bounds(self.selection)
        rect = rect.adjusted(-GROUP_MARGIN, -GROUP_MARGIN - TITLE_HEIGHT, GROUP_MARGIN, GROUP_MARGIN)
        return self.add_group(QRectF(self.snapped(rect.topLeft()), rect.bottomRight()), title)

    def add_group(self, rect: QRectF, title: str = "Group") -> Optional[int]:
        """Put a group at a place; returns its index."""
        changes = edits.add_group(self.session.workflow, title, GROUP_COLOURS["Blue"], bounding(rect))
        if not self.edit("Add group", changes):
            return None
        index = len(self.items.groups) - 1
        self.select_group(index)
        return index

    def set_group_title(self, index: int, title: str) -> None:
        """Rename a group."""
        self.edit("Rename group", edits.change_group(self.session.workflow, index, title=title.strip() or "Group"))

    def set_group_colour(self, index: int, colour: str) -> None:
        """Give a group another colour, ``#rrggbb``."""
        self.edit("Recolour group", edits.change_group(self.session.workflow, index, colour=colour))

    def delete_group(self, index: int) -> None:
        """Remove a group; its nodes stay."""
        if self.edit("Delete group", edits.delete_group(self.session.workflow, index)):
            self.select_group(None)

    # Arranging

    def _sizes(self, node_ids: Iterable[str]) -> Dict[str, Tuple[float, float]]:
        geometry = {node_id: self.items.nodes[node_id].geometry for node_id in node_ids}
        return {node_id: (parts.width, parts.height) for node_id, parts in geometry.items()}

    def align(self, edge: str) -> None:
        """Bring the selected nodes to one line: left, right, top, bottom, centre (x) or middle (y)."""
        if len(self.selection) > 1:
            self.edit(f"Align {edge}", edits.align(self.session.workflow, self._sizes(self.selection), edge))

    def distribute(self, axis: str) -> None:
        """Make the gaps between the selected nodes equal; ``horizontal`` or ``vertical``."""
        if len(self.selection) > 2:
            sizes = self._sizes(self.selection)
            self.edit(f"Distribute {axis}ly", edits.distribute(self.session.workflow, sizes, AXES[axis]))

    def auto_layout(self) -> None:
        """Arrange all nodes in columns, from left to right, and show them."""
        if not self.items.nodes:
            return
        places = arrange(self.session.workflow, self._sizes(self.items.nodes))
        rounded = {node_id: self.snapped(QPointF(*place)).toTuple() for node_id, place in places.items()}
        if self.edit("Arrange nodes", edits.move_nodes(rounded)):
            self.zoom_to_fit()

    # View settings, kept in the document

    def set_wire_style(self, style: str) -> None:
        """Draw wires ``curved``, ``angled`` or ``straight``."""
        if style in STYLES and style != self.items.wire_style:
            self._set_view("Wire style", "wire_style", style)

    @property
    def wire_style(self) -> str:
        """How wires are drawn."""
        return self.items.wire_style

    def set_snap(self, on: bool) -> None:
        """Put nodes on the grid when they are moved."""
        if on != self.snaps:
            self._set_view("Snap to grid" if on else "Do not snap to grid", "snap_to_grid", on)

    def _set_view(self, label: str, key: str, value: object) -> None:
        self.edit(label, [Change(("view",), {**self.session.workflow.view, key: value})])

    # Looking

    def zoom_to_fit(self) -> None:
        """Show everything."""
        rect = self.items.bounds()
        if rect.isEmpty():
            self.zoom_reset()
            self.viewer.centre_on(QPointF(0, 0))
        else:
            self.viewer.show_rect(rect)

    def zoom_to_selection(self) -> None:
        """Show the selected nodes; everything where none are selected."""
        if self.selection:
            self.viewer.show_rect(self.items.bounds(self.selection), largest=1.25)
        else:
            self.zoom_to_fit()

    def zoom_in(self) -> None:
        """Larger, around the middle."""
        self._zoom(self.viewer.zoom * ZOOM_STEP)

    def zoom_out(self) -> None:
        """Smaller, around the middle."""
        self._zoom(self.viewer.zoom / ZOOM_STEP)

    def zoom_reset(self) -> None:
        """To 100 %."""
        self._zoom(1.0)

    def _zoom(self, zoom: float) -> None:
        self.viewer.set_zoom_at(zoom, QPointF(self.viewer.viewport().rect().center()))

    def select_all(self) -> None:
        """Select all nodes."""
        self.select_nodes(self.session.workflow.nodes)

    def select_none(self) -> None:
        """Select nothing."""
        self.select_nodes([])

    # Places on the screen

    def node_rect(self, node_id: str) -> QRect:
        """A node's card in global coordinates of the screen."""
        shape = self.viewer.mapFromScene(self.items.nodes[node_id].card)
        rect = shape.boundingRect()
        return QRect(self.viewer.viewport().mapToGlobal(rect.topLeft()), rect.size())

    def port_position(self, node_id: str, port: str, kind: str) -> QPoint:
        """A port's centre in global coordinates of the screen. ``kind``: ``in`` or ``out``."""
        side = IN if kind.startswith("in") else OUT
        item = self.items.nodes[node_id]
        place = item.geometry.ports[(side, port)] + item.pos()
        return self.global_position(place)

    def global_position(self, scene_position: QPointF) -> QPoint:
        """A scene position in global coordinates of the screen."""
        return self.viewer.viewport().mapToGlobal(self.viewer.mapFromScene(scene_position))
