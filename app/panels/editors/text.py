"""Editors of values that are typed: texts, lists, anything that JSON can write."""

from __future__ import annotations

import json
from typing import Any, Callable, List, Optional, Type

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from app.panels.number_text import format_number, parse_number
from app.panels.widgets import set_style
from runtime.errors import ParameterError
from runtime.parameters import Parameter

from .base import ValueEditor

MIXED: Any = object()
_EDITING_KEYS = (Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_X, Qt.Key.Key_Z, Qt.Key.Key_Y)


class TextEditor(ValueEditor):
    """A line in which a value is typed.

    A valid value is handed over with every key, so that nothing is lost by saving or closing. The value of a live
    parameter is handed over when the typing is over: on the way to 1e-4 a running training must not see 1.
    Text that is no value stays, marked, and changes nothing. Escape brings the document's value back.
    """

    def __init__(self, declared: Parameter, input_widget: Optional[QWidget] = None, line: Optional[QLineEdit] = None):
        self.line = line or QLineEdit()
        super().__init__(input_widget or self.line)
        self.declared = declared
        self._shown: Any = MIXED
        self._is_typing = False
        self.line.textEdited.connect(self._typed)
        self.input.editingFinished.connect(self._finish)  # type: ignore[attr-defined]
        self.input.installEventFilter(self)

    def parse(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            ParameterError: It stands for none, or for one that is not allowed.
        """
        return self.declared.check(text)

    def format(self, value: Any) -> str:
        """The text of a value; also of one that the declaration does not allow."""
        return value if isinstance(value, str) else json.dumps(value)

    def show_value(self, value: Any) -> None:
        """Show the document's value."""
        if self._shown is not MIXED and value == self._shown and (self._is_typing or self.line.hasFocus()):
            return
        self._show(value, self.format(value), "")

    def show_mixed(self) -> None:
        """Show an empty line that says so."""
        if self._shown is not MIXED or not self._is_typing:
            self._show(MIXED, "", "mixed")

    def _show(self, value: Any, text: str, placeholder: str) -> None:
        self._shown = value
        self._is_typing = False
        self.line.setPlaceholderText(placeholder)
        if self.line.text() != text:
            self.line.setText(text)
        self._mark("")

    def _typed(self, text: str) -> None:
        self._is_typing = True
        if self._shown is MIXED and not text:
            self.revert()
            return
        try:
            value = self.parse(text)
        except ParameterError as error:
            self._mark(str(error))
            return
        self._mark("")
        if not self.declared.live:
            self._hand_over(value)

    def _hand_over(self, value: Any) -> None:
        self._is_typing = False
        if self._shown is MIXED or value != self._shown:
            self._shown = value
            self.line.setPlaceholderText("")
            self.edited.emit(value)

    def _mark(self, reason: str) -> None:
        set_style(self.input, "invalid", bool(reason))
        self.rejected.emit(reason)

    def commit(self) -> None:
        """Hand over valid text."""
        if self._is_typing:
            try:
                self._hand_over(self.parse(self.line.text()))
            except ParameterError:
                return  # it is marked since it was typed

    def revert(self) -> None:
        """Show the document's value again."""
        if self._shown is MIXED:
            self._show(MIXED, "", "mixed")
        else:
            self._show(self._shown, self.format(self._shown), "")

    def _finish(self) -> None:
        self.commit()
        if not self._is_typing and self._shown is not MIXED:
            self.revert()
        self.finished.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Leave undo to the document, unless something is being typed; commit before a shortcut acts."""
        if event.type() == QEvent.Type.ShortcutOverride:
            return self._before_shortcut(event)  # type: ignore[arg-type]
        if event.type() == QEvent.Type.KeyPress and self._is_typing:
            undoes = event.matches(QKeySequence.StandardKey.Undo)  # type: ignore[attr-defined]
            if undoes or event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
                self.revert()
                return True
        return super().eventFilter(watched, event)

    def _before_shortcut(self, event: QKeyEvent) -> bool:
        if event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo):
            event.setAccepted(self._is_typing and event.matches(QKeySequence.StandardKey.Undo))
            return True
        if event.key() == Qt.Key.Key_Escape and self._is_typing:
            event.accept()
            return True
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() not in _EDITING_KEYS:
            self.commit()
        return False


class ListEditor(TextEditor):
    """Values with commas between them: ``64, 64``."""

    def __init__(self, declared: Parameter, element: Type):
        super().__init__(declared)
        self.element = element
        self.line.setPlaceholderText("empty")

    def parse(self, text: str) -> List[Any]:
        """Split at commas, or at spaces where there are no commas; brackets around it all are fine."""
        bare = text.strip()
        if bare.startswith("[") and bare.endswith("]"):
            bare = bare[1:-1]
        parts = bare.split(",") if "," in bare or self.element is str else bare.split()
        if parts and not parts[-1].strip():
            parts = parts[:-1]
        return self.declared.check([self._read(part.strip()) for part in parts])

    def _read(self, part: str) -> Any:
        if self.element is str:
            return part
        if not part:
            raise ParameterError("there is nothing between two commas")
        return parse_number(part, self.element is int)

    def format(self, value: Any) -> str:
        """``64, 64``."""
        if not isinstance(value, list):
            return super().format(value)
        return ", ".join(format_number(item) for item in value)


class JsonEditor(TextEditor):
    """Any value, written as JSON."""

    def parse(self, text: str) -> Any:
        """Read JSON."""
        try:
            return self.declared.check(json.loads(text))
        except json.JSONDecodeError as error:
            raise ParameterError(f"not valid JSON at column {error.colno}: {error.msg}") from error

    def format(self, value: Any) -> str:
        """JSON, also of a text."""
        return json.dumps(value, ensure_ascii=False)


class OptionalEditor(TextEditor):
    """A line whose empty text stands for ``None``; else the text is read as by another function."""

    def __init__(self, declared: Parameter, parse: Callable[[str], Any], format_value: Callable[[Any], str]):
        super().__init__(declared)
        self._parse, self._format = parse, format_value

    def parse(self, text: str) -> Any:
        """``None`` for nothing."""
        return self.declared.check(self._parse(text) if text.strip() else None)

    def format(self, value: Any) -> str:
        """Nothing for ``None``."""
        return "" if value is None else self._format(value)


class MultilineEditor(ValueEditor):
    """A text of several lines."""

    is_wide = True

    def __init__(self, declared: Parameter):
        self.text = QPlainTextEdit()
        super().__init__(self.text)
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(96)
        self._is_showing = False
        self.text.textChanged.connect(self._typed)

    def show_value(self, value: Any) -> None:
        """Show the document's text."""
        self._show(value if isinstance(value, str) else json.dumps(value), "")

    def show_mixed(self) -> None:
        """Show an empty field that says so."""
        self._show("", "mixed")

    def _show(self, text: str, placeholder: str) -> None:
        self.text.setPlaceholderText(placeholder)
        if self.text.toPlainText() != text:
            self._is_showing = True
            self.text.setPlainText(text)
            self._is_showing = False

    def _typed(self) -> None:
        if not self._is_showing:
            self.edited.emit(self.text.toPlainText())
