"""Keys of the canvas. A window that gives its actions the same shortcuts comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict, Optional, Tuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from .canvas import Canvas

Command = Callable[[], object]
CTRL, PLAIN = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier
_ARROWS: Dict[int, Tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


def command_for(canvas: Canvas, event: QKeyEvent) -> Optional[Command]:
    """What a key does; ``None`` if nothing."""
    key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if key in _ARROWS and modifiers in (PLAIN, Qt.KeyboardModifier.ShiftModifier):
        columns, rows = _ARROWS[key]
        steps = 5 if modifiers else 1
        return lambda: canvas.arrow(columns * steps, rows * steps)
    if modifiers == CTRL:
        return _with_ctrl(canvas).get(key)
    if modifiers in (PLAIN, Qt.KeyboardModifier.ShiftModifier):
        return _plain(canvas).get(key)
    return None


def _with_ctrl(canvas: Canvas) -> Dict[int, Command]:
    return {
        Qt.Key.Key_A: canvas.select_all,
        Qt.Key.Key_C: canvas.copy,
        Qt.Key.Key_X: canvas.cut,
        Qt.Key.Key_V: canvas.paste,
        Qt.Key.Key_D: canvas.duplicate_selection,
        Qt.Key.Key_F: canvas.open_find,
        Qt.Key.Key_G: canvas.group_selection,
        Qt.Key.Key_L: canvas.auto_layout,
        Qt.Key.Key_0: canvas.zoom_reset,
        Qt.Key.Key_Plus: canvas.zoom_in,
        Qt.Key.Key_Equal: canvas.zoom_in,
        Qt.Key.Key_Minus: canvas.zoom_out,
    }


def _plain(canvas: Canvas) -> Dict[int, Command]:
    return {
        Qt.Key.Key_Tab: canvas.open_search,
        Qt.Key.Key_Delete: canvas.delete_selection,
        Qt.Key.Key_Backspace: canvas.delete_selection,
        Qt.Key.Key_F2: canvas.rename_selected,
        Qt.Key.Key_M: canvas.mute_selection,
        Qt.Key.Key_H: canvas.collapse_selection,
        Qt.Key.Key_C: canvas.connect_selection,
        Qt.Key.Key_W: canvas.select_next_wire,
        Qt.Key.Key_R: canvas.reroute_selected_wires,
        Qt.Key.Key_L: canvas.label_selected_wire,
        Qt.Key.Key_N: canvas.select_next_node,
        Qt.Key.Key_P: canvas.select_previous_node,
        Qt.Key.Key_G: canvas.select_next_group,
        Qt.Key.Key_Home: canvas.zoom_to_fit,
        Qt.Key.Key_Period: canvas.zoom_to_selection,
        Qt.Key.Key_Plus: canvas.zoom_in,
        Qt.Key.Key_Minus: canvas.zoom_out,
        Qt.Key.Key_Escape: canvas.escape,
    }
