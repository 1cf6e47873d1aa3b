"""The search at the cursor: type a few letters, choose a node type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple, Union

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHideEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from runtime.registry import NodeRegistry

from .fuzzy import score
from .theme import Theme, blend, font

Index = Union[QModelIndex, QPersistentModelIndex]
WIDTH, HEIGHT, ROW_HEIGHT, MARGIN, SPACING = 400, 380, 46, 8, 6
ENTRY_ROLE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class SearchEntry:
    """One node type in the list. ``port`` is where a wire would go."""

    class_type: str
    title: str
    category: str
    doc: str
    port: str = ""
    closeness: int = 0


def entries_of(registry: NodeRegistry) -> List[SearchEntry]:
    """All node types."""
    return [
        SearchEntry(name, node_class.title, node_class.category, first_line(node_class.description()))
        for name, node_class in registry.types.items()
    ]


def first_line(text: str) -> str:
    """The first sentence or line of a docstring."""
    return text.strip().split("\n", 1)[0]


def matches(entries: Sequence[SearchEntry], query: str) -> List[SearchEntry]:
    """The entries that match, best first; all by category and title where nothing is typed."""
    if not query.strip():
        return sorted(entries, key=lambda entry: (-entry.closeness, entry.category, entry.title))
    ranked: List[Tuple[int, SearchEntry]] = []
    for entry in entries:
        scores = [score(query, entry.title), score(query, entry.class_type), _lower(score(query, entry.category), 600)]
        if query.casefold().strip() in entry.doc.casefold():
            scores.append(-100)
        found = [points for points in scores if points is not None]
        if found:
            ranked.append((max(found) + 20 * entry.closeness, entry))
    return [entry for _, entry in sorted(ranked, key=lambda pair: (-pair[0], pair[1].title))]


def _lower(points: Optional[int], by: int) -> Optional[int]:
    return None if points is None else points - by


class SearchPopup(QFrame):
    """A card over the canvas with a line to type in and the matches below.

    Signals:
        chosen: The entry.
        closed: The search is over, with or without a choice.
    """

    chosen = Signal(SearchEntry)
    closed = Signal()

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("canvasSearch")
        self.setAccessibleName("Add a node")
        self.setFixedSize(WIDTH, HEIGHT)
        self._entries: List[SearchEntry] = []
        self.line = QLineEdit(self)
        self.line.setObjectName("canvasSearchLine")
        self.line.setAccessibleName("Search node types")
        self.line.setClearButtonEnabled(False)
        self.line.installEventFilter(self)
        self.line.textChanged.connect(self._filter)
        self.list = QListView(self)
        self.list.setObjectName("canvasSearchList")
        self.list.setAccessibleName("Matching node types")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.model = QStandardItemModel(self)
        self.list.setModel(self.model)
        self.delegate = EntryDelegate(self)
        self.list.setItemDelegate(self.delegate)
        self.list.clicked.connect(self._choose)
        self.note = QLabel(self)
        self.note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACING)
        layout.addWidget(self.line)
        layout.addWidget(self.note)
        layout.addWidget(self.list)
        self.set_theme(Theme({}))
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.delegate.theme = theme
        field = blend(theme.node, theme.background, 0.6)
        self.setStyleSheet(
            f"#canvasSearch {{ background: {theme.node.name()}; border: 1px solid {theme.node_border.name()};"
            "border-radius: 10px; }"
            f"QLineEdit {{ background: {field.name()}; color: {theme.text.name()}; padding: 7px 10px; font-size: 14px;"
            f"border: 1px solid {theme.node_border.name()}; border-radius: 6px;"
            f"selection-background-color: {theme.accent.name()}; }}"
            f"QLineEdit:focus {{ border-color: {theme.accent.name()}; }}"
            f"QLabel {{ color: {theme.dim_text.name()}; padding: 6px; }}"
            "QListView { background: transparent; border: none; outline: none; }"
            "QScrollBar:vertical { background: transparent; width: 8px; margin: 0; }"
            f"QScrollBar::handle:vertical {{ background: {theme.node_border.name()}; border-radius: 4px; }}"
            "QScrollBar::handle:vertical { min-height: 30px; }"
            "QScrollBar::add-line, QScrollBar::sub-line { height: 0; }"
            "QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }"
        )

    def open(self, entries: Optional[Sequence[SearchEntry]], at: QPoint, prompt: str) -> None:
        """Show it.

        Args:
            entries: What can be chosen; ``None`` while node types are loading.
            at: The cursor, in the parent's coordinates.
            prompt: Shown in the empty line.
        """
        self.set_entries(entries)
        self.line.clear()
        self.line.setPlaceholderText(prompt)
        room = self._room
        self.move(
            max(4, min(at.x() - 24, room.right() - WIDTH - 4)),
            max(4, min(at.y() - 24, room.bottom() - HEIGHT - 4)),
        )
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    @property
    def _room(self) -> QRect:
        parent = self.parentWidget()
        assert parent is not None
        return parent.rect()

    def set_entries(self, entries: Optional[Sequence[SearchEntry]]) -> None:
        """Offer other entries."""
        self._entries = list(entries or ())
        self._empty_note = "Node types are loading…" if entries is None else "No node type matches"
        self._filter()

    def _filter(self) -> None:
        self.model.clear()
        for entry in matches(self._entries, self.line.text()):
            item = QStandardItem(entry.title)
            item.setEditable(False)
            item.setData(entry, ENTRY_ROLE)
            item.setToolTip(entry.doc)
            item.setData(f"{entry.title}, {entry.category}", Qt.ItemDataRole.AccessibleTextRole)
            self.model.appendRow(item)
        self.note.setText(self._empty_note)
        self.note.setVisible(self.model.rowCount() == 0)
        self.list.setVisible(self.model.rowCount() > 0)
        self._fit_height()
        if self.model.rowCount():
            self.list.setCurrentIndex(self.model.index(0, 0))

    def _fit_height(self) -> None:
        rows = max(self.model.rowCount(), 1)
        frame = self.line.sizeHint().height() + 2 * MARGIN + SPACING + 4
        self.setFixedHeight(min(HEIGHT, frame + rows * ROW_HEIGHT))

    @property
    def shown(self) -> List[SearchEntry]:
        """The matches, best first."""
        return [self.model.item(row).data(ENTRY_ROLE) for row in range(self.model.rowCount())]

    def _choose(self, index: QModelIndex) -> None:
        entry = index.data(ENTRY_ROLE)
        if entry is not None:
            self.chosen.emit(entry)
            self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Arrows, Enter and Escape while typing; a click elsewhere closes."""
        if watched is self.line and event.type() == QEvent.Type.KeyPress:
            return self._key(event.key())  # type: ignore[attr-defined]
        if watched is self.line and event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.hide()
        return super().eventFilter(watched, event)

    def _key(self, key: int) -> bool:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 6, Qt.Key.Key_PageUp: -6}
        if key in steps:
            self._step(steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._step(1 if key == Qt.Key.Key_Tab else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.list.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.hide()
        else:
            return False
        return True

    def _step(self, rows: int) -> None:
        count = self.model.rowCount()
        if count:
            row = min(max(self.list.currentIndex().row() + rows, 0), count - 1)
            self.list.setCurrentIndex(self.model.index(row, 0))

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """It is over."""
        super().hideEvent(event)
        self.closed.emit()


class EntryDelegate(QStyledItemDelegate):
    """Draws an entry: title and category above, one line of doc below."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.theme = Theme({})

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """Two lines."""
        return QSize(WIDTH - 40, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw it, on the accent where it is chosen."""
        entry: SearchEntry = index.data(ENTRY_ROLE)
        theme, rect = self.theme, QRect(option.rect).adjusted(2, 1, -4, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(blend(theme.node, theme.accent, 0.35))
            painter.drawRoundedRect(rect, 6, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(blend(theme.node, theme.accent, 0.14))
            painter.drawRoundedRect(rect, 6, 6)
        painter.setBrush(theme.category(entry.category))
        painter.drawRoundedRect(QRect(rect.left() + 6, rect.top() + 8, 4, rect.height() - 16), 2, 2)
        self._paint_texts(painter, rect.adjusted(20, 4, -8, -4), entry)
        painter.restore()

    def _paint_texts(self, painter: QPainter, rect: QRect, entry: SearchEntry) -> None:
        aside = f"→ {entry.port}" if entry.port else entry.category
        small, large = font(11), font(13, True)
        painter.setFont(small)
        painter.setPen(self.theme.dim_text)
        upper, right = QRect(rect.left(), rect.top(), rect.width(), 18), Qt.AlignmentFlag.AlignRight
        painter.drawText(upper, right | Qt.AlignmentFlag.AlignVCenter, aside)
        doc = QFontMetrics(small).elidedText(entry.doc, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(QRect(rect.left(), rect.top() + 19, rect.width(), 18), Qt.AlignmentFlag.AlignVCenter, doc)
        painter.setFont(large)
        painter.setPen(self.theme.text)
        room = rect.width() - QFontMetrics(small).horizontalAdvance(aside) - 12
        title = QFontMetrics(large).elidedText(entry.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(rect.left(), rect.top(), room, 18), Qt.AlignmentFlag.AlignVCenter, title)
