"""Choices and switches."""

from PySide6.QtCore import QPoint, Qt

from app.panels.editors.choice import Switch


def test_a_choice_is_made_with_the_keyboard(make, qtbot):
    watched = make("kind")
    watched.editor.input.setFocus()
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Down)
    assert watched.values == ["relu"]


def test_a_choice_keeps_its_type(make, qtbot):
    watched = make("level")
    watched.editor.input.setFocus()
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Down)
    assert watched.values == [2]


def test_a_value_that_is_no_choice_is_shown_and_marked(make):
    watched = make("kind")
    watched.editor.show_value("gelu")
    combo = watched.editor.input
    assert (combo.currentIndex(), combo.placeholderText(), combo.property("invalid")) == (-1, "gelu", True)
    watched.editor.show_value("elu")
    assert (combo.currentText(), combo.property("invalid")) == ("elu", False)


def test_a_switch_is_clicked_and_pressed(make, qtbot):
    watched = make("switch")
    switch = watched.editor.findChild(Switch)
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(20, switch.height() // 2))
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert watched.values == [False, True]


def test_a_mixed_switch_goes_on(make, qtbot):
    watched = make("switch")
    watched.editor.show_mixed()
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Space)
    assert watched.values == [True]


def test_the_states_of_a_switch_look_different(make):
    watched = make("switch")
    pictures = []
    for state in (True, False):
        watched.editor.show_value(state)
        pictures.append(watched.editor.grab().toImage())
    watched.editor.show_mixed()
    pictures.append(watched.editor.grab().toImage())
    assert pictures[0] != pictures[1]
    assert pictures[1] != pictures[2]
    assert pictures[0] != pictures[2]
