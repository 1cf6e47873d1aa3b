"""Opens, saves and imports; nothing that is unsaved is given up without asking."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Callable, List, Optional

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from runtime.errors import DnneError, WorkflowError
from runtime.importing import ImportNote, import_workflow
from runtime.workflow import FORMAT_KEY, Workflow, load_workflow

from ..dialogs.choose import choose_file, choose_target
from ..dialogs.messages import ACCEPT, DESTRUCTIVE, REJECT, ask, show_error
from ..document import Document
from ..session import LOCKED_MESSAGE, EditorSession
from .autosave import Autosave
from .settings import EditorSettings
from .watch import FileWatch

logger = logging.getLogger(__name__)

Then = Callable[[], None]
UNTITLED = Workflow().name
LONGEST_NAME = 80


class FileController(QObject):
    """What the File menu does.

    Signals:
        path_changed: Another document is open, or it has another place.
        imported: A file of another format was read; carries the notes.
        changed_on_disk: Another program wrote the open file.
        removed_from_disk: The open file is gone.
    """

    path_changed = Signal()
    imported = Signal(list)
    changed_on_disk = Signal()
    removed_from_disk = Signal()

    def __init__(self, session: EditorSession, settings: EditorSettings, autosave: Autosave, window: QWidget):
        super().__init__(window)
        self._session, self._settings, self._autosave, self._window = session, settings, autosave, window
        self._suggestion: Optional[Path] = None
        self._outdated = False
        self._watch = FileWatch(self)
        self._watch.changed.connect(self._on_changed)
        self._watch.removed.connect(self._on_removed)

    @property
    def document(self) -> Document:
        """The open document."""
        return self._session.document

    def stop(self) -> None:
        """The window closes."""
        self._watch.stop()

    # Opening

    def new(self) -> None:
        """An empty workflow."""
        self.guard(lambda: self._show(Document()))

    def open(self) -> None:
        """Let the user choose a file."""
        choose_file(self._window, "openDialog", "Open a workflow", self.folder(), self.open_path)

    def open_path(self, path: Path) -> None:
        """Open a file: a workflow, or one of the earlier DNNE or of ComfyUI."""
        self.guard(lambda: self._open(path))

    def _open(self, path: Path) -> None:
        path = path.absolute()
        try:
            document = Document.open(path)
        except WorkflowError as error:
            if _is_other_format(path):
                self._import(path)
            else:
                self._forget_missing(path)
                show_error(self._window, f"{path.name} cannot be opened.", str(error))
            return
        self._settings.add_recent(path)
        self._show(document)

    def _forget_missing(self, path: Path) -> None:
        if not path.exists():
            self._settings.remove_recent(path)

    def open_template(self, path: Path, then: Optional[Then] = None) -> None:
        """Start a new workflow from an example, or from that of an earlier run, and then do something with it."""
        self.guard(lambda: self._open_template(path, then))

    def _open_template(self, path: Path, then: Optional[Then] = None) -> None:
        try:
            self._show(Document(load_workflow(path)))
        except WorkflowError as error:
            show_error(self._window, f"The template {path.name} cannot be opened.", str(error))
            return
        if then is not None:
            then()

    def import_file(self) -> None:
        """Let the user choose a file of the earlier DNNE or of ComfyUI."""
        choose_file(self._window, "importDialog", "Import a workflow of the earlier DNNE or of ComfyUI", self.folder(),
                    self.import_path)  # fmt: skip

    def import_path(self, path: Path) -> None:
        """Read a file of the earlier DNNE or of ComfyUI as a new workflow."""
        self.guard(lambda: self._import(path))

    def _import(self, path: Path) -> None:
        try:
            result = import_workflow(_text_of(path), path.stem)
        except WorkflowError as error:
            show_error(self._window, f"{path.name} cannot be imported.", f"{path}: {error}")
            return
        document = Document(result.workflow)
        document.mark_modified()
        self._show(document, path.with_name(f"{path.stem}-dnne.json"))
        notes: List[ImportNote] = result.notes
        self.imported.emit(notes)

    def recover(self, document: Document) -> None:
        """Open unsaved work of an editor that crashed."""
        self._show(document)

    def _show(self, document: Document, suggestion: Optional[Path] = None) -> None:
        self._suggestion, self._outdated = suggestion, False
        self._autosave.discard()
        self._watch.follow(document.path)
        self._session.set_document(document)
        self.path_changed.emit()

    # Saving

    def save(self, then: Optional[Then] = None) -> None:
        """Save at the document's own place; ask for one where it has none.

        Args:
            then: Called when the file is written.
        """
        self._session.commit_pending()
        path = self.document.path
        if path is None:
            self.save_as(then)
        elif self._outdated or self._watch.is_different():
            self._ask_overwrite(path, then)
        else:
            self._save(path, then)

    def save_as(self, then: Optional[Then] = None) -> None:
        """Ask for a place and save there."""
        self._session.commit_pending()
        suggestion = self._suggested()
        choose_target(self._window, "saveDialog", "Save the workflow", suggestion, lambda path: self._save(path, then))

    def save_version(self) -> None:
        """Save under the next number, ``name-v003.json``, and go on with that file."""
        self._session.commit_pending()
        if self.document.path is None:
            self.save_as()
        else:
            self._save(self.document.next_version_path(), None)

    def _save(self, path: Path, then: Optional[Then]) -> None:
        path = path.absolute()
        if self.document.workflow.name == UNTITLED:
            self.document.workflow.name = path.stem
        try:
            self.document.save(path)
        except (DnneError, OSError) as error:
            show_error(self._window, f"{path.name} was not saved.", str(error))
            return
        self._outdated = False
        self._watch.follow(path)
        self._settings.add_recent(path)
        self._session.history_changed.emit()
        self._session.message.emit(f"Saved {path}")
        self.path_changed.emit()
        if then is not None:
            then()

    def _ask_overwrite(self, path: Path, then: Optional[Then]) -> None:
        ask(
            self._window,
            "overwriteDialog",
            f"Write over {path.name}?",
            f"Another program changed {path} since it was opened here; its changes would be lost.",
            [
                ("Save &As…", ACCEPT, lambda: self.save_as(then)),
                ("&Overwrite", DESTRUCTIVE, lambda: self._save(path, then)),
                ("Cancel", REJECT, None),
            ],
        )

    def folder(self) -> Path:
        """Where file dialogs begin."""
        known = [path for path in (self.document.path, *self._settings.recent) if path is not None]
        return next((path.parent for path in known if path.parent.is_dir()), Path.home())

    def _suggested(self) -> Path:
        return self.document.path or self._suggestion or self.folder() / f"{_file_name(self.document.title)}.json"

    # Guarding

    def guard(self, then: Then) -> None:
        """Do something that gives up the open document; ask first where it has unsaved changes."""
        if self._is_locked():
            return
        self._session.commit_pending()
        if not self.document.is_modified:
            then()
            return
        ask(
            self._window,
            "unsavedDialog",
            f"Save the changes to {self.document.title}?",
            "If you discard them, they are lost.",
            [
                ("&Save", ACCEPT, lambda: self.save(then)),
                ("&Discard", DESTRUCTIVE, then),
                ("Cancel", REJECT, None),
            ],
        )

    def _is_locked(self) -> bool:
        if self._session.is_locked:
            self._session.message.emit(LOCKED_MESSAGE)
        return self._session.is_locked

    # Other programs

    def _on_changed(self) -> None:
        self._outdated = True
        self.changed_on_disk.emit()

    def _on_removed(self) -> None:
        self.keep()
        self.removed_from_disk.emit()

    def reload(self) -> None:
        """Show the file as it is on the disk now."""
        if self.document.path is not None and not self._is_locked():
            self._open(self.document.path)

    def keep(self) -> None:
        """Keep the document as it is here; saving writes over the file."""
        self._outdated = False
        self.document.mark_modified()
        self._session.history_changed.emit()


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise WorkflowError(f"it cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise WorkflowError(f"it is not UTF-8 text (byte {error.start})") from error


def _is_other_format(path: Path) -> bool:
    """A JSON object that does not claim to be one of our workflows."""
    try:
        content = json.loads(_text_of(path))
    except (WorkflowError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and FORMAT_KEY not in content


def _file_name(title: str) -> str:
    kept = "".join(character if character.isalnum() or character in "-_." else "_" for character in title)
    return kept.strip("._")[:LONGEST_NAME] or "workflow"
