"""The canvas's context menus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Callable, Optional

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPixmap
from PySide6.QtWidgets import QMenu

from .hits import GROUP, NODE, PORT, WIRE, Hit
from .looks import IN
from .routing import STYLES
from .theme import GROUP_COLOURS
from .view_commands import AXES, EDGES

if TYPE_CHECKING:
    from .canvas import Canvas


def menu_for(canvas: Canvas, hit: Hit, position: QPointF) -> QMenu:
    """The menu of what was hit; it deletes itself when it closes."""
    menu = QMenu(canvas)
    menu.setObjectName("canvasMenu")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    fill = {NODE: _node, PORT: _port, WIRE: _wire, GROUP: _group}.get(hit.kind, _canvas)
    fill(canvas, menu, hit, position)
    return menu


def _add(
    menu: QMenu,
    text: str,
    slot: Callable[[], object],
    shortcut: str = "",
    enabled: bool = True,
    checked: Optional[bool] = None,
) -> QAction:
    action = menu.addAction(text)
    action.triggered.connect(lambda: slot())
    action.setEnabled(enabled)
    if shortcut:
        action.setText(f"{text}\t{shortcut}")
    if checked is not None:
        action.setCheckable(True)
        action.setChecked(checked)
    return action


def _canvas(canvas: Canvas, menu: QMenu, hit: Hit, position: QPointF) -> None:
    free = not canvas.locked
    _add(menu, "Add node…", lambda: canvas.open_search(position), "Tab", free)
    _add(menu, "Paste", canvas.paste, "Ctrl+V", free)
    _add(menu, "Select all", canvas.select_all, "Ctrl+A", bool(canvas.items.nodes))
    menu.addSeparator()
    _add(menu, "Arrange nodes", canvas.auto_layout, "Ctrl+L", free and bool(canvas.items.nodes))
    _add(menu, "Zoom to fit", canvas.zoom_to_fit, "Home")
    _add(menu, "Find node…", canvas.open_find, "Ctrl+F")
    menu.addSeparator()
    styles = menu.addMenu("Wires")
    for style in STYLES:
        chosen = style == canvas.wire_style
        _add(styles, style.capitalize(), partial(canvas.set_wire_style, style), "", free, chosen)
    _add(menu, "Snap to grid", lambda: canvas.set_snap(not canvas.snaps), "", free, canvas.snaps)
    shown = canvas.shows_minimap
    _add(menu, "Overview", lambda: canvas.show_minimap(not shown), "", True, shown)


def _node(canvas: Canvas, menu: QMenu, hit: Hit, position: QPointF) -> None:
    free, entry = not canvas.locked, canvas.session.workflow.nodes[hit.node_id]
    count = len(canvas.selection)
    _add(menu, "Rename…", canvas.rename_selected, "F2", free and count == 1)
    _add(menu, "Unmute" if entry.extra.get("muted") else "Mute", canvas.mute_selection, "M", free)
    _add(menu, "Expand" if entry.extra.get("collapsed") else "Collapse", canvas.collapse_selection, "H", free)
    menu.addSeparator()
    _add(menu, "Cut", canvas.cut, "Ctrl+X", free)
    _add(menu, "Copy", canvas.copy, "Ctrl+C")
    _add(menu, "Duplicate", canvas.duplicate_selection, "Ctrl+D", free)
    menu.addSeparator()
    _add(menu, "Group", canvas.group_selection, "Ctrl+G", free)
    align = menu.addMenu("Align")
    align.setEnabled(free and count > 1)
    for edge in EDGES:
        _add(align, edge.capitalize(), partial(canvas.align, edge))
    spread = menu.addMenu("Distribute")
    spread.setEnabled(free and count > 2)
    for axis in AXES:
        _add(spread, f"{axis.capitalize()}ly", partial(canvas.distribute, axis))
    _add(menu, "Zoom to selection", canvas.zoom_to_selection, ".")
    menu.addSeparator()
    _add(menu, "Delete", canvas.delete_selection, "Del", free)


def _port(canvas: Canvas, menu: QMenu, hit: Hit, position: QPointF) -> None:
    port, free = hit.port, not canvas.locked
    assert port is not None
    looks = [canvas.items.wires[place].look for place in canvas.items.wires_of[hit.node_id]]
    mine = [
        look.place
        for look in looks
        if (port.side == IN and (look.target, look.port) == (hit.node_id, port.name))
        or (port.side != IN and (look.source, look.output) == (hit.node_id, port.name))
    ]
    _add(menu, "Add a node that fits…", lambda: canvas.search_for_port(hit.node_id, port, position), "", free)
    text = "Delete wires" if len(mine) > 1 else "Delete wire"
    _add(menu, text, lambda: canvas.disconnect_wires(mine), "", free and bool(mine))


def _wire(canvas: Canvas, menu: QMenu, hit: Hit, position: QPointF) -> None:
    free, look = not canvas.locked, canvas.items.wires[hit.place].look
    _add(menu, "Add reroute dot", lambda: canvas.add_reroute(hit.place, position), "", free)
    _add(menu, "Label…", lambda: canvas.ask_wire_label(hit.place), "", free)
    _add(menu, "Pin or unpin probe", lambda: canvas.probe_toggled.emit(look.source, look.output))
    menu.addSeparator()
    _add(menu, "Go to source", lambda: canvas.session.reveal(look.source, look.output))
    _add(menu, "Go to target", lambda: canvas.session.reveal(look.target, look.port))
    menu.addSeparator()
    _add(menu, "Delete", lambda: canvas.disconnect_wires([hit.place]), "Del", free)


def _group(canvas: Canvas, menu: QMenu, hit: Hit, position: QPointF) -> None:
    free = not canvas.locked
    _add(menu, "Rename…", lambda: canvas.ask_group_title(hit.group), "F2", free)
    colours = menu.addMenu("Colour")
    colours.setEnabled(free)
    for name, colour in GROUP_COLOURS.items():
        action = _add(colours, name, partial(canvas.set_group_colour, hit.group, colour))
        action.setIcon(_swatch(colour))
    _add(menu, "Select nodes", lambda: canvas.select_group_contents(hit.group))
    menu.addSeparator()
    _add(menu, "Add node…", lambda: canvas.open_search(position), "Tab", free)
    _add(menu, "Delete group", lambda: canvas.delete_group(hit.group), "", free)


def _swatch(colour: str) -> QIcon:
    pixmap = QPixmap(14, 14)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
