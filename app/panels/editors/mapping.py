"""A small table for dictionaries: a name and its value in each row."""

from __future__ import annotations

import copy
import json
from typing import Any, Callable, Dict, List, Optional, Sequence, get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.panels.widgets import flat_button, set_style, text_label
from app.theme import icon
from runtime.errors import ParameterError
from runtime.parameters import Parameter

from .base import ValueEditor
from .choice import CalmComboBox

MakeEditor = Callable[[Parameter], ValueEditor]


class MappingEditor(ValueEditor):
    """Rows of name and value; a row takes part when it has a name, and a name when its typing is over."""

    is_wide = True

    def __init__(self, declared: Parameter, make_editor: MakeEditor):
        self.frame = QFrame()
        super().__init__(self.frame)
        self.declared = declared
        self.element = _element_of(declared)
        self._make_editor = make_editor
        self._names: Sequence[str] = ()
        self._shown: Any = None
        self._is_mixed = False
        self.rows: List[MappingRow] = []
        self._rows_box = QVBoxLayout()
        self._rows_box.setSpacing(4)
        self.note = text_label("", "dim")
        self.add_button = QPushButton(icon("add"), "Add")
        self.add_button.setAccessibleName("Add a row")
        self.add_button.clicked.connect(self.add_row)
        below = QHBoxLayout()
        below.addWidget(self.add_button)
        below.addWidget(self.note, 1)
        layout = QVBoxLayout(self.frame)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._rows_box)
        layout.addLayout(below)
        self.setFocusProxy(self.add_button)

    def suggest_names(self, names: Sequence[str]) -> None:
        """Names that the task knows."""
        if list(names) != list(self._names):
            self._names = tuple(names)
            for row in self.rows:
                row.suggest(self._names)

    def show_value(self, value: Any) -> None:
        """Show the document's rows; rows that are being edited into the same value stay."""
        if value == self._shown and not self._is_mixed:
            return
        self._shown = copy.deepcopy(value)
        self._is_mixed = False
        is_mapping = isinstance(value, dict)
        self.note.setText("" if is_mapping else f"it is {json.dumps(value)}")
        self._rebuild(value if is_mapping else {})

    def show_mixed(self) -> None:
        """Show no rows; what is added replaces all."""
        self._is_mixed = True
        self._rebuild({})
        self.note.setText("different in the selected nodes")

    def add_row(self) -> None:
        """Start a row, with a known name that is not used yet where there is one."""
        used = {row.name for row in self.rows}
        name = next((known for known in self._names if known not in used), "")
        row = self._append(name, copy.deepcopy(self.element.default))
        row.name_box.setFocus(Qt.FocusReason.OtherFocusReason)
        self._collect()

    def _rebuild(self, value: Dict[str, Any]) -> None:
        for row in self.rows:
            self._rows_box.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        for name, item in value.items():
            self._append(name, item)
        self.rejected.emit("")

    def _append(self, name: str, value: Any) -> MappingRow:
        row = MappingRow(name, value, self._make_editor(self.element), self._names)
        row.changed.connect(self._collect)
        row.removed.connect(lambda: self._remove(row))
        row.editor.finished.connect(self.finished)
        self.rows.append(row)
        self._rows_box.addWidget(row)
        return row

    def _remove(self, row: MappingRow) -> None:
        self.rows.remove(row)
        self._rows_box.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._collect()
        self.finished.emit()

    def _collect(self) -> None:
        try:
            value = self.declared.check(self._value())
        except ParameterError as error:
            self.rejected.emit(str(error))
            return
        self.rejected.emit("")
        if self._is_mixed and not value:
            return
        if self._is_mixed or value != self._shown:
            self._shown = value
            self._is_mixed = False
            self.note.setText("")
            self.edited.emit(copy.deepcopy(value))

    def _value(self) -> Dict[str, Any]:
        value: Dict[str, Any] = {}
        for row in self.rows:
            is_twice = row.name in value
            set_style(row.name_box, "invalid", is_twice)
            if is_twice:
                raise ParameterError(f"{row.name!r} is there twice; give each name once")
            if row.reason:
                raise ParameterError(f"{row.name or 'a row without a name'}: {row.reason}")
            if row.name:
                value[row.name] = row.value
        return value

    def commit(self) -> None:
        """Hand over what was typed in a row."""
        for row in self.rows:
            row.editor.commit()
        self._collect()

    def revert(self) -> None:
        """Show the document's rows again."""
        self._rebuild(self._shown if isinstance(self._shown, dict) and not self._is_mixed else {})


class MappingRow(QWidget):
    """One name and its value.

    Signals:
        changed: Either was edited.
        removed: The row is to go.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, name: str, value: Any, editor: ValueEditor, names: Sequence[str]):
        super().__init__()
        self.value = value
        self.editor = editor
        self.reason = ""
        self.name_box = CalmComboBox()
        self.name_box.setLineEdit(QLineEdit(placeholderText="name"))
        self.name_box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.name_box.setAccessibleName("Name")
        self.suggest(names)
        self.name_box.setEditText(name)
        editor.input.setAccessibleName(f"Value of {name}" if name else "Value")
        editor.show_value(value)
        remove = flat_button("remove", f"Remove {name}" if name else "Remove the row")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.name_box, 3)
        layout.addWidget(editor, 2)
        layout.addWidget(remove)
        self.name_box.activated.connect(lambda _: self.changed.emit())
        self.name_box.lineEdit().editingFinished.connect(self.changed)  # type: ignore[union-attr]
        editor.edited.connect(self._take)
        editor.rejected.connect(self._reject)
        remove.clicked.connect(self.removed.emit)

    @property
    def name(self) -> str:
        """The key."""
        return self.name_box.currentText().strip()

    def suggest(self, names: Sequence[str]) -> None:
        """Offer names, keeping what stands there."""
        text = self.name_box.currentText()
        self.name_box.blockSignals(True)
        self.name_box.clear()
        self.name_box.addItems(list(names))
        self.name_box.setEditText(text)
        self.name_box.blockSignals(False)

    def _take(self, value: Any) -> None:
        self.value = value
        self.changed.emit()

    def _reject(self, reason: str) -> None:
        if reason != self.reason:
            self.reason = reason
            self.changed.emit()


def _element_of(declared: Parameter) -> Parameter:
    """The declaration of one value of a dictionary."""
    element = copy.copy(declared)
    element.annotation = get_args(declared.annotation)[1]
    example: Optional[Any] = next(iter(declared.default.values()), None) if isinstance(declared.default, dict) else None
    element.default = example if example is not None else _plain_default(element)
    return element


def _plain_default(element: Parameter) -> Any:
    for value in (1.0, 1, [0.0, 1.0], [], "", False, element.low):
        try:
            return element.check(value)
        except ParameterError:
            continue
    return None
