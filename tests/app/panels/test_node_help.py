"""The reference page of a node type."""

import pytest
from PySide6.QtCore import Qt

from app.panels.node_help import NodeHelp
from app.session import EditorSession
from app.theme import apply_theme


@pytest.fixture
def page(session, qtbot):
    page = NodeHelp(session)
    qtbot.addWidget(page)
    return page


def test_the_selected_type_is_described(page, session):
    session.select(["6"])
    page.show_selected()
    text = page.browser.toPlainText()
    assert page.isVisible()
    assert "PPO Trainer" in page.windowTitle()
    for expected in (
        "policy_outputs",
        "What the policy did",
        "learning_rate",
        "Adam's step size at the start",
        "0 to 1",
    ):
        assert expected in text


def test_without_a_selection_it_stays_closed_and_says_why(page, session, qtbot):
    with qtbot.waitSignal(session.message) as blocker:
        page.show_selected()
    assert blocker.args == ["Select a node to see its reference page"]
    assert not page.isVisible()


def test_a_missing_type_gets_a_page_that_says_so(page):
    page.show_type("NoSuchNode")
    assert "NoSuchNode" in page.browser.toPlainText()
    assert "missing" in page.browser.toPlainText()


def test_before_the_types_are_there_it_says_that_they_load(qapp, qtbot):
    page = NodeHelp(EditorSession())
    qtbot.addWidget(page)
    page.show_type("ORNode")
    assert "loading" in page.browser.toPlainText()


def test_another_type_replaces_the_page_from_its_top(page):
    page.show_type("PPOTrainerNode")
    page.browser.verticalScrollBar().setValue(300)
    page.show_type("ORNode")
    assert "drops nothing" in page.browser.toPlainText()
    assert page.browser.verticalScrollBar().value() == 0


def test_escape_closes_it(page, qtbot):
    page.show_type("ORNode")
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert not page.isVisible()


def test_a_theme_change_keeps_the_page(page, qapp):
    page.show_type("ORNode")
    before = page.browser.toPlainText()
    apply_theme(qapp, "light")
    apply_theme(qapp, "dark")
    assert page.browser.toPlainText() == before


def test_no_table_is_wider_than_the_page(page, registry):
    for name in registry.types:
        page.show_type(name)
        assert page.browser.horizontalScrollBar().maximum() == 0, name
