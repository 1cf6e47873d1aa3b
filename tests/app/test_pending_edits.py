"""What was typed and not yet confirmed is taken before the document is saved, exported, left or undone."""

import pytest
from PySide6.QtTest import QTest

from runtime.workflow import load_workflow


def type_learning_rate(window, text):
    """Types into a live parameter, which waits for a pause before it reaches the document."""
    window.session.select(["6"])
    window.inspector.show_selection()
    field = window.inspector.page.rows["learning_rate"].editor.input
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    assert window.session.workflow.nodes["6"].inputs["learning_rate"] == 0.001


def test_saving_takes_what_was_typed(make_window, copied):
    window = make_window(copied)
    type_learning_rate(window, "0.25")
    window.actions_by_name["actionSave"].trigger()
    assert load_workflow(copied).nodes["6"].inputs["learning_rate"] == 0.25


def test_saving_takes_a_title_that_is_being_typed(make_window, copied):
    window = make_window(copied)
    window.session.select(["6"])
    window.canvas.rename_selected()
    QTest.keyClicks(window.canvas.editor, "Teacher")
    window.actions_by_name["actionSave"].trigger()
    assert load_workflow(copied).nodes["6"].title == "Teacher"


@pytest.mark.parametrize("action", ["actionNew", "actionQuit"])
def test_leaving_asks_about_what_was_typed(make_window, copied, press, action):
    window = make_window(copied)
    type_learning_rate(window, "0.25")
    window.actions_by_name[action].trigger()
    press(window, "unsavedDialog", "Save")
    assert load_workflow(copied).nodes["6"].inputs["learning_rate"] == 0.25


def test_exporting_takes_what_was_typed(make_window, copied, dialog, qtbot):
    window = make_window(copied)
    type_learning_rate(window, "0.25")
    window.actions_by_name["actionExport"].trigger()
    export = dialog(window, "exportDialog")
    assert export._workflow.nodes["6"].inputs["learning_rate"] == 0.25
    qtbot.waitUntil(lambda: not export.is_busy, timeout=10_000)
    export.close()


def test_undo_takes_back_what_was_typed(make_window, copied):
    window = make_window(copied)
    type_learning_rate(window, "0.25")
    window.session.undo()
    assert window.session.workflow.nodes["6"].inputs["learning_rate"] == 0.001
    assert window.session.document.redo_label.startswith("Set Learning rate")
