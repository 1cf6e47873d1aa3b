"""The palette: all node types by category, to be searched and dragged onto the canvas."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Type

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QDrag, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from app.session import EditorSession
from app.theme import category_colour, icon
from runtime.node import Node
from runtime.registry import LoadFailure, NodeRegistry

from .node_search import find_node_types
from .widgets import first_sentence, rich, text_label

NODE_MIME_TYPE = "application/x-dnne-node-type"
CLASS_NAME = Qt.ItemDataRole.UserRole


class Palette(QWidget):
    """Node types by category with a search field.

    Signals:
        node_requested: A class name: put one onto the canvas (double click or Enter).
    """

    node_requested = Signal(str)

    def __init__(self, session: EditorSession, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.session = session
        self.setObjectName("palette")
        self.setAccessibleName("Palette")
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.search = self._make_search()
        self.search.installEventFilter(self)
        self.tree = NodeTree()
        self.nothing = text_label("No node type matches.", "dim")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages = QStackedWidget()
        for page in (_waiting_page(), self.tree, self.nothing):
            self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.setSpacing(8)
        layout.addWidget(self.search)
        layout.addWidget(self.pages, 1)
        self.tree.itemActivated.connect(self._request)
        session.registry_changed.connect(self.rebuild)
        self.rebuild()

    def _make_search(self) -> QLineEdit:
        search = QLineEdit(objectName="paletteSearch", clearButtonEnabled=True)
        search.setPlaceholderText("Search nodes")
        search.setAccessibleName("Search nodes")
        self._search_mark = QAction(icon("search"), "", search)
        search.addAction(self._search_mark, QLineEdit.ActionPosition.LeadingPosition)
        search.textChanged.connect(self.rebuild)
        return search

    @property
    def is_waiting(self) -> bool:
        """True while the node types load."""
        return self.session.registry is None

    def shown_types(self) -> List[str]:
        """Class names in the order in which they stand in the palette."""
        return [item.data(0, CLASS_NAME) for item in self.tree.leaves() if item.data(0, CLASS_NAME)]

    def rebuild(self) -> None:
        """List the node types, or those that the search finds."""
        registry = self.session.registry
        self.search.setEnabled(registry is not None)
        if registry is None:
            self.pages.setCurrentIndex(0)
            return
        query = self.search.text().strip()
        self.tree.clear()
        self.tree.setRootIsDecorated(not query)
        if query:
            self.tree.add_found(find_node_types(query, registry.types.values()))
        else:
            self.tree.add_categories(registry)
        self.pages.setCurrentIndex(1 if self.tree.topLevelItemCount() else 2)

    def _request(self, item: QTreeWidgetItem) -> None:
        if item.data(0, CLASS_NAME):
            self.node_requested.emit(item.data(0, CLASS_NAME))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """In the search field Down goes to the list, Enter takes its first entry, Escape clears."""
        if watched is self.search and event.type() == QEvent.Type.KeyPress:
            return self._search_key(event.key())  # type: ignore[attr-defined]
        return super().eventFilter(watched, event)

    def _search_key(self, key: int) -> bool:
        if key == Qt.Key.Key_Down:
            self.tree.setFocus(Qt.FocusReason.TabFocusReason)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.search.text().strip() and self.shown_types():
            self.node_requested.emit(self.shown_types()[0])
        elif key == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        else:
            return False
        return True

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draw icons and marks again in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._search_mark.setIcon(icon("search"))
            self.rebuild()


class NodeTree(QTreeWidget):
    """The list itself; its entries can be dragged."""

    def __init__(self) -> None:
        super().__init__(objectName="paletteTree")
        self.setAccessibleName("Node types")
        self.setHeaderHidden(True)
        self.setIndentation(14)
        self.setIconSize(QSize(12, 12))
        self.setUniformRowHeights(True)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def add_categories(self, registry: NodeRegistry) -> None:
        """All types below their categories; node files that failed to load stand at the end."""
        sections: Dict[str, QTreeWidgetItem] = {}
        for node_class in sorted(registry.types.values(), key=lambda node: (node.category, node.title)):
            self._section(node_class.category, sections).addChild(_entry(node_class))
        if registry.failures:
            self.addTopLevelItem(_failures(registry.failures))
        self.expandAll()

    def add_found(self, found: Sequence[Type[Node]]) -> None:
        """What a search found, best first."""
        for node_class in found:
            self.addTopLevelItem(_entry(node_class))
        self.setCurrentIndex(self.model().index(0, 0))

    def _section(self, category: str, sections: Dict[str, QTreeWidgetItem]) -> QTreeWidgetItem:
        if category not in sections:
            above, _, name = category.rpartition("/")
            item = QTreeWidgetItem([name])
            item.setIcon(0, category_mark(category))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            if above:
                self._section(above, sections).addChild(item)
            else:
                self.addTopLevelItem(item)
            sections[category] = item
        return sections[category]

    def leaves(self) -> Iterable[QTreeWidgetItem]:
        """Entries without children, from top to bottom."""
        return _leaves_below(self.invisibleRootItem())

    def mimeTypes(self) -> List[str]:  # noqa: N802
        """What the canvas takes."""
        return [NODE_MIME_TYPE]

    def mimeData(self, items: Iterable[QTreeWidgetItem]) -> QMimeData:  # noqa: N802
        """The class name of the dragged type."""
        data = QMimeData()
        names = [item.data(0, CLASS_NAME) for item in items if item.data(0, CLASS_NAME)]
        if names:
            data.setData(NODE_MIME_TYPE, names[0].encode())
        return data

    def startDrag(self, actions: Qt.DropAction) -> None:  # noqa: N802
        """Drag a picture of the node along."""
        item = self.currentItem()
        if item is None or not item.data(0, CLASS_NAME):
            return
        drag = QDrag(self)
        drag.setMimeData(self.mimeData([item]))
        drag.setPixmap(self._chip(item))
        drag.exec(Qt.DropAction.CopyAction)

    def _chip(self, item: QTreeWidgetItem) -> QPixmap:
        title = item.text(0)
        width = self.fontMetrics().horizontalAdvance(title) + 40
        pixmap = QPixmap(width, 30)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(self.palette().button())
        painter.setPen(self.palette().color(self.palette().ColorRole.Mid))
        painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, 29), 6, 6)
        painter.drawPixmap(10, 9, item.icon(0).pixmap(12, 12))
        painter.setPen(self.palette().color(self.palette().ColorRole.Text))
        painter.drawText(QRectF(28, 0, width - 32, 30), Qt.AlignmentFlag.AlignVCenter, title)
        painter.end()
        return pixmap

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Enter asks for the current type, on every platform."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.itemActivated.emit(item, 0)
        else:
            super().keyPressEvent(event)


def category_mark(category: str) -> QIcon:
    """A small rounded square in the category's hue."""
    return QIcon(_square(category_colour(category)))


