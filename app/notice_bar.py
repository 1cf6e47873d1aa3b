"""A bar above the canvas for what the user should know but need not answer at once."""

from __future__ import annotations

from typing import Callable, Optional, Sequence, Tuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

Choice = Tuple[str, Optional[Callable[[], None]]]


class NoticeBar(QFrame):
    """One notice at a time: a text, some buttons, and a way to close it."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("notice")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._text = QLabel(self, objectName="noticeText", wordWrap=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(12, 4, 6, 4)
        self._layout.addWidget(self._text)
        self._close = QToolButton(self, objectName="noticeClose", text="✕", autoRaise=True)
        self._close.setToolTip("Close this notice")
        self._close.setAccessibleName("Close this notice")
        self._close.clicked.connect(self.clear)
        self._layout.addWidget(self._close)
        self._buttons: Sequence[QPushButton] = ()
        self.hide()

    @property
    def text(self) -> str:
        """The notice; empty where there is none."""
        return self._text.text()

    def tell(self, text: str, choices: Sequence[Choice] = ()) -> None:
        """Show a notice in place of an earlier one; each button does its part and closes it."""
        self.clear()
        self._text.setText(text)
        self._buttons = [self._button(label, then) for label, then in choices]
        for button in self._buttons:
            self._layout.insertWidget(self._layout.count() - 1, button)
        self.show()

    def clear(self) -> None:
        """Show nothing."""
        self.hide()
        self._text.clear()
        for button in self._buttons:
            self._layout.removeWidget(button)
            button.deleteLater()
        self._buttons = ()

    def _button(self, label: str, then: Optional[Callable[[], None]]) -> QPushButton:
        button = QPushButton(label, self)
        button.setObjectName("notice" + "".join(word.capitalize() for word in label.split()))
        button.clicked.connect(lambda: self._chosen(then))
        return button

    def _chosen(self, then: Optional[Callable[[], None]]) -> None:
        self.clear()
        if then is not None:
            then()
