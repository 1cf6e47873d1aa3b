"""Ctrl+F: find nodes by title, id or type, and go through them."""

from __future__ import annotations

from typing import Dict, List

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from .looks import NodeLook
from .theme import Theme


def find_nodes(looks: Dict[str, NodeLook], query: str) -> List[str]:
    """Ids of the nodes whose id, title or type holds the query; exact ids first, in file order."""
    wanted = query.strip().casefold()
    if not wanted:
        return []
    found = [node_id for node_id, look in looks.items() if _holds(look, wanted)]
    return sorted(found, key=lambda node_id: node_id.casefold() != wanted)


def _holds(look: NodeLook, wanted: str) -> bool:
    return any(wanted in text.casefold() for text in (look.title, look.subtitle))


class FindBar(QFrame):
    """A line at the top of the canvas.

    Signals:
        query_changed: What is looked for.
        stepped: Go to the next (1) or the one before (-1).
        closed: Escape.
    """

    query_changed = Signal(str)
    stepped = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("canvasFind")
        self.line = QLineEdit(self)
        self.line.setObjectName("canvasFindLine")
        self.line.setAccessibleName("Find node")
        self.line.setPlaceholderText("Find node by title, id or type")
        self.line.setFixedWidth(230)
        self.line.textChanged.connect(self.query_changed)
        self.line.installEventFilter(self)
        self.count = QLabel(self)
        self.count.setMinimumWidth(58)
        self.count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.count)
        for text, name, step in (("↑", "Previous", -1), ("↓", "Next", 1)):
            layout.addWidget(self._button(text, name, lambda checked=False, step=step: self.stepped.emit(step)))
        layout.addWidget(self._button("✕", "Close", self.close_bar))
        self.set_theme(Theme({}))
        self.hide()

    def _button(self, text: str, name: str, slot) -> QToolButton:  # type: ignore[no-untyped-def]
        button = QToolButton(self)
        button.setText(text)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(slot)
        return button

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.setStyleSheet(
            f"#canvasFind {{ background: {theme.node.name()}; border: 1px solid {theme.node_border.name()};"
            "border-radius: 8px; }"
            f"QLineEdit {{ background: {theme.background.name()}; color: {theme.text.name()}; padding: 4px 8px;"
            f"border: 1px solid {theme.node_border.name()}; border-radius: 5px; font-size: 13px; }}"
            f"QLineEdit:focus {{ border-color: {theme.accent.name()}; }}"
            f"QLabel {{ color: {theme.dim_text.name()}; font-size: 12px; }}"
            f"QToolButton {{ color: {theme.text.name()}; border: none; padding: 4px 7px; border-radius: 4px; }}"
            f"QToolButton:hover {{ background: {theme.node_border.name()}; }}"
        )

    def open(self) -> None:
        """Show it, with the earlier query ready to be typed over."""
        self.adjustSize()
        self.place()
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()
        self.query_changed.emit(self.line.text())

    def place(self) -> None:
        """Stay in the upper right corner."""
        parent = self.parentWidget()
        assert parent is not None
        self.move(max(4, parent.width() - self.width() - 12), 12)

    def show_count(self, index: int, total: int) -> None:
        """Which hit of how many is shown."""
        nothing = "no hits" if self.line.text().strip() else ""
        self.count.setText(f"{index + 1} of {total}" if total else nothing)

    def close_bar(self) -> None:
        """Hide it."""
        self.hide()
        self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Enter, Shift+Enter, arrows and Escape while typing."""
        if event.type() != QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        key, modifiers = event.key(), event.modifiers()  # type: ignore[attr-defined]
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.stepped.emit(-1 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1)
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.stepped.emit(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_Escape:
            self.close_bar()
        else:
            return False
        return True
