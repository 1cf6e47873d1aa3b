"""Makes the declared actions of the window, its menus and its toolbar."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Dict, Iterator, List, Tuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar

from .action_specs import MENUS, SEPARATOR, SPECS, TOOLBAR, ActionSpec, Entries
from .theme import icon


class EditorActions:
    """The window's actions by objectName."""

    def __init__(self, window: QMainWindow):
        self._window = window
        self._groups: Dict[str, QActionGroup] = {}
        self._icons = {spec.name: spec.icon for spec in SPECS if spec.icon}
        self._actions: Dict[str, QAction] = {spec.name: self._build(spec) for spec in SPECS}
        self.menus: Dict[str, QMenu] = {}

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._actions.values())

    def _build(self, spec: ActionSpec) -> QAction:
        action = QAction(spec.text, self._window, objectName=spec.name, checkable=spec.checkable)
        keys = [QKeySequence(key) for key in spec.keys]
        action.setShortcuts(keys)
        shown = f" ({keys[0].toString(QKeySequence.SequenceFormat.NativeText)})" if keys else ""
        action.setToolTip(spec.tip + shown)
        action.setStatusTip(spec.tip)
        action.setIconText(spec.text.replace("&", "").rstrip("…"))
        if spec.group:
            group = self._groups.setdefault(spec.group, QActionGroup(self._window))
            group.addAction(action)
        return action

    def connect(self) -> None:
        """Let every action do its part; the window is complete now."""
        for spec in SPECS:
            does = attrgetter(spec.does)(self._window)
            self._actions[spec.name].triggered.connect(_handler(spec, does))
            owner = self._window.canvas if spec.on_canvas else self._window  # type: ignore[attr-defined]
            if spec.on_canvas:
                self._actions[spec.name].setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            owner.addAction(self._actions[spec.name])

    def fill_menus(self) -> None:
        """Make the menu bar."""
        for name, title, entries in MENUS:
            menu = self._window.menuBar().addMenu(title)
            self._fill(menu, name, entries)

    def _fill(self, menu: QMenu, name: str, entries: Entries) -> None:
        menu.setObjectName(name)
        menu.setToolTipsVisible(True)
        self.menus[name] = menu
        for entry in entries:
            if entry == SEPARATOR:
                menu.addSeparator()
            elif isinstance(entry, tuple):
                self._fill(menu.addMenu(entry[1]), entry[0], entry[2])
            else:
                menu.addAction(self._actions[entry])

    def fill_toolbar(self, toolbar: QToolBar) -> None:
        """Put the most used actions onto the toolbar."""
        for entry in TOOLBAR:
            if entry == SEPARATOR:
                toolbar.addSeparator()
            else:
                toolbar.addAction(self._actions[entry])

    def draw_icons(self) -> None:
        """Draw the icons in the colours of the present theme."""
        for name, drawing in self._icons.items():
            self._actions[name].setIcon(icon(drawing, "text"))

    def set_icon(self, name: str, drawing: str) -> None:
        """Show another drawing from now on, in every theme."""
        self._icons[name] = drawing
        self._actions[name].setIcon(icon(drawing, "text"))

    def enable_for(self, selected: int) -> None:
        """Enable what can be done with so many selected nodes."""
        for spec in SPECS:
            if spec.selected:
                self._actions[spec.name].setEnabled(selected >= spec.selected)

    def shortcuts(self) -> List[Tuple[str, str, str]]:
        """Menu, text and keys of every action that has some."""
        rows = []
        for _, title, entries in MENUS:
            for action_name in _names(entries):
                action = self._actions[action_name]
                keys = [key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts()]
                if keys:
                    rows.append((title.replace("&", ""), action.text().replace("&", "").rstrip("…"), " or ".join(keys)))
        return rows


def _names(entries: Entries) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, tuple):
            yield from _names(entry[2])
        elif entry != SEPARATOR:
            yield entry


def _handler(spec: ActionSpec, does: Any) -> Any:
    """``triggered`` sends whether the action is checked; only switches pass that on."""
    if spec.argument is not None:
        return lambda _checked=False: does(spec.argument)
    if spec.checkable:
        return lambda checked=False: does(checked)
    return lambda _checked=False: does()
