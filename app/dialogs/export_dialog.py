"""Export: where to, what is carried, and then the commands that run it."""

from __future__ import annotations

import shlex
from copy import deepcopy
from pathlib import Path
from typing import Any, Optional

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QFontDatabase
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from runtime.validation import ERROR, InvalidWorkflow, Problem

from ..background import Task, Tasks, Tell
from ..panels.widgets import text_label
from ..session import EditorSession
from .choose import choose_folder
from .export_plan import ExportPlan, plan_export, run_commands
from .frame import EditorDialog, table

PURPOSE = "A Python folder that trains and runs this workflow anywhere with PyTorch, without DNNE."
NOT_CARRIED = "Checkpoints and runs are not carried: copy their folders where you need them."
LONGEST_STEM = 80
PLAN_PAGE, PROBLEMS_PAGE, DONE_PAGE = range(3)


class ExportDialog(EditorDialog):
    """Exports the workflow as it is now; the work is done in a thread."""

    def __init__(self, parent: QWidget, session: EditorSession, tasks: Tasks, folder: Path):
        super().__init__(parent, "exportDialog", "Export")
        self._session, self._tasks = session, tasks
        self._workflow = deepcopy(session.workflow)
        self._task: Optional[Task] = None
        self.report: Any = None
        self._build_target(folder / f"{_stem(session)}_export")
        self.pages = QStackedWidget(self)
        for page in (self._plan_page(), self._problems_page(), self._done_page()):
            self.pages.addWidget(page)
        self.body.addWidget(self.pages, 1)
        self.state = text_label("", "dim")
        self.state.setObjectName("exportState")
        self.progress = QProgressBar(objectName="exportProgress", textVisible=False, maximumHeight=6)
        self.progress.setRange(0, 0)
        self.body.addWidget(self.state)
        self.body.addWidget(self.progress)
        self._build_buttons()
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        self.fit(860, 560)
        self._look()

    # Building

    def _build_target(self, folder: Path) -> None:
        self.target, layout = _page()
        layout.addWidget(text_label(PURPOSE))
        row = QHBoxLayout()
        self.folder = QLineEdit(str(folder), objectName="exportFolder")
        self.folder.setAccessibleName("Folder")
        label = QLabel("&Folder")
        label.setBuddy(self.folder)
        browse = QPushButton("&Browse…", objectName="exportBrowse")
        browse.clicked.connect(self._browse)
        for widget in (label, self.folder, browse):
            row.addWidget(widget)
        layout.addLayout(row)
        self.force = QCheckBox("Write also into a folder that holds &something else", objectName="exportForce")
        self.force.setToolTip("No file is removed; one of the same name as a new one is kept under another name")
        layout.addWidget(self.force)
        self.body.addWidget(self.target)
        self.folder.textChanged.connect(self._update_button)

    def _plan_page(self) -> QWidget:
        page, layout = _page()
        self.summary = text_label("", "dim")
        self.summary.setObjectName("exportSummary")
        self.files = table("exportFiles", ["What it carries", "Size"])
        self.files.setAccessibleName("What it carries")
        self.files.setRootIsDecorated(True)
        layout.addWidget(self.summary)
        layout.addWidget(self.files, 1)
        layout.addWidget(text_label(NOT_CARRIED, "dim"))
        return page

    def _problems_page(self) -> QWidget:
        page, layout = _page()
        layout.addWidget(text_label("The workflow cannot be exported yet. A click shows the place.", "error"))
        self.problems = QListWidget(objectName="exportProblems", wordWrap=True)
        self.problems.setAccessibleName("Problems")
        self.problems.itemActivated.connect(self._reveal)
        self.problems.itemClicked.connect(self._reveal)
        layout.addWidget(self.problems, 1)
        return page

    def _done_page(self) -> QWidget:
        page, layout = _page()
        self.headline = text_label("", "title")
        self.headline.setObjectName("exportDone")
        self.commands = QGridLayout()
        self.commands.setColumnStretch(1, 1)
        layout.addWidget(self.headline)
        layout.addWidget(text_label("In a terminal:", "dim"))
        layout.addLayout(self.commands)
        layout.addStretch(1)
        return page

    def _build_buttons(self) -> None:
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.open_folder = self.buttons.addButton("&Open Folder", role)
        self.open_folder.setObjectName("exportOpenFolder")
        self.open_folder.clicked.connect(self._open_folder)
        self.open_folder.hide()
        self.button = self.buttons.addButton("&Export", role)
        self.button.setObjectName("exportStart")
        self.button.setDefault(True)
        self.button.clicked.connect(self.export)

    # What it carries

    def _look(self) -> None:
        if self._session.registry is None:
            self._say("Waiting for the node types…", busy=True)
            self._session.registry_changed.connect(self._look)
            return
        registry = self._session.registry
        self._say("Finding out what it needs…", busy=True)
        self._start(lambda tell: plan_export(self._workflow, registry), self._show_plan)

    def _show_plan(self, plan: ExportPlan) -> None:
        self.summary.setText(plan.summary)
        for number, (title, files) in enumerate(plan.parts()):
            part = QTreeWidgetItem([title, f"{len(files)} files"])
            part.addChildren([QTreeWidgetItem(list(file)) for file in files])
            self.files.addTopLevelItem(part)
            part.setExpanded(number == 0)
        self.files.setColumnWidth(0, 480)
        self.pages.setCurrentIndex(PLAN_PAGE)
        self._say("")
        self.folder.setFocus()

    def _show_problems(self, problems: list) -> None:
        self.problems.clear()
        self._problems = [problem for problem in problems if problem.severity == ERROR]
        for problem in self._problems:
            self.problems.addItem(QListWidgetItem(problem.text))
        self.pages.setCurrentIndex(PROBLEMS_PAGE)
        self._say("")

    def _reveal(self, item: QListWidgetItem) -> None:
        problem: Problem = self._problems[self.problems.row(item)]
        if problem.node_id:
            self._session.reveal(problem.node_id, problem.port)
            self.close()

    # Writing

    def export(self) -> None:
        """Write the folder."""
        folder = Path(self.folder.text().strip()).expanduser()
        force, registry = self.force.isChecked(), self._session.registry
        if registry is None:
            self._say("The node types are still being loaded; try again in a moment.", busy=False)
            return

        def work(tell: Tell) -> Any:
            from runtime.export import export_workflow

            assert registry is not None, "the button is disabled while node types load"
            return export_workflow(self._workflow, registry, folder, force=force, progress=tell)

        self._say("Exporting…", busy=True)
        self._start(work, self._show_done)

    def _show_done(self, report: Any) -> None:
        self.report = report
        self.headline.setText(f"Wrote {len(report.files)} files")
        rows = [("Go there", f"cd {shlex.quote(str(report.folder))}"), *run_commands(report.commands)]
        for number, (title, command) in enumerate(rows):
            self._add_command(number, title, command)
        kept = "".join(f"\nA file that was there before is now {name}" for name in report.kept)
        self.pages.setCurrentIndex(DONE_PAGE)
        self.target.hide()
        self.button.hide()
        self.open_folder.show()
        self._say(f"{report.folder}{kept}")
        self._session.message.emit(f"Exported to {report.folder}")

    def _add_command(self, number: int, title: str, command: str) -> None:
        line = QLineEdit(command, objectName=f"exportCommand{number}", readOnly=True)
        line.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        line.setCursorPosition(0)
        line.setAccessibleName(title)
        copy = QPushButton("Copy", objectName=f"exportCopy{number}", autoDefault=False)
        copy.setAccessibleName(f"Copy: {title}")
        copy.clicked.connect(lambda: self._copy(command))
        for column, widget in enumerate((QLabel(title), line, copy)):
            self.commands.addWidget(widget, number, column)

    def _copy(self, command: str) -> None:
        QApplication.clipboard().setText(command)
        self._say(f"Copied: {command}")

    # Helpers

    def _start(self, work: Any, succeeded: Any) -> None:
        self._task = self._tasks.start(work, succeeded, self._show_failure)
        self._task.progress.connect(self._show_step)

    def _show_step(self, step: str) -> None:
        self._say(f"{step.capitalize()}…", busy=True)

    def _show_failure(self, error: Exception) -> None:
        if isinstance(error, InvalidWorkflow):
            self._show_problems(error.problems)
            return
        text = str(error).replace("use --force", "tick the box above")
        self._say(text, role="error")

    def _say(self, text: str, busy: bool = False, role: str = "dim") -> None:
        self.is_busy = busy
        self.state.setText(text)
        self.state.setProperty("role", role)
        self.state.style().polish(self.state)
        self.progress.setVisible(busy)
        self._update_button()

    def _update_button(self) -> None:
        can = not self.is_busy and self.pages.currentIndex() == PLAN_PAGE and bool(self.folder.text().strip())
        self.button.setEnabled(can)
        self.button.setDefault(can)
        for widget in (self.folder, self.force):
            widget.setEnabled(not self.is_busy and self.pages.currentIndex() == PLAN_PAGE)

    def _browse(self) -> None:
        here = Path(self.folder.text()).expanduser()
        choose_folder(self, "exportFolderDialog", "Export to", here if here.is_dir() else here.parent, self._set_folder)

    def _set_folder(self, folder: Path) -> None:
        self.folder.setText(str(folder))

    def _open_folder(self) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.report.folder))):
            self._say(f"No program opens folders here; it is {self.report.folder}", role="error")

    def done(self, result: int) -> None:
        """Close; what still runs ends by itself and is not shown."""
        if self._task is not None:
            self._task.cancel()
        super().done(result)


def _page() -> tuple:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    return page, layout


def _stem(session: EditorSession) -> str:
    path = session.document.path
    name = path.stem if path is not None else session.workflow.name
    kept = "".join(character if character.isalnum() or character in "-_" else "_" for character in name)
    return kept[:LONGEST_STEM] or "workflow"
