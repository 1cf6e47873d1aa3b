"""Dictionaries as small tables."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton


def test_a_row_is_added_with_a_known_name_and_takes_part(make, qtbot):
    watched = make("weights")
    watched.editor.suggest_names(["upright", "still"])
    qtbot.mouseClick(watched.editor.add_button, Qt.MouseButton.LeftButton)
    assert watched.values == [{"upright": 1.0}]
    qtbot.mouseClick(watched.editor.add_button, Qt.MouseButton.LeftButton)
    assert watched.values[-1] == {"upright": 1.0, "still": 1.0}
    box = watched.editor.rows[0].name_box
    assert [box.itemText(row) for row in range(box.count())] == ["upright", "still"]


def test_a_row_without_a_name_takes_no_part_yet(make, qtbot):
    watched = make("weights")
    qtbot.mouseClick(watched.editor.add_button, Qt.MouseButton.LeftButton)
    assert watched.values == []
    qtbot.keyClicks(watched.editor.rows[0].name_box.lineEdit(), "up")
    assert watched.values == []
    watched.editor.add_button.setFocus()
    assert watched.values == [{"up": 1.0}]


def test_a_name_is_chosen_from_the_known_ones(make, qtbot):
    watched = make("weights")
    watched.editor.suggest_names(["upright", "still"])
    watched.editor.add_row()
    box = watched.editor.rows[0].name_box
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert watched.values[-1] == {"still": 1.0}


def test_a_half_typed_name_can_be_committed(make, qtbot):
    watched = make("weights")
    watched.editor.add_row()
    qtbot.keyClicks(watched.editor.rows[0].name_box.lineEdit(), "up")
    watched.editor.commit()
    assert watched.values == [{"up": 1.0}]


def test_a_value_in_a_row_is_edited(make, type_into):
    watched = make("weights")
    watched.editor.show_value({"up": 1.0, "still": 2.0})
    type_into(watched.editor.rows[1].editor.input, "3e-1", Qt.Key.Key_Return)
    assert watched.values[-1] == {"up": 1.0, "still": 0.3}
    assert watched.finished == 1
    watched.editor.show_value({"up": 1.0, "still": 0.3})
    assert len(watched.editor.rows) == 2


@pytest.mark.parametrize(("text", "reason"), [("x", "still: 'x' is not a number"), ("99", "still: 99 is out of range")])
def test_a_wrong_value_names_its_row(make, type_into, text, reason):
    watched = make("weights")
    watched.editor.show_value({"up": 1.0, "still": 2.0})
    type_into(watched.editor.rows[1].editor.input, text)
    assert reason in watched.reason
    assert {"up": 1.0, "still": 99.0} not in watched.values


def test_a_name_that_is_there_twice_is_marked(make, qtbot):
    watched = make("weights")
    watched.editor.show_value({"up": 1.0, "u": 2.0})
    line = watched.editor.rows[1].name_box.lineEdit()
    qtbot.keyClicks(line, "p")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert watched.reason == "'up' is there twice; give each name once"
    assert watched.editor.rows[1].name_box.property("invalid") is True
    assert watched.values == []
    qtbot.keyClicks(line, "s")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert watched.values == [{"up": 1.0, "ups": 2.0}]


def test_a_row_is_removed(make, qtbot):
    watched = make("weights")
    watched.editor.show_value({"up": 1.0, "still": 2.0})
    row = watched.editor.rows[0]
    (remove,) = row.findChildren(QToolButton)
    assert remove.accessibleName() == "Remove up"
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert watched.values == [{"still": 2.0}]
    assert len(watched.editor.rows) == 1


def test_a_dictionary_of_lists(make, type_into, qtbot):
    watched = make("ranges")
    assert watched.editor.rows[0].editor.line.text() == "0, 1"
    type_into(watched.editor.rows[0].editor.input, "0.5, 2", Qt.Key.Key_Return)
    assert watched.values[-1] == {"a": [0.5, 2.0]}


def test_rows_are_not_shared_with_the_document(make, type_into):
    watched = make("ranges")
    value = {"a": [0.0, 1.0]}
    watched.editor.show_value(value)
    type_into(watched.editor.rows[0].editor.input, "5", Qt.Key.Key_Return)
    assert value == {"a": [0.0, 1.0]}


def test_mixed_dictionaries_are_said_to_differ(make):
    watched = make("weights")
    watched.editor.show_mixed()
    assert watched.editor.rows == []
    assert watched.editor.note.text() == "different in the selected nodes"
