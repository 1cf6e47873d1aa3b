"""What all editors of a value share."""

from __future__ import annotations

from typing import Any, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget


class ValueEditor(QWidget):
    """Shows a value and tells of valid new ones; the document is changed by its owner.

    Signals:
        edited: A valid new value.
        rejected: Why what stands there is no value; empty as soon as it is one again.
        finished: The typing or stepping is over (Enter, focus elsewhere).

    Attributes:
        input: The widget that takes the keyboard.
        is_wide: Needs the whole width below its label.
    """

    edited = Signal(object)
    rejected = Signal(str)
    finished = Signal()
    is_wide = False

    def __init__(self, input_widget: QWidget):
        super().__init__()
        self.input = input_widget
        self.setFocusProxy(input_widget)
        self.box = QHBoxLayout(self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(4)
        self.box.addWidget(input_widget, 1)

    def show_value(self, value: Any) -> None:
        """Show the document's value; text that stands for the same value, or is still being typed, stays."""
        raise NotImplementedError

    def show_mixed(self) -> None:
        """Show that the selected nodes have different values."""
        raise NotImplementedError

    def commit(self) -> None:
        """Hand over what was typed and not yet handed over."""

    def revert(self) -> None:
        """Show the document's value again, whatever was typed."""

    def suggest_names(self, names: Sequence[str]) -> None:
        """Names that the keys of a dictionary can have."""

    def name_input(self, name: str, description: str) -> None:
        """Give the input its object name and what screen readers say."""
        self.input.setObjectName(f"param_{name}")
        self.input.setAccessibleName(name)
        self.input.setAccessibleDescription(description)
