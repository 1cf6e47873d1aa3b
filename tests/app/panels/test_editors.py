"""Each editor by itself: what it shows, what it hands over, and what it refuses."""

from typing import Any, Dict, List, Optional

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit, QToolButton

from app.panels.editors import make_editor
from app.panels.editors.choice import ChoiceEditor, Switch, SwitchEditor
from app.panels.editors.mapping import MappingEditor
from app.panels.editors.number import NumberEditor
from app.panels.editors.path import PathEditor
from app.panels.editors.text import JsonEditor, ListEditor, MultilineEditor, OptionalEditor, TextEditor
from runtime.node import Node
from runtime.parameters import param


class EveryKind(Node):
    """Parameters of every kind."""

    title = "Every kind"
    rate: float = param(3e-4, low=0.0, high=1.0, doc="A rate")
    live_rate: float = param(3e-4, low=0.0, high=1.0, doc="A live rate", live=True)
    force: float = param(400.0, low=0.0, high=500.0, unit="N", doc="A force")
    count: int = param(64, low=1, high=1_000_000, doc="A count")
    size: int = param(0, low=1, high=100, auto=True, doc="A size")
    level: int = param(1, choices=(1, 2, 4), doc="A level")
    kind: str = param("elu", choices=("elu", "relu"), doc="A kind")
    switch: bool = param(True, doc="A switch")
    text: str = param("", doc="A text")
    notes: str = param("", widget="multiline", doc="Notes")
    file: str = param("", widget="file", doc="A file")
    folder: str = param("", widget="folder", doc="A folder")
    sizes: List[int] = param([64, 64], low=1, high=1000, doc="Sizes")
    clip: List[float] = param([], doc="A range")
    names: List[str] = param(["*"], doc="Patterns")
    weights: Dict[str, float] = param({}, low=-10.0, high=10.0, doc="Weights")
    ranges: Dict[str, List[float]] = param({"a": [0.0, 1.0]}, doc="Ranges")
    limit: Optional[float] = param(None, low=0.0, doc="A limit")
    anything: Any = param(None, doc="Anything")

    def compute(self):
        """Nothing."""


class Watched:
    """An editor with what it said."""

    def __init__(self, name, show):
        self.declared = EveryKind.parameters[name]
        self.editor = make_editor(self.declared)
        self.values, self.reasons, self.finished = [], [], 0
        self.editor.edited.connect(self.values.append)
        self.editor.rejected.connect(self.reasons.append)
        self.editor.finished.connect(self._finish)
        self.editor.show_value(self.declared.default)
        self.reasons.clear()
        show(self.editor, 240, 160)

    def _finish(self):
        self.finished += 1

    @property
    def reason(self):
        return self.reasons[-1] if self.reasons else ""


@pytest.fixture
def make(show):
    return lambda name: Watched(name, show)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rate", NumberEditor), ("count", NumberEditor), ("level", ChoiceEditor), ("kind", ChoiceEditor),
        ("switch", SwitchEditor), ("text", TextEditor), ("notes", MultilineEditor), ("file", PathEditor),
        ("folder", PathEditor), ("sizes", ListEditor), ("names", ListEditor), ("weights", MappingEditor),
        ("ranges", MappingEditor), ("limit", OptionalEditor), ("anything", JsonEditor),
    ],
)  # fmt: skip
def test_each_declaration_has_its_editor(qapp, name, kind):
    assert type(make_editor(EveryKind.parameters[name])) is kind


@pytest.mark.parametrize("name", list(EveryKind.parameters))
def test_showing_a_value_hands_nothing_over(make, name):
    watched = make(name)
    watched.editor.show_mixed()
    watched.editor.show_value(watched.declared.default)
    watched.editor.revert()
    watched.editor.commit()
    assert watched.values == []


# Numbers


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


# Texts and lists


def test_a_text_is_handed_over_key_by_key(make, type_into):
    watched = make("text")
    type_into(watched.editor.input, "ab")
    assert watched.values == ["a", "ab"]


