"""A workflow with its history: every edit is a step that can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple, Union

from runtime.workflow import Workflow, load_workflow, save_workflow

from .changes import Change

Listener = Callable[[Sequence[Change]], None]


@dataclass
class Step:
    """One entry of the history: what was done, and what takes it back.

    Attributes:
        label: For the Edit menu ("Move 3 nodes").
        done: Changes in the order in which they were made.
        undone: Changes that take them back, in their order.
        merge_key: Consecutive steps of the same key become one (a drag, typing in one field).
    """

    label: str
    done: List[Change]
    undone: List[Change]
    merge_key: str = ""


class Document:
    """The workflow that is being edited.

    Listeners are called after every change with the changes that were applied, also on undo and redo; a view brings
    itself up to date from them and never changes the workflow itself.

    Attributes:
        workflow: The present state; change it through `edit` only.
        path: The file, or ``None`` for a new document.
    """

    def __init__(self, workflow: Optional[Workflow] = None, path: Optional[Union[str, Path]] = None):
        self.workflow = workflow or Workflow()
        self.path: Optional[Path] = Path(path) if path is not None else None
        self.listeners: List[Listener] = []
        self._steps: List[Step] = []
        self._position = 0
        self._saved_position: Optional[int] = 0
        self._merging_ended = True

    @classmethod
    def open(cls, path: Union[str, Path]) -> Document:
        """Open a workflow file.

        Raises:
            WorkflowError: The file cannot be read or is no workflow.
        """
        return cls(load_workflow(path), path)

    # Editing

    def edit(self, label: str, changes: Sequence[Change], merge_key: str = "") -> None:
        """Apply changes as one step of the history; nothing is recorded where nothing changes."""
        undone = [change.apply(self.workflow) for change in changes][::-1]
        if all(change.value == inverse.value for change, inverse in zip(changes, undone[::-1])):
            return
        self._record(Step(label, list(changes), undone, merge_key))
        self._notify(changes)

    def _record(self, step: Step) -> None:
        del self._steps[self._position :]
        if self._saved_position is not None and self._saved_position > self._position:
            self._saved_position = None
        last = self._steps[-1] if self._steps else None
        merges = last is not None and step.merge_key and last.merge_key == step.merge_key
        if merges and not self._merging_ended and self._saved_position != self._position:
            assert last is not None
            last.done += step.done
            last.undone = step.undone + last.undone
        else:
            self._steps.append(step)
            self._position += 1
        self._merging_ended = False

    def end_merging(self) -> None:
        """The drag or the typing is over: the next step stands for itself."""
        self._merging_ended = True

    def undo(self) -> None:
        """Take the last step back; nothing happens where there is none."""
        if self.can_undo:
            self._position -= 1
            self._replay(self._steps[self._position].undone)

    def redo(self) -> None:
        """Do the step again that was taken back last."""
        if self.can_redo:
            self._position += 1
            self._replay(self._steps[self._position - 1].done)

    def _replay(self, changes: Sequence[Change]) -> None:
        self._merging_ended = True
        for change in changes:
            change.apply(self.workflow)
        self._notify(changes)

    def _notify(self, changes: Sequence[Change]) -> None:
        for listener in list(self.listeners):
            listener(changes)

    @property
    def can_undo(self) -> bool:
        """True if there is a step to take back."""
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        """True if a step was taken back."""
        return self._position < len(self._steps)

    @property
    def undo_label(self) -> str:
        """What undo would take back."""
        return self._steps[self._position - 1].label if self.can_undo else ""

    @property
    def redo_label(self) -> str:
        """What redo would do again."""
        return self._steps[self._position].label if self.can_redo else ""

    # Saving

    @property
    def is_modified(self) -> bool:
        """True if the present state is not the one in the file."""
        return self._saved_position != self._position

    def save(self, path: Optional[Union[str, Path]] = None) -> Path:
        """Write the file, to its own place or to a new one.

        Raises:
            StorageError: It cannot be written; an existing file is untouched.
            ValueError: The document has no place yet, and none was given.
        """
        target = Path(path) if path is not None else self.path
        if target is None:
            raise ValueError("a new document needs a path to be saved")
        save_workflow(self.workflow, target)
        self.path = target
        self._saved_position = self._position
        self._merging_ended = True
        return target

    def mark_modified(self) -> None:
        """The present state is in no file: it was imported or recovered, or its file is gone."""
        self._saved_position = None

    @property
    def title(self) -> str:
        """Name for the window's title."""
        return self.path.name if self.path is not None else self.workflow.name

    def next_version_path(self) -> Path:
        """``name-v003.json`` after ``name-v002.json``, or ``name-v001.json`` where there is no version yet.

        Raises:
            ValueError: The document has no place yet.
        """
        if self.path is None:
            raise ValueError("a new document has no version before it was saved")
        stem, number = _split_version(self.path.stem)
        taken = [_split_version(path.stem) for path in self.path.parent.glob(f"{stem}-v*.json")]
        highest = max([number or 0, *(found or 0 for name, found in taken if name == stem)])
        return self.path.with_name(f"{stem}-v{highest + 1:03d}.json")


def _split_version(stem: str) -> Tuple[str, Optional[int]]:
    name, dash, version = stem.rpartition("-v")
    if dash and version.isdigit():
        return name, int(version)
    return stem, None
