"""The reference page of a node type, made from its declaration."""

from __future__ import annotations

from typing import Optional

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QTextCursor,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
    QTextTable,
)
from PySide6.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from app.node_reference import node_section
from app.session import EditorSession
from app.theme import colours, current_theme


class NodeHelp(QDialog):
    """A window beside the editor; it stays open and shows one page at a time."""

    def __init__(self, session: EditorSession, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.session = session
        self.class_type = ""
        self.setObjectName("nodeHelp")
        self.setWindowTitle("Node reference")
        self.resize(820, 640)
        self.browser = QTextBrowser(objectName="nodeHelpText")
        self.browser.setAccessibleName("Node reference")
        self.browser.setOpenExternalLinks(True)
        self.browser.document().setDocumentMargin(18)
        self.browser.setWordWrapMode(QTextOption.WrapMode.WordWrap)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.browser)

    def show_selected(self) -> None:
        """Open the page of the first selected node."""
        if self.session.selection:
            self.show_type(self.session.workflow.nodes[self.session.selection[0]].class_type)
        else:
            self.session.message.emit("Select a node to see its reference page")

    def show_type(self, class_type: str) -> None:
        """Open the page of a node type; a type that is not there gets a page that says so."""
        self.class_type = class_type
        self._fill()
        self.show()
        self.raise_()
        self.activateWindow()

    def _fill(self) -> None:
        node_class = self.session.node_class(self.class_type)
        if node_class is not None:
            text, title = node_section(node_class), node_class.title
        else:
            missing = "This node type is missing: none of the node files that were found defines it."
            state = "Node types are loading…" if self.session.registry is None else missing
            text, title = f"### {self.class_type}\n\n{state}", self.class_type
        self.setWindowTitle(f"{title} – node reference")
        self.browser.setMarkdown(text)
        self._style_tables()
        self.browser.moveCursor(QTextCursor.MoveOperation.Start)

    def _style_tables(self) -> None:
        """Markdown tables come without lines and in their natural width."""
        tokens = colours(current_theme())
        root = self.browser.document().rootFrame()
        for frame in root.childFrames():
            if isinstance(frame, QTextTable):
                style = frame.format()
                style.setBorder(1)
                style.setBorderCollapse(True)
                style.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
                style.setBorderBrush(QBrush(QColor(tokens["border"])))
                style.setCellPadding(6)
                style.setTopMargin(6)
                style.setBottomMargin(12)
                style.setWidth(QTextLength(QTextLength.Type.PercentageLength, 99))
                style.setProperty(QTextFormat.Property.TableHeaderRowCount, 1)
                frame.setFormat(style)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draw the page again in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.class_type:
            self._fill()

    def keyPressEvent(self, event) -> None:  # type: ignore[no-untyped-def] # noqa: N802
        """Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)