@pytest.mark.parametrize("text", ["64, 32", "64,32", "64 32", "[64, 32]", "64, 32,"])
def test_a_list_is_written_with_commas(make, type_into, text):
    watched = make("sizes")
    type_into(watched.editor.input, text, Qt.Key.Key_Return)
    assert watched.values[-1] == [64, 32]
    assert watched.editor.line.text() == "64, 32"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("64, x", "'x' is not a whole number"), ("64,, 32", "nothing between two commas"), ("0", "out of range"),
        ("1.5", "not a list of whole number"),
    ],
)  # fmt: skip
def test_a_wrong_list_says_what_is_wrong(make, type_into, text, reason):
    watched = make("sizes")
    type_into(watched.editor.input, text)
    assert reason in watched.reason
    assert watched.editor.line.text() == text


def test_an_emptied_list_is_empty(make, type_into):
    watched = make("sizes")
    type_into(watched.editor.input, "")
    assert watched.values == [[]]


def test_lists_of_real_numbers_and_of_texts(make, type_into):
    clip = make("clip")
    type_into(clip.editor.input, "-1, 3e-4", Qt.Key.Key_Return)
    assert clip.values[-1] == [-1.0, 3e-4]
    names = make("names")
    type_into(names.editor.input, "train/*, episode/mean reward", Qt.Key.Key_Return)
    assert names.values[-1] == ["train/*", "episode/mean reward"]


def test_an_optional_number_is_none_when_empty(make, type_into):
    watched = make("limit")
    type_into(watched.editor.input, "2.5")
    type_into(watched.editor.input, "")
    assert watched.values[-2:] == [2.5, None]


def test_anything_else_is_written_as_json(make, type_into):
    watched = make("anything")
    type_into(watched.editor.input, '{"a": [1, true]}')
    assert watched.values[-1] == {"a": [1, True]}
    type_into(watched.editor.input, "{")
    assert "not valid JSON at column" in watched.reason


def test_several_lines_of_text(make, qtbot):
    watched = make("notes")
    watched.editor.input.setFocus()
    qtbot.keyClicks(watched.editor.input, "a")
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Return)
    qtbot.keyClicks(watched.editor.input, "b")
    assert watched.values[-1] == "a\nb"
    watched.editor.show_value("a\nb")
    assert watched.editor.text.textCursor().position() == 3


@pytest.mark.parametrize(
    ("name", "dialog", "answer"),
    [
        ("folder", "getExistingDirectory", "/data/runs"),
        ("file", "getOpenFileName", ("/data/model.pt", "All files (*)")),
    ],
)
def test_a_path_is_chosen_in_a_dialog(make, qtbot, monkeypatch, name, dialog, answer):
    watched = make(name)
    monkeypatch.setattr(QFileDialog, dialog, lambda *_: answer)
    qtbot.mouseClick(watched.editor.button, Qt.MouseButton.LeftButton)
    path = answer if isinstance(answer, str) else answer[0]
    assert (watched.values, watched.editor.line.text()) == ([path], path)


def test_a_cancelled_dialog_changes_nothing(make, qtbot, monkeypatch):
    watched = make("folder")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    qtbot.mouseClick(watched.editor.button, Qt.MouseButton.LeftButton)
    assert watched.values == []


# Choices and switches


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


# Mixed values


@pytest.mark.parametrize("name", ["rate", "text", "sizes", "count"])
def test_mixed_values_are_named_and_replaced_by_typing(make, type_into, name):
    watched = make(name)
    watched.editor.show_mixed()
    assert (watched.editor.line.text(), watched.editor.line.placeholderText()) == ("", "mixed")
    watched.editor.input.setFocus()
    watched.editor.input.clearFocus()
    assert watched.values == []
    type_into(watched.editor.input, "1")
    assert len(watched.values) == 1
    assert watched.editor.line.placeholderText() == ""


# Dictionaries


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


# Accessibility


@pytest.mark.parametrize("name", list(EveryKind.parameters))
def test_inputs_have_names_for_tests_and_screen_readers(make, name):
    editor = make(name).editor
    editor.name_input(name, "What it is")
    assert editor.input.objectName() == f"param_{name}"
    assert editor.input.accessibleName() == name
    assert editor.input.accessibleDescription() == "What it is"


def test_fields_inside_rows_have_names_too(make):
    watched = make("weights")
    watched.editor.show_value({"up": 1.0})
    assert watched.editor.rows[0].name_box.accessibleName() == "Name"
    assert watched.editor.rows[0].editor.input.accessibleName() == "Value of up"
    assert isinstance(watched.editor.rows[0].name_box, QComboBox)
    assert isinstance(watched.editor.rows[0].name_box.lineEdit(), QLineEdit)
