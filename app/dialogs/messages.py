"""Questions and messages. None of them blocks: what was chosen is told by a callback."""

from __future__ import annotations

from typing import Callable, Dict, Optional, Sequence, Tuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton, QWidget

Then = Callable[[], None]
Choice = Tuple[str, QMessageBox.ButtonRole, Optional[Then]]

ACCEPT = QMessageBox.ButtonRole.AcceptRole
REJECT = QMessageBox.ButtonRole.RejectRole
DESTRUCTIVE = QMessageBox.ButtonRole.DestructiveRole
OTHER = QMessageBox.ButtonRole.ActionRole


def ask(parent: QWidget, name: str, text: str, details: str, choices: Sequence[Choice]) -> QMessageBox:
    """Ask a question; the first choice is the default one, and Escape takes the one that rejects.

    Args:
        parent: The window.
        name: objectName; each button is named after it and its text.
        text: The question.
        details: What follows from each answer.
        choices: Text, role, and what to do.
    """
    box = _box(parent, name, QMessageBox.Icon.Question, text, details)
    actions: Dict[QAbstractButton, Optional[Then]] = {}
    for label, role, then in choices:
        button = box.addButton(label, role)
        button.setObjectName(name + "".join(word.capitalize() for word in label.replace("&", "").split()))
        actions[button] = then
        if role == REJECT:
            box.setEscapeButton(button)
    box.setDefaultButton(next(button for button in actions if isinstance(button, QPushButton)))

    def answered(button: QAbstractButton) -> None:
        then = actions.get(button)
        if then is not None:
            then()

    box.buttonClicked.connect(answered)
    box.open()
    return box


def show_error(parent: QWidget, text: str, reason: str, details: str = "") -> QMessageBox:
    """Say what did not work and why.

    Args:
        parent: The window.
        text: What did not work, in a sentence.
        reason: Names the file and the reason.
        details: A traceback or a list, shown on demand.
    """
    box = _box(parent, "errorDialog", QMessageBox.Icon.Warning, text, reason)
    box.setDetailedText(details)
    box.setStandardButtons(QMessageBox.StandardButton.Close)
    box.open()
    return box


def _box(parent: QWidget, name: str, icon: QMessageBox.Icon, text: str, details: str) -> QMessageBox:
    box = QMessageBox(icon, "DNNE", text, QMessageBox.StandardButton.NoButton, parent)
    box.setObjectName(name)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box.setInformativeText(details)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowModality(Qt.WindowModality.WindowModal)
    return box
