"""Spin boxes for numbers of any size, in ordinary or scientific notation, with their unit."""

from __future__ import annotations

from typing import Any, Tuple

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPalette, QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QLineEdit

from app.panels.number_text import Number, format_number, parse_number, stepped
from runtime.errors import ParameterError
from runtime.parameters import AUTO, Parameter

from .text import TextEditor

StepEnabled = QAbstractSpinBox.StepEnabledFlag


class NumberEdit(QAbstractSpinBox):
    """The spin box itself: takes any text, and only tells of steps; the wheel acts where the keyboard is."""

    step_requested = Signal(int)

    def __init__(self, unit: str):
        super().__init__()
        self.setLineEdit(UnitLine(unit))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def stepBy(self, steps: int) -> None:  # noqa: N802
        """Arrows, wheel, Page Up and Page Down (ten steps)."""
        self.step_requested.emit(steps)

    def stepEnabled(self) -> StepEnabled:  # noqa: N802
        """Both ways; a step ends at the range."""
        return StepEnabled.StepUpEnabled | StepEnabled.StepDownEnabled

    def validate(self, text: str, position: int) -> Tuple[QValidator.State, str, int]:
        """Let everything be typed: what is no number is marked instead."""
        return QValidator.State.Acceptable, text, position

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Scroll the panel instead of changing a number in passing."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Select the number, so that typing replaces it."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()


class UnitLine(QLineEdit):
    """A line that shows a unit at its right end."""

    def __init__(self, unit: str):
        super().__init__()
        self.unit = unit
        if unit:
            self.setTextMargins(0, 0, self._unit_width(), 0)

    def _unit_width(self) -> int:
        return self.fontMetrics().horizontalAdvance(self.unit) + 6

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the unit over the margin that was left for it."""
        super().paintEvent(event)
        if self.unit:
            painter = QPainter(self)
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            place = QRect(0, 0, self.width() - 2, self.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.unit)
            painter.end()


class NumberEditor(TextEditor):
    """A whole or real number; an ``auto`` number shows "auto" for 0."""

    def __init__(self, declared: Parameter, is_int: bool):
        self.spin = NumberEdit(declared.unit)
        super().__init__(declared, self.spin, self.spin.lineEdit())
        self.is_int = is_int
        self.spin.step_requested.connect(self._step)

    def parse(self, text: str) -> Number:
        """Read the number and check its range."""
        if self.declared.auto and text.strip().casefold() in (AUTO, ""):
            return 0
        return self.declared.check(parse_number(text.strip(), self.is_int))

    def format(self, value: Any) -> str:
        """The shortest text of the number."""
        if self.declared.auto and value in (0, AUTO):
            return AUTO
        return format_number(value)

    def _step(self, steps: int) -> None:
        try:
            start = self.parse(self.line.text())
        except ParameterError:
            start = self._start()
        declared = self.declared
        value = stepped(start, steps, self.is_int, declared.low, declared.high)
        if declared.auto and steps < 0 and start in (0, declared.low):
            value = 0
        self._mark("")
        self._is_typing = True
        self.line.setText(self.format(value))
        self._hand_over(value)
        self.spin.selectAll()

    def _start(self) -> Number:
        is_number = isinstance(self._shown, (int, float)) and not isinstance(self._shown, bool)
        return self._shown if is_number else self.declared.default
