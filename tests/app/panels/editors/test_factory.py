"""What all editors have in common, and which one a declaration gets."""

import pytest
from PySide6.QtWidgets import QComboBox, QLineEdit

from app.panels.editors import make_editor
from app.panels.editors.choice import ChoiceEditor, SwitchEditor
from app.panels.editors.mapping import MappingEditor
from app.panels.editors.number import NumberEditor
from app.panels.editors.path import PathEditor
from app.panels.editors.text import JsonEditor, ListEditor, MultilineEditor, OptionalEditor, TextEditor
from tests.app.panels.every_kind import EveryKind


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
