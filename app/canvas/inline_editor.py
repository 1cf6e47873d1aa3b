"""A line edit that lies over a title on the canvas while it is renamed."""

from __future__ import annotations

from typing import Callable, Optional

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from .theme import Theme

SMALLEST_WIDTH, HEIGHT = 140, 28


class InlineEditor(QLineEdit):
    """Asks for one text. Enter and a click elsewhere take it, Escape leaves everything as it was."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("canvasInlineEditor")
        self._done: Optional[Callable[[str], object]] = None
        self.returnPressed.connect(self._accept)
        self.installEventFilter(self)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.setStyleSheet(
            f"background: {theme.background.name()}; color: {theme.text.name()}; font-size: 13px; padding: 2px 8px;"
            f"border: 2px solid {theme.accent.name()}; border-radius: 5px;"
        )

    def ask(self, name: str, text: str, place: QRect, done: Callable[[str], object]) -> None:
        """Show it over a place.

        Args:
            name: What is being asked, for those who cannot see it.
            text: The present one.
            place: In the parent's coordinates.
            done: Called with the new text.
        """
        self._done = done
        self.setAccessibleName(name)
        self.setText(text)
        width = max(place.width(), SMALLEST_WIDTH)
        self.setGeometry(QRect(place.center().x() - width // 2, place.center().y() - HEIGHT // 2, width, HEIGHT))
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.selectAll()

    def commit(self) -> None:
        """Take what was typed so far, if something is being asked."""
        if self.isVisible():
            self._accept()

    def _accept(self) -> None:
        done, self._done = self._done, None
        self.hide()
        if done is not None:
            done(self.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Escape, and a click elsewhere."""
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            self._done = None
            self.hide()
            return True
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self._accept()
        return super().eventFilter(watched, event)
