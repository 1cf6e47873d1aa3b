"""A canvas with all node types, and a mouse for it."""

import importlib.util
import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if importlib.util.find_spec("PySide6") is None:
    collect_ignore_glob = ["test_*.py"]

EXAMPLE = Path(__file__).parents[3] / "examples" / "cartpole_ppo.json"
PLACES = {"1": (0, 120), "2": (260, 160), "3": (480, 120), "4": (740, 60), "5": (980, 120), "6": (1240, 160)}
HARMLESS = ("This plugin does not support",)


@pytest.fixture(scope="session")
def registry():
    import nodes
    from runtime.registry import discover

    return discover([nodes])


@pytest.fixture
def session(qapp, registry):
    from app.session import EditorSession

    session = EditorSession()
    session.set_registry(registry)
    session.validate_now()
    session.messages = []
    session.message.connect(session.messages.append)
    yield session
    session._validation.stop()


@pytest.fixture
def canvas(session, qtbot, qtlog):
    from PySide6.QtWidgets import QApplication

    from app.canvas.canvas import Canvas

    before = set(QApplication.topLevelWidgets())
    canvas = Canvas(session)
    qtbot.addWidget(canvas)
    canvas.resize(1200, 800)
    canvas.show()
    qtbot.waitExposed(canvas)
    canvas.zoom_reset()
    canvas.viewer.centre_on(canvas.viewer.visible_rect().center())
    canvas.viewer.touched = True
    yield canvas
    canvas.popup.hide()
    canvas.hint.hide()
    said = [record.message for record in qtlog.records if not record.message.startswith(HARMLESS)]
    assert said == []
    left_open = set(QApplication.topLevelWidgets()) - before - {canvas}
    assert [widget for widget in left_open if widget.isVisible() or widget.parent() is None] == []


@pytest.fixture
def cartpole(canvas, session):
    """The canvas with the reference graph at 100 %, in one row."""
    from app.document import Document

    document = Document.open(EXAMPLE)
    for node_id, place in PLACES.items():
        document.workflow.nodes[node_id].position = place
    session.set_document(document)
    canvas.resize(1600, 800)
    canvas.zoom_reset()
    canvas.viewer.centre_on(canvas.items.bounds().center())
    return canvas


class Mouse:
    """Presses, moves and releases the left button at scene positions."""

    def __init__(self, canvas, qtbot):
        self.canvas, self.qtbot = canvas, qtbot

    def at(self, place):
        from PySide6.QtCore import QPointF

        return self.canvas.viewer.mapFromScene(QPointF(place))

    @property
    def _viewport(self):
        return self.canvas.viewer.viewport()

    def press(self, place, modifier=None):
        from PySide6.QtCore import Qt

        modifier = modifier or Qt.KeyboardModifier.NoModifier
        self.qtbot.mousePress(self._viewport, Qt.MouseButton.LeftButton, modifier, self.at(place))

    def move(self, place):
        self.qtbot.mouseMove(self._viewport, self.at(place))

    def release(self, place, modifier=None):
        from PySide6.QtCore import Qt

        modifier = modifier or Qt.KeyboardModifier.NoModifier
        self.qtbot.mouseRelease(self._viewport, Qt.MouseButton.LeftButton, modifier, self.at(place))

    def click(self, place, modifier=None):
        self.press(place, modifier)
        self.release(place, modifier)

    def double_click(self, place):
        from PySide6.QtCore import Qt

        self.click(place)
        self.qtbot.mouseDClick(self._viewport, Qt.MouseButton.LeftButton, pos=self.at(place))

    def drag(self, start, end, steps=4):
        self.press(start)
        for step in range(1, steps + 1):
            self.move(start + (end - start) * (step / steps))
        self.release(end)


@pytest.fixture
def mouse(canvas, qtbot):
    return Mouse(canvas, qtbot)


@pytest.fixture
def snapshot(session):
    """The document as text, to compare."""
    from runtime.workflow import format_workflow

    return lambda: format_workflow(session.workflow)
