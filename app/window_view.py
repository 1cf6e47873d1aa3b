"""How the window looks: theme, panels and their places, kept from one start to the next."""

from __future__ import annotations

from typing import Dict, Sequence

from PySide6.QtCore import QByteArray, QObject, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QLineEdit, QMainWindow, QWidget

from .actions import EditorActions
from .canvas.canvas import Canvas
from .files.settings import EditorSettings
from .theme import THEMES, apply_theme, canvas_colours

LAYOUT_VERSION = 1
FIRST_SIZE = (1440, 860)
PANEL_SIZES = {"palette": (230, Qt.Orientation.Horizontal), "inspector": (310, Qt.Orientation.Horizontal),
               "problems": (262, Qt.Orientation.Vertical)}  # fmt: skip


class WindowView(QObject):
    """Theme, panels and canvas options of one window."""

    def __init__(
        self,
        window: QMainWindow,
        canvas: Canvas,
        docks: Dict[str, QDockWidget],
        actions: EditorActions,
        settings: EditorSettings,
    ):
        super().__init__(window)
        self._window, self._canvas, self._docks = window, canvas, docks
        self._actions, self._settings = actions, settings
        self._first_state = QByteArray()

    # Kept between starts

    def restore(self) -> None:
        """Give the window the look that it had at the end of the last start."""
        self.set_theme(self._settings.text("theme", THEMES[0]))
        self.set_minimap(self._settings.flag("minimap", True))
        self._place_panels()
        self._first_state = self._window.saveState(LAYOUT_VERSION)
        if not self._window.restoreGeometry(self._settings.state("geometry")):
            self._fit_to_screen()
        self._window.restoreState(self._settings.state("layout"), LAYOUT_VERSION)
        self._actions["actionFullScreen"].setChecked(self._window.isFullScreen())

    def keep(self) -> None:
        """Keep size and layout for the next start."""
        self._settings.keep("geometry", self._window.saveGeometry())
        self._settings.keep("layout", self._window.saveState(LAYOUT_VERSION))
        self._settings.sync()

    def _fit_to_screen(self) -> None:
        free = self._window.screen().availableGeometry().size()
        self._window.resize(min(FIRST_SIZE[0], free.width()), min(FIRST_SIZE[1], free.height()))

    def _place_panels(self) -> None:
        for name, (size, orientation) in PANEL_SIZES.items():
            self._window.resizeDocks([self._docks[name]], [size], orientation)

    def reset_layout(self) -> None:
        """Put all panels back to their places."""
        self._window.restoreState(self._first_state, LAYOUT_VERSION)
        self._place_panels()

    # Look

    def set_theme(self, name: str) -> None:
        """Dark or light; kept for the next start."""
        name = name if name in THEMES else THEMES[0]
        apply_theme(QApplication.instance(), name)
        self._canvas.set_theme(canvas_colours(name))
        self._actions.draw_icons()
        self._actions[f"actionTheme{name.capitalize()}"].setChecked(True)
        self._settings.keep("theme", name)

    def set_minimap(self, on: bool) -> None:
        """Show the minimap or not; kept for the next start."""
        self._canvas.show_minimap(on)
        self._actions["actionMinimap"].setChecked(on)
        self._settings.keep("minimap", on)

    def set_full_screen(self, on: bool) -> None:
        """Use the whole screen, or go back."""
        state = self._window.windowState()
        flag = Qt.WindowState.WindowFullScreen
        self._window.setWindowState(state | flag if on else state & ~flag)

    def show_document_options(self) -> None:
        """Check the switches whose state is part of the document."""
        self._actions["actionSnap"].setChecked(self._canvas.snaps)
        self._actions[f"actionWire{self._canvas.wire_style.capitalize()}"].setChecked(True)

    # Panels

    def show_panel(self, name: str) -> None:
        """Show a panel and bring it to the front."""
        self._docks[name].show()
        self._docks[name].raise_()

    def focus_palette(self) -> None:
        """Go to the palette's search."""
        self.show_panel("palette")
        search = self._docks["palette"].findChild(QLineEdit, "paletteSearch")
        search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        search.selectAll()

    def focus_next_panel(self) -> None:
        """Move the keyboard from the canvas to the panels in turn, and back."""
        seen = [dock for dock in self._docks.values() if dock.isVisible() and not dock.visibleRegion().isEmpty()]
        places: Sequence[QWidget] = [self._canvas, *seen]
        focused = QApplication.focusWidget()
        here = next((i for i, place in enumerate(places) if focused and place.isAncestorOf(focused)), 0)
        _focus(places[(here + 1) % len(places)])


def _focus(place: QWidget) -> None:
    inner = place.widget() if isinstance(place, QDockWidget) else place
    targets = [inner, *inner.findChildren(QWidget)]
    wanted = [w for w in targets if w.isVisible() and w.isEnabled() and w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    (wanted[0] if wanted else inner).setFocus(Qt.FocusReason.TabFocusReason)
