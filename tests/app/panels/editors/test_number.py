"""Numbers: typed, stepped, refused."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from tests.app.panels.every_kind import EveryKind


def test_a_small_number_is_shown_and_typed_in_scientific_notation(make, type_into):
    watched = make("rate")
    assert watched.editor.line.text() == "3e-4"
    type_into(watched.editor.input, "2.5e-5", Qt.Key.Key_Return)
    assert watched.values[-1] == 2.5e-5
    assert watched.editor.line.text() == "2.5e-5"
    assert watched.finished >= 1


def test_every_key_that_gives_a_number_hands_it_over(make, type_into):
    watched = make("count")
    type_into(watched.editor.input, "128")
    assert watched.values == [1, 12, 128]


def test_a_live_number_waits_until_the_typing_is_over(make, type_into):
    watched = make("live_rate")
    type_into(watched.editor.input, "1e-4")
    assert watched.values == []
    type_into(watched.editor.input, "1e-4", Qt.Key.Key_Return)
    assert watched.values == [1e-4]


def test_a_live_number_is_handed_over_when_the_keyboard_goes_elsewhere(make, type_into):
    watched = make("live_rate")
    type_into(watched.editor.input, "0.5")
    watched.editor.input.clearFocus()
    assert watched.values == [0.5]


def test_a_live_number_is_handed_over_before_a_shortcut_acts(make, type_into, qtbot):
    watched = make("live_rate")
    type_into(watched.editor.input, "0.5")
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert watched.values == [0.5]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("3e-x", "'3e-x' is not a number; write one such as 0.5 or 3e-4"), ("7", "7 is out of range; allowed: 0 to 1")],
)
def test_what_is_not_allowed_stays_marked_and_changes_nothing(make, type_into, qtbot, text, reason):
    watched = make("rate")
    type_into(watched.editor.input, text)
    assert watched.reason == reason
    assert watched.editor.input.property("invalid") is True
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Return)
    watched.editor.input.clearFocus()
    assert watched.editor.line.text() == text
    assert watched.values == []
    watched.editor.show_value(3e-4)  # the document did not change
    assert watched.editor.line.text() == text


def test_escape_brings_the_value_back(make, type_into, qtbot):
    watched = make("rate")
    type_into(watched.editor.input, "x")
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Escape)
    assert (watched.editor.line.text(), watched.reason) == ("3e-4", "")
    assert not watched.editor.input.property("invalid")


def test_a_value_from_elsewhere_replaces_invalid_text(make, type_into):
    watched = make("rate")
    type_into(watched.editor.input, "x")
    watched.editor.show_value(0.5)
    assert (watched.editor.line.text(), watched.reason) == ("0.5", "")


def test_text_that_stands_for_the_value_stays_while_it_is_typed(make, type_into):
    watched = make("rate")
    type_into(watched.editor.input, "0.00030")
    watched.editor.show_value(watched.values[-1])
    assert watched.editor.line.text() == "0.00030"
    watched.editor.input.clearFocus()
    assert watched.editor.line.text() == "3e-4"


def test_arrows_step_inside_the_range(make, qtbot):
    watched = make("force")
    watched.editor.input.setFocus()
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Up)
    assert watched.values == [410.0]
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_PageUp)
    assert watched.values[-1] == 500.0
    assert watched.editor.line.text() == "500"


def test_a_whole_number_steps_by_one_and_ten(make, qtbot):
    watched = make("count")
    watched.editor.input.setFocus()
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Down)
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_PageUp)
    assert watched.values == [63, 73]


def test_the_buttons_of_the_spin_box_step(make, qtbot):
    watched = make("count")
    spin = watched.editor.input
    qtbot.mouseClick(spin, Qt.MouseButton.LeftButton, pos=QPoint(spin.width() - 10, spin.height() // 4))
    assert watched.values == [65]
    qtbot.mouseClick(spin, Qt.MouseButton.LeftButton, pos=QPoint(spin.width() - 10, spin.height() * 3 // 4))
    assert watched.values == [65, 64]


def test_auto_is_shown_typed_and_stepped_to(make, type_into, qtbot):
    watched = make("size")
    assert watched.editor.line.text() == "auto"
    type_into(watched.editor.input, "12", Qt.Key.Key_Return)
    assert watched.values[-1] == 12
    type_into(watched.editor.input, "auto", Qt.Key.Key_Return)
    assert watched.values[-1] == 0
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Up)
    assert watched.values[-1] == 1
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Down)
    assert (watched.values[-1], watched.editor.line.text()) == (0, "auto")


def wheel(widget):
    place = QPointF(widget.rect().center())
    event = QWheelEvent(
        place, QPointF(widget.mapToGlobal(widget.rect().center())), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


@pytest.mark.parametrize("name", ["count", "kind"])
def test_the_wheel_changes_only_the_field_with_the_keyboard(make, name):
    watched = make(name)
    watched.editor.show_value(EveryKind.parameters[name].choices[-1] if name == "kind" else 64)
    watched.editor.input.clearFocus()
    wheel(watched.editor.input)
    assert watched.values == []
    watched.editor.input.setFocus()
    wheel(watched.editor.input)
    assert len(watched.values) == 1


def test_the_unit_stands_in_the_field(make):
    watched = make("force")
    assert watched.editor.line.unit == "N"
    assert watched.editor.line.textMargins().right() > 0
    with_unit = watched.editor.grab().toImage()
    watched.editor.line.unit = ""
    assert watched.editor.grab().toImage() != with_unit
