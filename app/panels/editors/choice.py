"""Editors for one of a few values: combo boxes and switches."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox

from app.panels.widgets import set_style
from app.theme import colours, current_theme
from runtime.parameters import Parameter

from .base import ValueEditor


class CalmComboBox(QComboBox):
    """A combo box that the wheel changes only where the keyboard is."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Scroll the panel instead of choosing in passing."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceEditor(ValueEditor):
    """One of the declared choices."""

    def __init__(self, declared: Parameter):
        self.combo = CalmComboBox()
        super().__init__(self.combo)
        self.choices = list(declared.choices)
        self.combo.addItems([str(choice) for choice in self.choices])
        self.combo.activated.connect(self._chosen)

    def show_value(self, value: Any) -> None:
        """Choose the document's value; one that is no choice is shown all the same."""
        known = value in self.choices
        self.combo.setPlaceholderText("" if known else str(value))
        self.combo.setCurrentIndex(self.choices.index(value) if known else -1)
        set_style(self.combo, "invalid", not known)

    def show_mixed(self) -> None:
        """Choose nothing."""
        self.combo.setPlaceholderText("mixed")
        self.combo.setCurrentIndex(-1)

    def _chosen(self, index: int) -> None:
        set_style(self.combo, "invalid", False)
        self.edited.emit(self.choices[index])
        self.finished.emit()


class Switch(QCheckBox):
    """A check box drawn as a switch; half-way for mixed values."""

    def sizeHint(self) -> QSize:  # noqa: N802
        """Room for the switch and for the ring around it."""
        return QSize(42, 26)

    def hitButton(self, position: Any) -> bool:  # noqa: N802
        """The switch itself."""
        return self._track().adjusted(-4, -4, 4, 4).contains(QPointF(position))

    def nextCheckState(self) -> None:  # noqa: N802
        """On, off, on; from mixed to on."""
        is_on = self.checkState() == Qt.CheckState.Checked
        self.setCheckState(Qt.CheckState.Unchecked if is_on else Qt.CheckState.Checked)

    def _track(self) -> QRectF:
        return QRectF(3, self.height() / 2 - 9, 34, 18)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Track, knob, and a ring for the keyboard's focus."""
        tokens, state, track = colours(current_theme()), self.checkState(), self._track()
        is_on = state == Qt.CheckState.Checked and self.isEnabled()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(tokens["accent" if is_on or self.hasFocus() else "faint_text"]))
        painter.setBrush(QColor(tokens["accent" if is_on else "field"]))
        painter.drawRoundedRect(track, 9, 9)
        place = {Qt.CheckState.Unchecked: 9.0, Qt.CheckState.PartiallyChecked: 17.0, Qt.CheckState.Checked: 25.0}[state]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens["accent_text" if is_on else "dim_text"]))
        painter.drawEllipse(QPointF(track.left() + place, track.center().y()), 5.5, 5.5)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(tokens["accent"]))
            painter.drawRoundedRect(track.adjusted(-2.5, -2.5, 2.5, 2.5), 11, 11)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Draw the ring when the focus comes or goes."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().event(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Two quick clicks are two clicks."""
        self.mousePressEvent(event)


class SwitchEditor(ValueEditor):
    """True or false."""

    def __init__(self) -> None:
        self.switch = Switch()
        super().__init__(self.switch)
        self.box.addStretch(1)
        self.switch.clicked.connect(self._clicked)

    def show_value(self, value: Any) -> None:
        """Put the switch where the document's value is."""
        states = {True: Qt.CheckState.Checked, False: Qt.CheckState.Unchecked}
        is_bool = isinstance(value, bool)
        self.switch.setCheckState(states[value] if is_bool else Qt.CheckState.PartiallyChecked)

    def show_mixed(self) -> None:
        """Put the switch half-way."""
        self.switch.setCheckState(Qt.CheckState.PartiallyChecked)

    def _clicked(self) -> None:
        self.edited.emit(self.switch.checkState() == Qt.CheckState.Checked)
        self.finished.emit()
