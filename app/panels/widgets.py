"""Small parts that several panels use."""

from __future__ import annotations

import html
import inspect
from typing import Any, Optional

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.theme import icon


def set_style(widget: QWidget, name: str, value: Any) -> None:
    """Set a dynamic property that the style sheet looks at."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def text_label(text: str = "", role: str = "", wrap: bool = True) -> QLabel:
    """A label of plain text in one of the style sheet's roles."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    if role:
        label.setProperty("role", role)
    return label


def line() -> QFrame:
    """A thin horizontal rule."""
    frame = QFrame()
    frame.setProperty("role", "line")
    return frame


def flat_button(icon_name: str, tooltip: str, parent: Optional[QWidget] = None) -> QToolButton:
    """A small button that is only its icon; its tooltip is its accessible name."""
    button = QToolButton(parent)
    button.setProperty("flat", True)
    button.setProperty("iconName", icon_name)
    button.setIcon(icon(icon_name))
    button.setIconSize(QSize(14, 14))
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def refresh_icons(parent: QWidget) -> None:
    """Fetch the icons of all buttons below again, after the theme changed."""
    for button in parent.findChildren(QToolButton):
        name = button.property("iconName")
        if name:
            button.setIcon(icon(name))


def paragraphs(node_class: Any) -> str:
    """A class's docstring with its paragraphs on one line each and without markup."""
    text = inspect.getdoc(node_class) or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n")).replace("`", "")


def first_sentence(node_class: Any) -> str:
    """The first paragraph of a class's docstring."""
    return paragraphs(node_class).split("\n\n")[0]


def rich(text: str) -> str:
    """Text for a tooltip, escaped; rich text wraps, plain text does not."""
    return html.escape(text).replace("\n", "<br>")


class ElidedButton(QPushButton):
    """A button that shortens its text to the room that it has."""

    def __init__(self, icon: QIcon):
        super().__init__(icon, "")
        self._text = ""
        self.setProperty("left", True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_text(self, text: str) -> None:
        """Show a text, as much of it as fits."""
        self._text = text
        self._elide()

    def _elide(self) -> None:
        room = self.width() - self.iconSize().width() - 24
        self.setText(self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, room))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._elide()


class Section(QWidget):
    """A heading that folds the widget below it away.

    Signals:
        toggled: A person opened or closed it.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, body: QWidget, is_open: bool, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.title = title
        self.body = body
        self.button = QToolButton()
        self.button.setProperty("section", True)
        self.button.setCheckable(True)
        self.button.setChecked(is_open)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setIconSize(QSize(12, 12))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(lambda: self.toggled.emit(self.button.isChecked()))
        self.button.toggled.connect(self._show_body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        heading = QVBoxLayout()
        heading.setContentsMargins(8, 2, 0, 0)
        heading.addWidget(self.button)
        layout.addLayout(heading)
        layout.addWidget(body)
        self.set_note("")
        self._show_body(is_open)

    def set_open(self, is_open: bool) -> None:
        """Fold or unfold."""
        self.button.setChecked(is_open)

    def set_note(self, note: str) -> None:
        """What the heading says besides its title, such as "2 changed"."""
        text = f"{self.title}  ·  {note}" if note else self.title
        self.button.setText(text)
        self.button.setAccessibleName(text)

    def _show_body(self, is_open: bool) -> None:
        self.body.setVisible(is_open)
        name = "chevron-down" if is_open else "chevron-right"
        self.button.setProperty("iconName", name)
        self.button.setIcon(icon(name))
