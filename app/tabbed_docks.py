"""Docks that lie in tabs need no title of their own: the tab has it."""

from __future__ import annotations

from typing import Iterable, List

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget


class TabbedDocks(QObject):
    """Takes the title bars of docks away while they lie in tabs, and gives them back where they do not."""

    def __init__(self, window: QMainWindow, docks: Iterable[QDockWidget]):
        super().__init__(window)
        self._window = window
        self._docks: List[QDockWidget] = list(docks)
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self.refresh)
        window.setTabPosition(Qt.DockWidgetArea.BottomDockWidgetArea, QTabWidget.TabPosition.North)
        first = self._docks[0]
        for dock in self._docks:
            if dock is not first:
                window.tabifyDockWidget(first, dock)
            for signal in (dock.topLevelChanged, dock.dockLocationChanged, dock.visibilityChanged):
                signal.connect(lambda _: self._later.start())
        first.raise_()

    def refresh(self) -> None:
        """Look where the docks lie now."""
        for dock in self._docks:
            is_tabbed = not dock.isFloating() and any(
                other.isVisibleTo(self._window) for other in self._window.tabifiedDockWidgets(dock)
            )
            if is_tabbed != (dock.titleBarWidget() is not None):
                dock.setTitleBarWidget(QWidget(dock) if is_tabbed else None)  # type: ignore[arg-type]

    def stop(self) -> None:
        """The window closes."""
        self._later.stop()
