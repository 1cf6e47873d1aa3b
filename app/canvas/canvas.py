"""The canvas: building graphs by drag and drop."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Optional, Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ..document import Change
from ..session import EditorSession
from .canvas_base import LOCKED_MESSAGE
from .describe import describe
from .edit_commands import EditCommands
from .find_bar import FindBar, find_nodes
from .group_contents import contents_of, groups_within
from .group_item import CORNER, TITLE, TITLE_HEIGHT
from .hints import EmptyHint
from .hits import GROUP, NODE, NOTHING, PORT, WIRE, Hit
from .inline_editor import InlineEditor
from .keys import command_for
from .looks import WireKey
from .menus import menu_for
from .minimap import Minimap
from .theme import Theme
from .tools import BandTool, MoveTool, ResizeTool, extends
from .view_commands import ViewCommands
from .wire_tool import start_wire
from .wiring import Wiring

HOVER_MS, FLASH_MS = 180, 1100


class Canvas(Wiring, EditCommands, ViewCommands):
    """A view on the session's document.

    Every command is a public method; each edit is one undo step of the document. `node_rect`, `port_position` and
    `global_position` tell where things are on the screen.

    Attributes:
        badge_pressed: Asked first about a click (scene position); true where it was on a badge of the run.

    Signals:
        hover_settled: The `Hit` on which the cursor rests, or that it has left everything.
        probe_toggled: A probe is to be pinned to an output (node id, port), or taken off.
    """

    hover_settled = Signal(object)
    probe_toggled = Signal(str, str)

    def __init__(self, session: EditorSession, parent: Optional[QWidget] = None):
        super().__init__(session, parent)
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas: the graph of nodes and wires")
        self.viewer.setObjectName("canvasView")
        self.viewer.setAccessibleName("Graph")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.viewer)
        self.setFocusProxy(self.viewer)
        self.empty_hint = EmptyHint(self)
        self.editor = InlineEditor(self.viewer.viewport())
        self.find_bar = FindBar(self)
        self.minimap = Minimap(self.items, self.viewer, self)
        self.make_popup()
        self._minimap_wanted = True
        self._bounds = QRectF()
        self._hits: List[str] = []
        self._hit_index = -1
        self._hovered: Hit = Hit()
        self.badge_pressed: Callable[[QPointF], bool] = lambda position: False
        self._hover = QTimer(self, singleShot=True, interval=HOVER_MS)
        self._hover.timeout.connect(self._say_what_is_hovered)
        self._flash = QVariantAnimation(self, startValue=1.0, endValue=0.0, duration=FLASH_MS)
        self._flash.valueChanged.connect(self._show_flash)
        self._flashed = ""
        self._connect()
        self.set_theme({})
        self._rebuild()

    def _connect(self) -> None:
        viewer, session = self.viewer, self.session
        viewer.keys = self._key
        viewer.pressed.connect(self._pressed)
        viewer.hovered.connect(self._hover_at)
        viewer.left.connect(lambda: self._hover_over(Hit()))
        viewer.double_clicked.connect(self._double_clicked)
        viewer.menu_requested.connect(self._show_menu)
        viewer.menu_key_pressed.connect(self._show_menu_of_selected)
        viewer.type_dropped.connect(self._drop_type)
        viewer.view_changed.connect(self.hint.hide)
        viewer.view_changed.connect(self._show_minimap)
        self.find_bar.query_changed.connect(self._find)
        self.find_bar.stepped.connect(self._go_to_hit)
        self.find_bar.closed.connect(self.viewer.setFocus)
        session.document_replaced.connect(self._rebuild)
        session.document_changed.connect(self._apply)
        session.registry_changed.connect(self._registry_changed)
        session.problems_changed.connect(self._problems_changed)
        session.selection_changed.connect(self._selection_changed)
        session.reveal_requested.connect(self._reveal)
        session.commit_requested.connect(self.editor.commit)

    # Following the session

    def _rebuild(self) -> None:
        self.viewer.cancel_tool()
        self.popup.hide()
        self._hovered = Hit()
        self.select_wires(())
        self.items.rebuild()
        self.select_group(None)
        self.viewer.touched = False
        self._content_changed()
        self.zoom_to_fit()

    def _registry_changed(self) -> None:
        self.items.refresh_types()
        self.offer_entries()
        self._content_changed()

    def _apply(self, changes: Sequence[Change]) -> None:
        self.viewer.cancel_tool()
        self.items.apply(changes)
        self.active_wires &= set(self.items.wires)
        if self.active_group is not None and self.active_group >= len(self.items.groups):
            self.active_group = None
        self._content_changed()

    def _content_changed(self) -> None:
        self.empty_hint.setVisible(not self.items.nodes and not self.items.groups)
        self.minimap.content_changed()
        self._bounds = self.items.bounds()
        self._show_minimap()

    def _show_minimap(self) -> None:
        """Only while some of the graph is out of view: else it would hide what it shows."""
        is_needed = bool(self.items.nodes) and not self.viewer.visible_rect().contains(self._bounds)
        self.minimap.setVisible(self._minimap_wanted and is_needed)

    def _problems_changed(self, problems: object) -> None:
        self.items.refresh_knowledge()

    def _selection_changed(self, node_ids: List[str]) -> None:
        chosen = set(node_ids)
        for node_id, item in self.items.nodes.items():
            item.set_selected(node_id in chosen)

    def _reveal(self, node_id: str, port: str) -> None:
        item = self.items.nodes.get(node_id)
        if item is None:
            return
        if self.viewer.zoom < 0.6:
            self.viewer.set_zoom_at(0.9, QPointF(self.viewer.viewport().rect().center()))
        self.viewer.centre_on(item.card.center())
        self._show_flash(0.0)
        self._flashed = node_id
        self._flash.stop()
        self._flash.start()

    def _show_flash(self, strength: float) -> None:
        item = self.items.nodes.get(self._flashed)
        if item is not None:
            item.set_flash(strength)

    # Mouse

    def _pressed(self, position: QPointF, modifiers: Any) -> None:
        self._hover_over(Hit())
        hit = self.hit(position)
        if self.badge_pressed(position):
            return
        if hit.kind == PORT and hit.port is not None:
            if self.locked:
                self.session.message.emit(LOCKED_MESSAGE)
            else:
                self.viewer.tool = start_wire(self, hit.node_id, hit.port)
                self.viewer.tool.move(position, modifiers)
        elif hit.kind == NODE:
            self._press_node(hit, position, modifiers)
        elif hit.kind == WIRE:
            self._press_wire(hit, modifiers)
        elif hit.kind == GROUP and hit.part in (TITLE, CORNER):
            self._press_group(hit, position)
        else:
            self.viewer.tool = BandTool(self, position, modifiers)

    def _press_node(self, hit: Hit, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        chosen = self.selection
        if extends(modifiers):
            keep = [node_id for node_id in chosen if node_id != hit.node_id]
            self.session.select(keep if hit.node_id in chosen else [*chosen, hit.node_id])
        elif hit.node_id not in chosen:
            self.select_nodes([hit.node_id])
        if hit.node_id in self.selection:
            anchor = self.items.nodes[hit.node_id].anchor
            self.viewer.tool = MoveTool(self, position, anchor, self.selection, ())

    def _press_wire(self, hit: Hit, modifiers: Qt.KeyboardModifier) -> None:
        if extends(modifiers):
            self.select_wires(self.active_wires ^ {hit.place})
        else:
            self.select_nodes([])
            self.select_wires([hit.place])

    def _press_group(self, hit: Hit, position: QPointF) -> None:
        group = self.items.groups[hit.group]
        self.select_nodes([])
        self.select_group(hit.group)
        if hit.part == CORNER:
            self.viewer.tool = ResizeTool(self, group, position)
        else:
            self.viewer.tool = MoveTool(
                self, position, group.rect.topLeft(), contents_of(self, group), groups_within(self, group)
            )

    def select_group_contents(self, index: int) -> None:
        """Select the nodes inside a group."""
        self.select_nodes(sorted(contents_of(self, self.items.groups[index])))

    def _double_clicked(self, position: QPointF) -> None:
        hit = self.hit(position)
        if hit.kind == WIRE:
            self.add_reroute(hit.place, position)
        elif hit.kind == NODE:
            self.session.select([hit.node_id])
            self.rename_selected()
        elif hit.kind == GROUP and hit.part == TITLE:
            self.ask_group_title(hit.group)
        elif hit.kind in (NOTHING, GROUP):
            self.open_search(position)

    def _drop_type(self, class_type: str, position: QPointF) -> None:
        self.drop_node(class_type, position)
        self.viewer.setFocus()

    # Hovering

    def _hover_at(self, position: QPointF) -> None:
        self._hover_over(self.hit(position))

    def _hover_over(self, hit: Hit) -> None:
        if hit == self._hovered:
            return
        before, self._hovered = self._hovered, hit
        for old, on in ((before, False), (hit, True)):
            if old.kind == WIRE and old.place in self.items.wires:
                self.items.wires[old.place].set_state(hovered=on)
            elif old.kind == PORT and old.node_id in self.items.nodes and old.port is not None:
                self.items.nodes[old.node_id].set_hot_port((old.port.side, old.port.name) if on else None)
        self.hint.hide()
        if hit.kind in (WIRE, NODE, PORT):
            self._hover.start()
        else:
            self._hover.stop()
            self.hover_settled.emit(hit)

    def _say_what_is_hovered(self) -> None:
        self.hover_settled.emit(self._hovered)
        text = describe(self.items, self._hovered)
        if text and self.viewer.tool is None:
            self.hint.say(text, self.viewer.mapFromScene(self.viewer.cursor_position), lasting=True)

    def _show_menu(self, position: QPointF, at: QPoint) -> None:
        hit = self.hit(position)
        if hit.kind == NODE and hit.node_id not in self.selection:
            self.select_nodes([hit.node_id])
        elif hit.kind == WIRE:
            self.select_wires([hit.place])
        elif hit.kind == GROUP:
            self.select_group(hit.group)
        self._hover_over(Hit())
        menu_for(self, hit, position).popup(at)

    def _show_menu_of_selected(self) -> None:
        """The menu key: what can be done with the selected node, wire or group, or with the canvas."""
        if self.selection:
            hit, place = Hit(NODE, self.selection[0]), self.items.nodes[self.selection[0]].card.center()
        elif self.active_wires:
            hit = Hit(WIRE, place=next(iter(self.active_wires)))
            place = self.items.wires[hit.place].middle
        elif self.active_group is not None:
            hit = Hit(GROUP, group=self.active_group)
            place = self.items.groups[self.active_group].rect.topLeft() + QPointF(20, 20)
        else:
            hit, place = Hit(), self.viewer.visible_rect().center()
        self.viewer.ensure_seen(QRectF(place - QPointF(10, 10), place + QPointF(10, 10)))
        menu_for(self, hit, place).popup(self.global_position(place))

    # Names

    def rename_selected(self) -> None:
        """Type another title over that of the selected node, or of the selected group."""
        if self.locked:
            self.session.message.emit(LOCKED_MESSAGE)
        elif len(self.selection) == 1:
            node_id = self.selection[0]
            item = self.items.nodes[node_id]
            place = QRectF(item.pos(), item.card.bottomRight())
            place.setHeight(min(place.height(), 26.0))
            self._ask("Title of the node", item.look.title, place, lambda title: self.set_title(node_id, title.strip()))
        elif self.active_group is not None:
            self.ask_group_title(self.active_group)

    def ask_group_title(self, index: int) -> None:
        """Type another title over a group's."""
        group = self.items.groups[index]
        place = QRectF(group.rect.left(), group.rect.top(), min(group.rect.width(), 260.0), TITLE_HEIGHT)
        self._ask("Title of the group", group.title, place, lambda title: self.set_group_title(index, title))

    def ask_wire_label(self, place: WireKey) -> None:
        """Type a text onto a wire."""
        wire = self.items.wires[place]
        middle = QRectF(wire.middle - QPointF(70, 12), wire.middle + QPointF(70, 12))
        self._ask("Label of the wire", wire.look.label, middle, lambda text: self.set_wire_label(place, text))

    def _ask(self, name: str, text: str, place: QRectF, done: Callable[[str], object]) -> None:
        self.editor.ask(name, text, self.viewer.mapFromScene(place).boundingRect(), done)

    # Finding

    def open_find(self) -> None:
        """Look for nodes by title, id or type."""
        self.find_bar.open()

    def _find(self, query: str) -> None:
        looks = {node_id: item.look for node_id, item in self.items.nodes.items()}
        self._hits, self._hit_index = find_nodes(looks, query), -1
        if self._hits:
            self._go_to_hit(1)
        else:
            self.find_bar.show_count(-1, 0)

    def _go_to_hit(self, step: int) -> None:
        self._hits = [node_id for node_id in self._hits if node_id in self.items.nodes]
        if self._hits:
            self._hit_index = (self._hit_index + step) % len(self._hits)
            self.session.reveal(self._hits[self._hit_index])
        self.find_bar.show_count(self._hit_index, len(self._hits))

    # Settings of the view

    @property
    def shows_minimap(self) -> bool:
        """True if the overview is wanted; it hides while the whole graph is in view."""
        return self._minimap_wanted

    def show_minimap(self, on: bool) -> None:
        """Show or hide the overview."""
        self._minimap_wanted = on
        self._content_changed()

    def set_locked(self, on: bool) -> None:
        """During a run: zoom, pan and select, but no edits."""
        self.locked = on
        if on:
            self.viewer.cancel_tool()
            self.editor.hide()
            self.popup.hide()

    def set_theme(self, theme: Mapping[str, str]) -> None:
        """Draw in other colours: background, grid, node, node_border, text, dim_text, accent, error, warning."""
        self.theme = Theme(theme)
        for part in (self.viewer, self.items, self.hint, self.empty_hint, self.editor, self.find_bar, self.popup):
            part.set_theme(self.theme)
        self.minimap.set_theme(self.theme)

    # Widget events

    def _key(self, event: QKeyEvent) -> bool:
        command = command_for(self, event)
        if command is None:
            return False
        command()
        return True

    def arrow(self, columns: int, rows: int) -> None:
        """Move the selected nodes by steps of the grid; where none are selected, move the view."""
        if self.selection:
            self.move_selection(columns, rows)
        else:
            self.viewer.pan(QPointF(columns * 60, rows * 60))

    def escape(self) -> None:
        """Stop what the mouse does; else select nothing."""
        if not self.viewer.cancel_tool():
            self.select_nodes([])

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """The first look at a document shows all of it."""
        super().showEvent(event)
        self._place_overlays()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Overlays keep their corners."""
        super().resizeEvent(event)
        self._place_overlays()

    def _place_overlays(self) -> None:
        layout = self.layout()
        assert layout is not None
        layout.activate()
        if not self.viewer.touched:
            self.zoom_to_fit()
        self.find_bar.place()
        self.minimap.place()
        self.empty_hint.centre()
