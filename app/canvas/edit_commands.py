"""The canvas's commands that change nodes and wires; each is one undo step."""

from __future__ import annotations

from collections import defaultdict
from typing import Dict, Iterable, List, Optional, Tuple

from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication

from ..document import ABSENT, Change, edits
from .canvas_base import CanvasBase
from .clipboard import corner, read_nodes, write_nodes
from .group_contents import contents_of
from .inserting import insertion, wire_below_point
from .looks import WireKey
from .node_geometry import REROUTE_RADIUS
from .viewer import GRID

DUPLICATE_OFFSET = (2.0 * GRID, 2.0 * GRID)


class EditCommands(CanvasBase):
    """Add, delete, copy, paste, connect, mute, collapse."""

    # Nodes

    def add_node(self, class_type: str, scene_pos: Optional[QPointF] = None) -> Optional[str]:
        """Put a node of a type on the canvas and select it.

        Args:
            class_type: Name of the node type.
            scene_pos: Its upper left corner; at the cursor where none is given.

        Returns:
            The new id; ``None`` if the type is not known or the canvas is locked.
        """
        node_class = self.session.node_class(class_type)
        if node_class is None:
            self.session.message.emit(f"There is no node type {class_type!r}")
            return None
        place = self.snapped(self._free_place() if scene_pos is None else scene_pos)
        node_id, changes = edits.add_node(self.session.workflow, node_class, place.toTuple())
        if not self.edit(f"Add {node_class.title}", changes):
            return None
        self.select_nodes([node_id])
        return node_id

    def drop_node(self, class_type: str, position: QPointF) -> Optional[str]:
        """Put a node of a type where it was dropped; on a wire that it fits into, between its ends."""
        node_class = self.session.node_class(class_type)
        place = wire_below_point(self, node_class, position)
        if node_class is None or place is None:
            return self.add_node(class_type, position - QPointF(20, 20))
        corner_of_card = self.snapped(position - QPointF(20, 20)).toTuple()
        node_id, changes = edits.add_node(self.session.workflow, node_class, corner_of_card)
        changes += insertion(self, node_id, node_class, place)
        if not self.edit(f"Insert {node_class.title}", changes):
            return None
        self.select_nodes([node_id])
        return node_id

    def _free_place(self) -> QPointF:
        """The place for a new node, a little further down where one stands already."""
        place = self.place_for_new() - QPointF(20, 20)
        while any((item.pos() - place).manhattanLength() < GRID for item in self.items.nodes.values()):
            place += QPointF(2 * GRID, 2 * GRID)
        return place

    def add_connected(
        self, class_type: str, position: QPointF, near: Tuple[str, str], port: str, from_output: bool
    ) -> Optional[str]:
        """Put a node on the canvas and wire it, in one step.

        Args:
            class_type: Name of the node type.
            position: Where the wire was let go: the new port lies about there.
            near: Node and port at the other end of the wire.
            port: The new node's port.
            from_output: True if ``near`` is an output.
        """
        node_class = self.session.node_class(class_type)
        if node_class is None:
            return None
        shift = QPointF(20, -54) if from_output else QPointF(-200, -54)
        place = self.snapped(position + shift)
        node_id, changes = edits.add_node(self.session.workflow, node_class, place.toTuple())
        if from_output:
            changes += edits.connect(near, (node_id, port))
        else:
            changes += edits.connect((node_id, port), (near[0], self.items.document_key(*near)))
        if not self.edit(f"Add {node_class.title}", changes):
            return None
        self.select_nodes([node_id])
        return node_id

    def delete_selection(self) -> None:
        """Remove the selected nodes and wires, or else the selected group (its nodes stay)."""
        chosen = self.selection
        loose = [place for place in self.active_wires if place in self.items.wires and place[0] not in chosen]
        if chosen or loose:
            label = _count("Delete", len(chosen), "node") if chosen else _count("Delete", len(loose), "wire")
            if self.edit(label, self._deletion(chosen, loose)):
                self.select_wires(())
        elif self.active_group is not None and self.edit(
            "Delete group", edits.delete_group(self.session.workflow, self.active_group)
        ):
            self.select_group(None)

    def _deletion(self, node_ids: List[str], places: List[WireKey]) -> List[Change]:
        leaving = [place for place, wire in self.items.wires.items() if wire.look.source in node_ids]
        removal = self._removal(dict.fromkeys(places + [place for place in leaving if place[0] not in node_ids]))
        return removal + [Change(("nodes", node_id), ABSENT) for node_id in node_ids]

    def duplicate_selection(self) -> List[str]:
        """Copies of the selected nodes, a little beside them, with the wires among them; returns their ids."""
        if not self.selection:
            return []
        data = self._copied()
        return self._insert(data, DUPLICATE_OFFSET, _count("Duplicate", len(self.selection), "node"))

    def copy(self) -> bool:
        """Put the selected nodes on the system clipboard; false where none are selected."""
        if not self.selection:
            return False
        data = self._copied()
        QGuiApplication.clipboard().setText(write_nodes(data))
        self.session.message.emit(_count("Copied", len(self.selection), "node"))
        return True

    def _copied(self) -> Dict:
        """The selected nodes, with the groups that hold nothing else."""
        chosen = set(self.selection)
        inside = {group.index: contents_of(self, group) for group in self.items.groups}
        groups = [index for index, node_ids in inside.items() if node_ids and node_ids <= chosen]
        return edits.copy_nodes(self.session.workflow, self.selection, groups)

    def cut(self) -> None:
        """Copy, then delete."""
        if not self.locked and self.copy():
            chosen = self.selection
            self.edit(_count("Cut", len(chosen), "node"), self._deletion(chosen, []))

    def paste(self) -> List[str]:
        """Nodes from the system clipboard, at the cursor; returns their ids. Says so where there are none."""
        try:
            data = read_nodes(QGuiApplication.clipboard().text())
        except ValueError as error:
            self.session.message.emit(str(error))
            return []
        x, y = corner(data)
        place = self.snapped(self.place_for_new())
        return self._insert(data, (place.x() - x, place.y() - y), _count("Paste", len(data["nodes"]), "node"))

    def _insert(self, data: Dict, offset: Tuple[float, float], label: str) -> List[str]:
        node_ids, changes = edits.paste_nodes(self.session.workflow, data, offset)
        if not self.edit(label, changes):
            return []
        self.select_nodes(node_ids)
        return node_ids

    def mute_selection(self) -> None:
        """Mute the selected nodes, or let them work again where all are muted."""
        self._toggle("muted", "Mute", "Unmute")

    def collapse_selection(self) -> None:
        """Collapse the selected nodes to their titles, or open them where all are collapsed."""
        self._toggle("collapsed", "Collapse", "Expand")

    def _toggle(self, flag: str, on_label: str, off_label: str) -> None:
        chosen = self.selection
        if chosen:
            on = not all(self.session.workflow.nodes[node_id].extra.get(flag) is True for node_id in chosen)
            self.edit(_count(on_label if on else off_label, len(chosen), "node"), edits.set_flag(chosen, flag, on))

    def move_selection(self, columns: int, rows: int) -> None:
        """Move the selected nodes by steps of the grid; repeated steps are one undo step."""
        chosen = self.selection
        nodes = self.session.workflow.nodes
        places = {
            node_id: (nodes[node_id].position[0] + columns * GRID, nodes[node_id].position[1] + rows * GRID)
            for node_id in chosen
        }
        if places:
            self.edit(_count("Move", len(chosen), "node"), edits.move_nodes(places), "nudge " + " ".join(chosen))

    def set_title(self, node_id: str, title: str) -> None:
        """Rename a node; an empty title stands for that of its type."""
        if title != self.session.workflow.nodes[node_id].title:
            self.edit("Rename node", edits.set_title(node_id, title))

    # Wires

    def connect_ports(
        self, source: Tuple[str, str], target: Tuple[str, str], unplugged: Optional[WireKey] = None
    ) -> bool:
        """Wire an output to an input in one step; a wire that ended there goes.

        Args:
            source: Node id and output.
            target: Node id and input.
            unplugged: Place of the wire that was taken off its input for this one.
        """
        place = (target[0], self.items.document_key(*target))
        present = self.items.wires.get(place)
        if present is not None and (present.look.source, present.look.output) == source:
            return False
        moved = [unplugged] if unplugged is not None and unplugged != place else []
        changes = self._removal(moved) + edits.connect(source, place)
        label = "Move wire" if moved else "Replace wire" if present is not None else "Connect"
        return self.edit(label, changes)

    def disconnect_wires(self, places: Iterable[WireKey]) -> None:
        """Remove wires."""
        chosen = list(places)
        self.edit(_count("Delete", len(chosen), "wire"), self._removal(chosen))
        self.select_wires(())

    def _removal(self, places: Iterable[WireKey]) -> List[Change]:
        """Changes that remove wires with their labels."""
        chosen = list(places)
        changes = edits.disconnect(chosen)
        by_node: Dict[str, List[str]] = defaultdict(list)
        for node_id, key in chosen:
            by_node[node_id].append(key)
        for node_id, keys in by_node.items():
            labels = self.session.workflow.nodes[node_id].extra.get("wire_labels", {})
            kept = {key: text for key, text in labels.items() if key not in keys}
            if kept != labels:
                changes.append(Change(("nodes", node_id, "extra", "wire_labels"), kept or ABSENT))
        return changes

    def add_reroute(self, place: WireKey, position: QPointF) -> Optional[str]:
        """Put a reroute dot onto a wire; returns its id."""
        if self.session.node_class("RerouteNode") is None:
            self.session.message.emit("There is no reroute node")
            return None
        look = self.items.wires[place].look
        wire = (look.source, look.output, place[0], place[1])
        corner_of_dot = self.snapped(position) - QPointF(REROUTE_RADIUS, REROUTE_RADIUS)
        node_id, changes = edits.insert_reroute(self.session.workflow, wire, corner_of_dot.toTuple())
        if not self.edit("Add reroute dot", changes):
            return None
        self.select_nodes([node_id])
        return node_id

    def set_wire_label(self, place: WireKey, label: str) -> None:
        """Write a text on a wire; an empty one removes it."""
        self.edit("Label wire", edits.set_wire_label(place, label.strip(), self.session.workflow))


def _count(verb: str, number: int, noun: str) -> str:
    return f"{verb} {noun}" if number == 1 else f"{verb} {number} {noun}s"
