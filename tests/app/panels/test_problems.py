"""The problems panel: live list, counts, filters, going there, copying."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app.document import ABSENT, Change, edits
from app.panels.problems import MESSAGE, NODE, PORT, REMEDY, Problems
from app.session import EditorSession
from runtime.validation import ERROR, WARNING, Problem

BROKEN = [
    Change(("nodes", "6", "inputs", "rewards"), ABSENT),
    Change(("nodes", "4", "inputs", "policy_output"), ABSENT),
]


@pytest.fixture
def problems(session, show):
    return show(Problems(session), 900, 240)


def show_each(session, *found):
    session.problems = list(found)
    session.problems_changed.emit(list(found))


WARNED = Problem("3", "", "it starves", "feed it", WARNING, "Agent")
FAILED = Problem("6", "gamma", "5.0 is out of range", "", ERROR, "Trainer")
GENERAL = Problem("", "", "it has no nodes", "add an environment", ERROR)


def test_a_sound_workflow_says_so(problems):
    assert problems.nothing.isVisible()
    assert problems.nothing.text() == "No problems. The workflow can run."
    assert not problems.copy.isEnabled()


def test_it_says_that_it_waits_for_the_node_types(qapp, show):
    assert show(Problems(EditorSession())).nothing.text() == "Node types are loading…"


def test_an_edit_shows_its_problems_and_undo_takes_them_away(problems, session, qtbot):
    session.edit("Break", BROKEN)
    qtbot.waitUntil(lambda: len(problems.shown()) == 2)
    item = problems.list.topLevelItem(0)
    assert [item.text(column) for column in (NODE, PORT, MESSAGE, REMEDY)] == [
        "Action", "policy_output", "the input is not connected", "link an output of type PolicyOutput",
    ]  # fmt: skip
    assert problems.filters[ERROR].text() == "2 errors"
    session.undo()
    qtbot.waitUntil(lambda: problems.shown() == [])
    assert problems.nothing.isVisible()


def test_a_click_goes_to_the_node_and_port(problems, session, qtbot):
    show_each(session, WARNED, FAILED)
    place = problems.list.visualItemRect(problems.list.topLevelItem(1)).center()
    with qtbot.waitSignal(session.reveal_requested) as blocker:
        qtbot.mouseClick(problems.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert blocker.args == ["6", "gamma"]
    assert session.selection == ["6"]


def test_enter_goes_there_too(problems, session, qtbot):
    show_each(session, FAILED, WARNED)
    problems.list.setCurrentItem(problems.list.topLevelItem(1))
    with qtbot.waitSignal(session.reveal_requested) as blocker:
        qtbot.keyClick(problems.list, Qt.Key.Key_Return)
    assert blocker.args == ["3", ""]


def test_a_problem_of_the_whole_workflow_leads_nowhere(problems, session, qtbot):
    show_each(session, GENERAL)
    problems.list.setCurrentItem(problems.list.topLevelItem(0))
    session.select(["3"])
    with qtbot.assertNotEmitted(session.reveal_requested):
        qtbot.keyClick(problems.list, Qt.Key.Key_Return)
    assert session.selection == ["3"]
    assert problems.list.topLevelItem(0).text(NODE) == "Workflow"


def test_filters_hide_errors_or_warnings_and_still_count_them(problems, session, qtbot):
    show_each(session, FAILED, WARNED)
    assert [problems.filters[kind].text() for kind in (ERROR, WARNING)] == ["1 error", "1 warning"]
    qtbot.mouseClick(problems.filters[ERROR], Qt.MouseButton.LeftButton)
    assert problems.shown() == [WARNED]
    qtbot.mouseClick(problems.filters[WARNING], Qt.MouseButton.LeftButton)
    assert problems.shown() == []
    assert problems.nothing.text() == "All problems are hidden by the filters."
    assert problems.filters[ERROR].text() == "1 error"


def test_errors_and_warnings_have_different_marks(problems, session):
    show_each(session, FAILED, WARNED)
    marks = [problems.list.topLevelItem(row).icon(NODE).pixmap(16, 16).toImage() for row in (0, 1)]
    assert marks[0] != marks[1]


def test_all_problems_can_be_copied(problems, session, qtbot):
    show_each(session, FAILED, WARNED)
    with qtbot.waitSignal(session.message) as blocker:
        qtbot.mouseClick(problems.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == (
        "error: node 6 (Trainer), gamma: 5.0 is out of range\nwarning: node 3 (Agent): it starves; feed it"
    )
    assert blocker.args == ["Copied 2 problems"]


def test_selected_problems_are_copied_with_the_keyboard(problems, session, qtbot):
    show_each(session, FAILED, WARNED)
    problems.list.setFocus()
    problems.list.setCurrentItem(problems.list.topLevelItem(1))
    qtbot.keyClick(problems.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "warning: node 3 (Agent): it starves; feed it"


def test_the_current_problem_stays_current_while_others_come_and_go(problems, session):
    show_each(session, FAILED, WARNED)
    problems.list.setCurrentItem(problems.list.topLevelItem(1))
    show_each(session, WARNED)
    assert problems.list.currentItem().data(NODE, Qt.ItemDataRole.UserRole) == WARNED


def test_a_long_message_takes_several_lines(problems, session):
    long = Problem(
        "6", "", "a cycle without an OR node can never start: " + "1 (Env) → " * 30, "let an OR node in", ERROR
    )
    show_each(session, FAILED, long)
    problems.list.doItemsLayout()
    rows = [problems.list.visualItemRect(problems.list.topLevelItem(row)).height() for row in (0, 1)]
    assert rows[1] > 2 * rows[0]


def test_each_row_says_everything_to_screen_readers(problems, session):
    show_each(session, FAILED)
    text = problems.list.topLevelItem(0).data(NODE, Qt.ItemDataRole.AccessibleTextRole)
    assert text == "error: node 6 (Trainer), gamma: 5.0 is out of range"


def test_many_problems_are_listed(problems, session):
    found = [Problem("6", f"p{index}", "x " * 20, "y " * 10, ERROR, "Trainer") for index in range(500)]
    show_each(session, *found)
    problems.list.grab()
    assert len(problems.shown()) == 500


def test_titles_follow_a_rename(problems, session, qtbot):
    session.edit("Break", BROKEN)
    session.edit("Rename", edits.set_title("4", "Push"))
    qtbot.waitUntil(lambda: "Push" in [problem.label for problem in problems.shown()])
