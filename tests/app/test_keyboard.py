"""The whole program without a mouse: a graph is built, set up, saved and left by keys alone."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QTabBar,
    QWidget,
)

from runtime.workflow import load_workflow

CTRL = Qt.KeyboardModifier.ControlModifier


def press(key, modifiers=Qt.KeyboardModifier.NoModifier):
    """A key for whatever has the focus."""
    QTest.keyClick(QApplication.focusWidget() or QApplication.activeWindow(), key, modifiers)
    QApplication.processEvents()


def write(text):
    QTest.keyClicks(QApplication.focusWidget(), text)
    QApplication.processEvents()


def on_canvas(window):
    return QApplication.focusWidget() is window.canvas.viewer


@pytest.fixture
def active(window, qtbot):
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    window.canvas.setFocus()
    return window


def add(window, name):
    press(Qt.Key.Key_Tab)
    write(name)
    press(Qt.Key.Key_Return)
    assert on_canvas(window)
    return window.session.selection[0]


def connect(wire):
    press(Qt.Key.Key_C)
    write(wire)
    press(Qt.Key.Key_Return)


def test_a_small_graph_is_built_set_up_and_saved(active, qtbot, choose, tmp_path):
    window = active
    env, gate, agent = add(window, "env"), add(window, "OR"), add(window, "PPO agent")
    press(Qt.Key.Key_P)
    while window.session.selection != [env]:
        press(Qt.Key.Key_N)
    connect("env.observations or.input_a")
    while window.session.selection != [agent]:
        press(Qt.Key.Key_N)
    connect("or.output observations")
    nodes = window.session.workflow.nodes
    assert nodes[gate].inputs == {"input_a": [env, "observations"]}
    assert nodes[agent].inputs == {"observations": [gate, "output"]}
    press(Qt.Key.Key_F2)
    write("Brain")
    press(Qt.Key.Key_Return)
    assert nodes[agent].title == "Brain"
    for _ in range(12):
        if window.inspector.isAncestorOf(QApplication.focusWidget()):
            break
        press(Qt.Key.Key_F6)
    for _ in range(30):
        if QApplication.focusWidget().objectName() == "param_hidden_sizes":
            break
        press(Qt.Key.Key_Tab)
    press(Qt.Key.Key_A, CTRL)
    write("32, 32")
    press(Qt.Key.Key_Return)
    assert nodes[agent].inputs["hidden_sizes"] == [32, 32]
    press(Qt.Key.Key_S, CTRL)
    choose(window, "saveDialog", tmp_path / "keys.json")
    qtbot.waitUntil(lambda: not window.session.document.is_modified)
    assert load_workflow(tmp_path / "keys.json").nodes[agent].title == "Brain"
    window.activateWindow()  # as a window manager does when the dialog closes
    window.canvas.setFocus()
    qtbot.waitUntil(lambda: on_canvas(window))
    press(Qt.Key.Key_Z, CTRL)
    assert "hidden_sizes" not in nodes[agent].inputs


def test_every_action_with_a_shortcut_answers_to_it(active, monkeypatch):
    """A key that does nothing, or two that fight over it, would leave the action untouched."""
    window = active
    touched = []
    for action in window.actions_by_name:
        action.triggered.disconnect()
        action.triggered.connect(lambda _=False, action=action: touched.append(action.objectName()))
        action.setEnabled(True)
    for action in window.actions_by_name:
        for keys in action.shortcuts():
            window.canvas.setFocus()
            touched.clear()
            combination = keys[0]
            QTest.keyClick(window.canvas.viewer, combination.key(), combination.keyboardModifiers())
            QApplication.processEvents()
            assert touched == [action.objectName()], keys.toString()


def test_whatever_takes_the_keyboard_has_a_name_for_screen_readers(active, qtbot):
    window = active
    window.canvas.add_node("PPOTrainerNode")
    window.inspector.show_selection()
    buddies = {label.buddy() for label in window.findChildren(QLabel) if label.buddy() is not None}
    kinds = (QLineEdit, QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox)
    nameless = []
    for widget in window.findChildren(QWidget):
        parent = widget.parentWidget()
        inner = isinstance(parent, (QAbstractSpinBox, QComboBox, QTabBar)) or widget.objectName().startswith("qt_")
        takes_keys = widget.isVisible() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        if isinstance(widget, kinds) and takes_keys and not inner and widget not in buddies:
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if not (widget.accessibleName() or text.strip() or widget.toolTip()):
                nameless.append((type(widget).__name__, widget.objectName(), type(parent).__name__))
    assert nameless == []