def _square(colour: QColor) -> QPixmap:
    pixmap = QPixmap(24, 24)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(QRectF(2, 2, 20, 20), 6, 6)
    painter.end()
    return pixmap


def _leaves_below(item: QTreeWidgetItem) -> Iterator[QTreeWidgetItem]:
    for child in (item.child(index) for index in range(item.childCount())):
        if child.childCount():
            yield from _leaves_below(child)
        else:
            yield child


def _entry(node_class: Type[Node]) -> QTreeWidgetItem:
    item = QTreeWidgetItem([node_class.title])
    item.setData(0, CLASS_NAME, node_class.__name__)
    item.setIcon(0, category_mark(node_class.category))
    item.setToolTip(0, type_tooltip(node_class))
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled)
    return item


def type_tooltip(node_class: Type[Node]) -> str:
    """What a type does, and its ports."""
    names = f"{node_class.__name__} · {rich(node_class.category)}"
    lines = [f"<b>{rich(node_class.title)}</b> <small>{names}</small>", rich(first_sentence(node_class))]
    for heading, ports in (("Inputs", node_class.inputs), ("Outputs", node_class.outputs)):
        texts = [f"{name} <small>({rich(port.type.name)})</small>" for name, port in ports.items()]
        if texts:
            lines.append(f"{heading}: {', '.join(texts)}")
    return "<br>".join(lines)


def _failures(failures: Sequence[LoadFailure]) -> QTreeWidgetItem:
    top = QTreeWidgetItem([f"Not loaded ({len(failures)})"])
    top.setIcon(0, icon("warning", "warning"))
    for failure in failures:
        source = Path(failure.source).name if "/" in failure.source else failure.source
        item = QTreeWidgetItem([f"{source}: {failure.error}"])
        item.setIcon(0, icon("file"))
        item.setToolTip(0, f"{rich(failure.source)}<pre>{rich(failure.traceback.strip())}</pre>")
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        top.addChild(item)
    return top


def _waiting_page() -> QWidget:
    page = QWidget(objectName="paletteWaiting")
    text: QLabel = text_label("Loading node types…", "dim")
    bar = QProgressBar(textVisible=False)
    bar.setRange(0, 0)
    bar.setFixedHeight(4)
    layout = QVBoxLayout(page)
    layout.setContentsMargins(4, 12, 4, 4)
    layout.addWidget(text)
    layout.addWidget(bar)
    layout.addStretch(1)
    return page
