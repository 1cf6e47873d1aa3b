"""A session with the built-in node types and the Cartpole example; a warning of Qt's fails a test.

Qt is imported inside the fixtures: this file is read also where there is none, and its tests are left out.
"""

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "cartpole_ppo.json"
PLATFORM_NOTES = ("This plugin does not support",)  # of the offscreen platform, on windows


@pytest.fixture(autouse=True)
def _themed(qapp):
    from app.theme import apply_theme

    if not qapp.styleSheet():
        apply_theme(qapp, "dark")


@pytest.fixture(autouse=True)
def _no_qt_warnings(qtlog):
    yield
    assert [record.message for record in qtlog.records if not record.message.startswith(PLATFORM_NOTES)] == []


@pytest.fixture
def session(qapp, registry):
    from app.document import Document
    from app.session import EditorSession

    session = EditorSession()
    session.set_registry(registry)
    session.set_document(Document.open(EXAMPLE))
    return session


@pytest.fixture
def show(qtbot):
    """Put a widget on the screen with the keyboard in it."""

    def _show(widget, width=340, height=700):
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        widget.activateWindow()
        qtbot.waitUntil(widget.isActiveWindow)
        return widget

    return _show


@pytest.fixture
def type_into(qtbot):
    """Replace a field's text by typing; ``end`` is the key that ends it."""
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QAbstractSpinBox

    def _type(field, text, end=None):
        field.setFocus()
        line = field.lineEdit() if isinstance(field, QAbstractSpinBox) else field
        line.selectAll()
        if text:
            qtbot.keyClicks(field, text)
        else:
            qtbot.keyClick(field, Qt.Key.Key_Delete)
        if end is not None:
            qtbot.keyClick(field, end)

    return _type


@pytest.fixture
def make(show):
    """The editor of one of `EveryKind`'s parameters, on the screen."""
    from tests.app.panels.every_kind import Watched

    return lambda name: Watched(name, show)


@pytest.fixture
def inspector(session, show):
    from app.panels.inspector import Inspector

    return show(Inspector(session))


@pytest.fixture
def select(inspector, session):
    def _select(*node_ids):
        session.select(node_ids)
        inspector.show_selection()
        return inspector.page

    return _select
