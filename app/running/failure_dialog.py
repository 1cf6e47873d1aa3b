"""A failure in full: what was raised, where, and the traceback, to be read and copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from runtime.events import Failed

SIZE = (760, 420)


class FailureDialog(QDialog):
    """Shows one `Failed` event."""

    def __init__(self, parent: QWidget, failure: Failed):
        super().__init__(parent, objectName="runFailure", windowTitle="The run failed")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.text = "\n\n".join(part for part in (failure.error, failure.traceback) if part)
        message = QLabel(failure.error, self, objectName="runFailureText", wordWrap=True)
        message.setTextFormat(Qt.TextFormat.PlainText)
        message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        details = QPlainTextEdit(self.text, self, objectName="runFailureDetails", readOnly=True)
        details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        details.setAccessibleName("Traceback")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setObjectName("runFailureCopy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(message)
        layout.addWidget(details, 1)
        layout.addWidget(buttons)
        self.resize(*SIZE)
