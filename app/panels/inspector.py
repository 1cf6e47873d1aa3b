"""The inspector: what is selected, to be read and edited."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Type

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.document import Change
from app.session import EditorSession
from runtime.node import Node

from .inspector_pages import NodesPage, Page, RawPage, WorkflowPage
from .widgets import refresh_icons

KEPT_PAGES = 8


class Inspector(QWidget):
    """Shows the parameters of the selected nodes, or the workflow as a whole.

    A new selection is shown when control returns to the event loop, so that a rubber band that passes over many nodes
    costs one page. Pages of node types are kept, and show another node of their type when it is selected.

    Signals:
        help_requested: A class name: show its reference page.
    """

    help_requested = Signal(str)

    def __init__(self, session: EditorSession, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.session = session
        self.setObjectName("inspector")
        self.setAccessibleName("Inspector")
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._open_sections: Dict[str, bool] = {}
        self._areas: Dict[Any, QScrollArea] = {}
        self._shown: Any = None
        self.stack = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self._rebuilding = QTimer(self, singleShot=True, interval=0)
        self._rebuilding.timeout.connect(self.show_selection)
        session.selection_changed.connect(self._selection_changed)
        session.document_replaced.connect(self._document_replaced)
        session.registry_changed.connect(self._forget_pages)
        session.document_changed.connect(self._document_changed)
        session.problems_changed.connect(self._problems_changed)
        session.commit_requested.connect(self.commit_pending)
        self.show_selection()

    @property
    def page(self) -> Page:
        """What is shown."""
        return self._areas[self._shown].widget()  # type: ignore[return-value]

    def commit_pending(self) -> None:
        """Hand over what was typed for a live parameter and not yet confirmed."""
        self.page.commit()

    def focus_parameter(self, name: str) -> bool:
        """Put the keyboard into a parameter's field; false where the selection has no such parameter."""
        self.show_selection()
        page = self.page
        if not isinstance(page, NodesPage) or name not in page.rows:
            return False
        row = page.rows[name]
        for section in page.sections.values():
            if section.isAncestorOf(row):
                section.set_open(True)
        row.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self._areas[self._shown].ensureWidgetVisible(row)
        return True

    def show_selection(self) -> None:
        """Show what is selected now."""
        self._rebuilding.stop()
        node_ids = [node_id for node_id in self.session.selection if node_id in self.session.workflow.nodes]
        classes = {node_id: self._class_of(node_id) for node_id in node_ids}
        known = {node_id: node_class for node_id, node_class in classes.items() if node_class is not None}
        if not node_ids:
            self._show("workflow", lambda: WorkflowPage(self.session))
        elif len(known) == len(node_ids):
            kinds = tuple(dict.fromkeys(known.values()))
            self._show(("nodes", len(known) > 1, *kinds), lambda: self._new_nodes_page(known))
        else:
            missing = [node_id for node_id in node_ids if node_id not in known]
            self._remove("raw")
            self._show("raw", lambda: RawPage(self.session, missing))
        self.page.bind(known)

    def _class_of(self, node_id: str) -> Optional[Type[Node]]:
        return self.session.node_class(self.session.workflow.nodes[node_id].class_type)

    def _new_nodes_page(self, classes: Dict[str, Type[Node]]) -> NodesPage:
        page = NodesPage(self.session, classes, self._open_sections)
        page.help_requested.connect(self.help_requested)
        page.section_toggled.connect(self._open_sections.__setitem__)
        return page

    def _show(self, key: Any, make_page: Callable[[], Page]) -> None:
        """Bring a page to the front, a kept one or a new one."""
        area = self._areas.pop(key, None)
        if area is None:
            area = _scrolling(make_page())
            self.stack.addWidget(area)
        self._areas[key] = area  # the page that was shown last stands last
        self._shown = key
        self.stack.setCurrentWidget(area)
        self._remove("outdated")
        for old in list(self._areas)[:-KEPT_PAGES]:
            self._remove(old)

    def _remove(self, key: Any) -> None:
        area = self._areas.pop(key, None)
        if area is not None:
            self.stack.removeWidget(area)
            area.hide()
            area.deleteLater()

    def _forget_pages(self) -> None:
        for key in list(self._areas):
            if key != self._shown:
                self._remove(key)
        if self._shown != "workflow":
            self._areas["outdated"] = self._areas.pop(self._shown)
            self._shown = "outdated"
        self._rebuild_soon()

    # Listening

    def _selection_changed(self, node_ids: List[str]) -> None:
        self.page.commit()
        self._rebuild_soon()

    def _document_replaced(self) -> None:
        self.page.revert()
        self._rebuild_soon()

    def _rebuild_soon(self) -> None:
        self._rebuilding.start()

    def _document_changed(self, changes: Sequence[Change]) -> None:
        if self._rebuilding.isActive() or any(self._replaces_shown(change) for change in changes):
            self._rebuild_soon()
        elif any(self._concerns_shown(change) for change in changes):
            self.page.refresh()

    def _replaces_shown(self, change: Change) -> bool:
        path = change.path
        is_shown = path[0] == "nodes" and path[1] in self.session.selection
        return is_shown and (len(path) == 2 or path[2] == "class_type" or isinstance(self.page, RawPage))

    def _concerns_shown(self, change: Change) -> bool:
        if isinstance(self.page, WorkflowPage):
            return change.path[0] in ("name", "nodes") and change.path[-1] != "position"
        return change.path[0] == "nodes" and change.path[1] in self.session.selection and change.path[2] != "position"

    def _problems_changed(self, problems: List[Any]) -> None:
        if not self._rebuilding.isActive():
            self.page.show_problems()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Fetch icons again in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            refresh_icons(self)


def _scrolling(page: Page) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    area.viewport().setAutoFillBackground(False)
    page.setAutoFillBackground(False)
    return area
