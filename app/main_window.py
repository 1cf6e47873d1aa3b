"""The editor's window: canvas, panels, menus, and what connects them."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional, Sequence, Union

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QDockWidget, QMainWindow, QToolBar, QToolButton, QVBoxLayout, QWidget

from runtime.importing import ImportNote
from runtime.registry import NodeRegistry

from .action_specs import PANELS, RECENT
from .actions import EditorActions
from .background import Tasks
from .canvas.canvas import Canvas
from .dialogs.about import show_about
from .dialogs.export_dialog import ExportDialog
from .dialogs.import_notes import show_import_notes
from .dialogs.messages import show_error
from .dialogs.recovery import offer_recovery
from .dialogs.shortcuts import ShortcutsDialog
from .dialogs.templates import TemplatesDialog
from .files.autosave import Autosave, LostWork, find_lost_work
from .files.controller import FileController
from .files.drops import FileDrops
from .files.folders import UserFolders, folder_for_exports
from .files.settings import EditorSettings
from .node_types import load_node_types
from .notice_bar import NoticeBar
from .panels.inspector import Inspector
from .panels.node_help import NodeHelp
from .panels.palette import Palette
from .panels.problems import Problems
from .running.controller import RunController
from .running.run_view import RunView
from .session import EditorSession
from .status import EditorStatus
from .watching import Watching
from .window_view import WindowView

APPLICATION = "DNNE"
LONGEST_LABEL, LONGEST_TITLE = 60, 120


class MainWindow(QMainWindow):
    """The window in which workflows are built.

    Attributes:
        session: The open document and what is known of it.
        canvas, palette, inspector, problems: The views.
        controller, run_view: Runs of the workflow, and what is shown of them.
        files: What the File menu does.
        actions_by_name: Every action by objectName.
        tasks: Work in the background.
    """

    def __init__(
        self,
        path: Optional[Union[str, Path]] = None,
        folders: Optional[UserFolders] = None,
        nodes_folders: Sequence[Path] = (),
    ):
        """Build the window; node types are loaded behind it as soon as it is shown.

        Args:
            path: A workflow to open, or ``None`` for an empty one.
            folders: Where settings and autosaved work lie; the user's own by default.
            nodes_folders: Folders of node files besides the per-user one.
        """
        super().__init__()
        self.setObjectName("mainWindow")
        self.folders = folders or UserFolders.of_user()
        self._nodes_folders = tuple(nodes_folders)
        self.settings = EditorSettings(self.folders.settings, self)
        self.session = EditorSession(self)
        self.tasks = Tasks(self)
        self.autosave = Autosave(self.session, self.folders.autosave, self)
        self.files = FileController(self.session, self.settings, self.autosave, self)
        self.controller = RunController(self.session, self)
        self.controller.nodes_folders = self._nodes_folders
        self._is_closing = self._keeps_copy = False
        self._problem_shown = -1
        self._build_views()
        self.actions_by_name = EditorActions(self)
        self._build_bars()
        self.view = WindowView(self, self.canvas, self.docks, self.actions_by_name, self.settings)
        self._connect()
        self.view.restore()
        if path is not None:
            self.files.open_path(Path(path))
        QTimer.singleShot(0, self._start)

    # Building

    def _build_views(self) -> None:
        self.canvas = Canvas(self.session, self)
        self.palette_panel = Palette(self.session)
        self.inspector = Inspector(self.session)
        self.problems = Problems(self.session)
        self.node_help = NodeHelp(self.session, self)
        self.watching = Watching(self)
        self.run_view = RunView(self, self.controller)
        self.notice = NoticeBar(self)
        centre = QWidget(self)
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.notice)
        layout.addWidget(self.canvas, 1)
        self.setCentralWidget(centre)
        area = Qt.DockWidgetArea
        self.docks: Dict[str, QDockWidget] = {
            "palette": self._dock("dockPalette", "Nodes", self.palette_panel, area.LeftDockWidgetArea),
            "inspector": self._dock("dockInspector", "Inspector", self.inspector, area.RightDockWidgetArea),
            "runSettings": self._dock(
                "dockRunSettings", "Run Settings", self.run_view.settings, area.RightDockWidgetArea
            ),
            "problems": self._dock("dockProblems", "Problems", self.problems, area.BottomDockWidgetArea),
        }
        for name, title, widget in self.watching.panels:
            self.docks[name] = self._dock(f"dock{title}", title, widget, area.BottomDockWidgetArea)
        self.watching.lay_out(self.docks, "problems")
        self.tabifyDockWidget(self.docks["inspector"], self.docks["runSettings"])
        self.docks["inspector"].raise_()
        self.setCorner(Qt.Corner.BottomLeftCorner, area.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, area.RightDockWidgetArea)
        self.setDockNestingEnabled(True)
        self.drops = FileDrops(self, self.canvas.viewer.viewport(), self.files.open_path)

    def _dock(self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        dock.toggleViewAction().setObjectName(name.replace("dock", "actionShow"))
        dock.toggleViewAction().setToolTip(f"Show or hide the panel {title}")
        self.addDockWidget(area, dock)
        return dock

    def _build_bars(self) -> None:
        self.actions_by_name.fill_menus()
        panels = self.actions_by_name.menus[PANELS]
        for dock in self.docks.values():
            panels.addAction(dock.toggleViewAction())
        self.toolbar = QToolBar("Toolbar", self)
        self.toolbar.setObjectName("mainToolBar")
        self.toolbar.setMovable(False)
        self.toolbar.setIconSize(QSize(20, 20))
        self.actions_by_name.fill_toolbar(self.toolbar)
        for name in ("actionTrain", "actionExport"):
            button = self.toolbar.widgetForAction(self.actions_by_name[name])
            assert isinstance(button, QToolButton)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.addToolBar(self.toolbar)
        self.toolbar.toggleViewAction().setObjectName("actionShowToolbar")
        panels.addAction(self.toolbar.toggleViewAction())
        self.status = EditorStatus(self.session, self)
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        self.actions_by_name.connect()
        self.session.history_changed.connect(self._show_history)
        self.session.selection_changed.connect(self._on_selection)
        self.files.path_changed.connect(self._show_history)
        self.files.imported.connect(self._on_imported)
        self.files.changed_on_disk.connect(self._on_changed_on_disk)
        self.files.removed_from_disk.connect(self._on_removed_from_disk)
        self.settings.recent_changed.connect(self._fill_recent)
        self.palette_panel.node_requested.connect(self._on_node_requested)
        self.inspector.help_requested.connect(self.node_help.show_type)
        self.status.problems_clicked.connect(lambda: self.view.show_panel("problems"))
        self.status.zoom_clicked.connect(self.canvas.zoom_to_fit)
        self.canvas.viewer.view_changed.connect(lambda: self.status.show_zoom(self.canvas.viewer.zoom))
        for signal in (self.session.document_changed, self.session.document_replaced):
            signal.connect(self._on_document)
        self.watching.follow(self.controller)
        self.run_view.connect_window()
        self._fill_recent()
        self._show_history()
        self._on_selection([])
        self._on_document()

    # Starting

    def _start(self) -> None:
        self.tasks.start(
            lambda tell: load_node_types(self._nodes_folders), self._on_types_loaded, self._on_types_failed
        )
        lost = find_lost_work(self.folders.autosave) if self.folders.autosave.is_dir() else []
        if lost:
            offer_recovery(self, lost, self._recover)

    def _on_types_loaded(self, registry: NodeRegistry) -> None:
        self.session.set_registry(registry)
        if registry.failures:
            details = "\n".join(f"{failure.source}\n{failure.traceback}" for failure in registry.failures)
            count = "1 file" if len(registry.failures) == 1 else f"{len(registry.failures)} files"
            text = f"{count} of node types could not be loaded."
            first = registry.failures[0]
            reason = f"{first.source}: {first.error}"
            self.notice.tell(text, [("Details", lambda: self._show_details(text, reason, details))])

    def _show_details(self, text: str, reason: str, details: str) -> None:
        show_error(self, text, reason, details)

    def _on_types_failed(self, error: Exception) -> None:
        self.status.loading.setText("No node types")
        show_error(self, "The node types could not be loaded.", f"{type(error).__name__}: {error}")

    def _recover(self, work: LostWork) -> None:
        def recover() -> None:
            self.files.recover(work.document())
            if self.autosave.save_now():
                work.remove()
            self.session.message.emit(f"Recovered {work.title}; save it to keep it")

        self.files.guard(recover)

    # Showing

    def _show_history(self) -> None:
        document = self.session.document
        self.setWindowTitle(f"{'*' if document.is_modified else ''}{document.title[:LONGEST_TITLE]} – {APPLICATION}")
        for name, can, label, verb in (
            ("actionUndo", document.can_undo, document.undo_label, "&Undo"),
            ("actionRedo", document.can_redo, document.redo_label, "&Redo"),
        ):
            action = self.actions_by_name[name]
            action.setEnabled(can)
            brief = label if len(label) <= LONGEST_LABEL else f"{label[:LONGEST_LABEL]}…"
            action.setText(f"{verb} {brief.replace('&', '&&')}".strip())
            action.setToolTip(f"{verb.replace('&', '')} {brief} ({action.shortcut().toString()})")

    def _on_selection(self, selected: Sequence[str]) -> None:
        self.actions_by_name.enable_for(len(selected))
        settings, inspector = self.docks["runSettings"], self.docks["inspector"]
        if selected and inspector in self.tabifiedDockWidgets(settings) and not inspector.isHidden():
            inspector.raise_()

    def _on_document(self, _: Sequence[object] = ()) -> None:
        self.view.show_document_options()

    def _fill_recent(self) -> None:
        menu = self.actions_by_name.menus[RECENT]
        clear = self.actions_by_name["actionClearRecent"]
        menu.clear()
        for number, path in enumerate(self.settings.recent, start=1):
            action = QAction(f"&{number % 10} {path.name}", menu, objectName=f"actionRecent{number}", toolTip=str(path))
            action.triggered.connect(lambda _=False, path=path: self.files.open_path(path))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction(clear)
        clear.setEnabled(bool(self.settings.recent))

    def _on_node_requested(self, class_type: str) -> None:
        self.canvas.add_node(class_type)
        self.canvas.setFocus()

    def _on_imported(self, notes: List[ImportNote]) -> None:
        show_import_notes(self, notes, self.session.reveal)

    def _on_changed_on_disk(self) -> None:
        name = self.session.document.title
        self.notice.tell(
            f"Another program changed {name}.",
            [("Reload", self.files.reload), ("Keep mine", self.files.keep)],
        )

    def _on_removed_from_disk(self) -> None:
        self.notice.tell(f"{self.session.document.path} is gone. The workflow is still here: save it to keep it.")

    # Dialogs

    def show_templates(self) -> None:
        """The gallery of examples."""
        TemplatesDialog(self, self.files.open_template, self.session.registry).open()

    def show_export(self) -> None:
        """The export dialog."""
        self.session.commit_pending()
        ExportDialog(self, self.session, self.tasks, folder_for_exports(self.files.folder())).open()

    def show_next_problem(self) -> None:
        """Go to the problem after the one that was shown last."""
        places = [(problem.node_id, problem.port) for problem in self.session.problems if problem.node_id]
        if not places:
            self.session.message.emit("No node has a problem")
            return
        self._problem_shown = (self._problem_shown + 1) % len(places)
        self.session.reveal(*places[self._problem_shown])

    def show_shortcuts(self) -> None:
        """All shortcuts."""
        ShortcutsDialog(self, self.actions_by_name.shortcuts()).open()

    def show_about(self) -> None:
        """Versions and licence."""
        show_about(self)

    # Dropping

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Open a workflow; also what is dragged so far is looked at, whether it is one."""
        event.setAccepted(self.drops.take(event))

    dragEnterEvent = dragMoveEvent = dropEvent  # noqa: N815

    # Closing

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Ask about a run and about unsaved changes; without any, or after the answers, close."""
        self.session.commit_pending()
        if not self._is_closing and not self.run_view.may_close(self.close):
            event.ignore()
            return
        if self._is_closing or not self.session.document.is_modified:
            self._shut_down()
            event.accept()
            return
        event.ignore()
        self.files.guard(self.close_unasked)

    def close_unasked(self) -> None:
        """Close, whatever is unsaved."""
        self._is_closing = True
        self.close()

    def stop_at_once(self) -> None:
        """The system ends the program: copy unsaved work, to be offered at the next start, and close unasked."""
        self.session.commit_pending()
        self.autosave.save_now()
        self._is_closing = self._keeps_copy = True
        self.close()

    def _shut_down(self) -> None:
        self.controller.finish()
        self.view.keep()
        self.files.stop()
        self.status.clearMessage()
        self.autosave.stop()
        self.watching.stop()
        if not self._keeps_copy:
            self.autosave.discard()
        for dialog in self.findChildren(QDialog):
            dialog.hide()
        self.hide()
        self.tasks.finish()
