"""The inspector: what is selected, to be read and edited."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Type

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.document import Change
from app.session import EditorSession
from runtime.node import Node

from .inspector_pages import NodesPage, Page, RawPage, WorkflowPage
from .widgets import refresh_icons


class Inspector(QWidget):
    """Shows the parameters of the selected nodes, or the workflow as a whole.

    A new selection is shown when control returns to the event loop, so that a rubber band that passes over many nodes
    costs one page.

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
        self._shown: Any = None
        self.page: Page = Page(session)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.viewport().setAutoFillBackground(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.area)
        self._rebuilding = QTimer(self, singleShot=True, interval=0)
        self._rebuilding.timeout.connect(self.show_selection)
        session.selection_changed.connect(self._selection_changed)
        session.document_replaced.connect(self._rebuild_soon)
        session.registry_changed.connect(self._rebuild_soon)
        session.document_changed.connect(self._document_changed)
        session.problems_changed.connect(self._problems_changed)
        self.show_selection()

    def commit_pending(self) -> None:
        """Hand over what was typed for a live parameter and not yet confirmed; call it before saving or closing."""
        self.page.commit()

    def focus_parameter(self, name: str) -> bool:
        """Put the keyboard into a parameter's field; false where the selection has no such parameter."""
        self.show_selection()
        row = self.page.rows.get(name) if isinstance(self.page, NodesPage) else None
        if row is None:
            return False
        for section in self.page.sections.values():
            if section.isAncestorOf(row):
                section.set_open(True)
        row.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.area.ensureWidgetVisible(row)
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
            self._show_nodes(known)
        else:
            missing = [node_id for node_id in node_ids if node_id not in known]
            self._show(("raw", *missing, self.session.registry), lambda: RawPage(self.session, missing))

    def _class_of(self, node_id: str) -> Optional[Type[Node]]:
        return self.session.node_class(self.session.workflow.nodes[node_id].class_type)

    def _show_nodes(self, classes: Dict[str, Type[Node]]) -> None:
        kinds = tuple(dict.fromkeys(classes.values()))
        key = ("nodes", len(classes) > 1, *kinds)
        if self._shown == key and isinstance(self.page, NodesPage):
            self.page.bind(classes)
            return
        self._show(key, lambda: self._new_nodes_page(classes))

    def _new_nodes_page(self, classes: Dict[str, Type[Node]]) -> NodesPage:
        page = NodesPage(self.session, classes, self._open_sections)
        page.help_requested.connect(self.help_requested)
        page.section_toggled.connect(self._open_sections.__setitem__)
        return page

    def _show(self, key: Any, make_page: Any) -> None:
        if key == self._shown:
            self.page.refresh()
            self.page.show_problems()
            return
        self._shown = key
        old = self.area.takeWidget()
        self.page = make_page()
        self.area.setWidget(self.page)
        self.page.setAutoFillBackground(False)
        if old is not None:
            old.hide()
            old.deleteLater()

    # Listening

    def _selection_changed(self, node_ids: List[str]) -> None:
        self.page.commit()
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
