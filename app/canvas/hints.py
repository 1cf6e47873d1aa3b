"""Texts over the canvas: a hint near the cursor, and what to do on an empty canvas."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, QTimer
from PySide6.QtWidgets import QLabel, QWidget

from .theme import Theme, blend

HINT_MS = 3500
WIDEST_HINT, LONGEST_HINT = 560, 900

EMPTY_TEXT = """
<p style="font-size:20px; font-weight:600; color:{text};">Build your graph here</p>
<p style="font-size:13px; line-height:150%; color:{dim};">
Drag a node from the palette onto the canvas<br>
or press {key_open}Tab{key_close} (or double-click) to search all nodes<br>
Draw wires from port to port; let one go on empty canvas<br>to see every node that fits
</p>
<p style="font-size:13px; color:{dim};">
To start from an example, open the templates with {key_open}Ctrl+Shift+N{key_close}
</p>
"""


class HintLabel(QLabel):
    """A line near the cursor, above the canvas; it takes no clicks and opens no window."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("canvasHint")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._theme = Theme({})
        self._fade = QTimer(self, singleShot=True)
        self._fade.timeout.connect(self.hide)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours from the next text on."""
        self._theme = theme

    def say(self, text: str, at: QPoint, is_error: bool = False, lasting: bool = False) -> None:
        """Show a text.

        Args:
            text: Nothing is shown where it is empty.
            at: The cursor, in the parent's coordinates.
            is_error: Something was refused.
            lasting: Until `hide`; else for a few seconds.
        """
        self._fade.stop()
        text = text if len(text) <= LONGEST_HINT else f"{text[:LONGEST_HINT]}…"
        if not text:
            self.hide()
            return
        theme = self._theme
        edge = theme.error if is_error else theme.node_border
        fill = blend(theme.node, theme.background, 0.3)
        self.setStyleSheet(
            f"background: {fill.name()}; color: {theme.text.name()}; border: 1px solid {edge.name()};"
            "border-radius: 6px; padding: 5px 9px; font-size: 12px;"
        )
        self.setText(text)
        self.setWordWrap(False)
        size = self.sizeHint()
        if size.width() > WIDEST_HINT:
            self.setWordWrap(True)
            size = QSize(WIDEST_HINT, self.heightForWidth(WIDEST_HINT))
        self.resize(size)
        self._place(at)
        self.show()
        self.raise_()
        if not lasting:
            self._fade.start(HINT_MS)

    def _place(self, at: QPoint) -> None:
        parent = self.parentWidget()
        assert parent is not None
        room = parent.rect()
        x = min(at.x() + 16, room.right() - self.width() - 4)
        y = at.y() + 18
        if y + self.height() > room.bottom() - 4:
            y = at.y() - self.height() - 12
        self.move(max(4, x), max(4, y))


class EmptyHint(QLabel):
    """What to do first, in the middle of an empty canvas."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("canvasEmptyHint")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.set_theme(Theme({}))

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.setText(
            EMPTY_TEXT.format(
                text=theme.text.name(),
                dim=theme.dim_text.name(),
                key_open=f'<b style="color:{theme.text.name()};">',
                key_close="</b>",
            )
        )
        self.adjustSize()

    def centre(self) -> None:
        """Stay in the middle."""
        parent = self.parentWidget()
        assert parent is not None
        room = parent.rect()
        self.adjustSize()
        self.move((room.width() - self.width()) // 2, (room.height() - self.height()) // 2)
