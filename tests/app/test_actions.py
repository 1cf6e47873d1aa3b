"""Every action is in a menu, says what it does, and has a shortcut of its own."""

from collections import Counter

import pytest
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from app.action_specs import SPECS, TOOLBAR


def in_menus(window):
    return {action.objectName() for menu in window.menuBar().findChildren(QMenu) for action in menu.actions()}


def test_every_action_has_a_menu_entry(window):
    assert {spec.name for spec in SPECS} <= in_menus(window)
    assert {f"actionShow{panel}" for panel in ("Palette", "Inspector", "Problems", "Toolbar")} <= in_menus(window)


def test_every_action_in_a_menu_has_a_name_and_a_tooltip(window):
    for action in window.findChildren(QAction):
        if action.objectName().startswith("action"):
            assert len(action.toolTip()) > 3, action.objectName()


def test_names_are_unique():
    assert [name for name, count in Counter(spec.name for spec in SPECS).items() if count > 1] == []


def test_no_two_actions_share_a_shortcut(window):
    keys = Counter(key.toString() for action in window.actions_by_name for key in action.shortcuts())
    assert [key for key, count in keys.items() if count > 1] == []


def test_mnemonics_of_a_menu_are_unique(window):
    for menu in window.menuBar().findChildren(QMenu):
        if not menu.objectName().startswith("menu"):
            continue
        letters = [action.text().split("&")[1][:1].lower() for action in menu.actions() if "&" in action.text()]
        assert [letter for letter, count in Counter(letters).items() if count > 1] == [], menu.objectName()


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("actionNew", "Ctrl+N"), ("actionOpen", "Ctrl+O"), ("actionSave", "Ctrl+S"), ("actionSaveAs", "Ctrl+Shift+S"),
        ("actionQuit", "Ctrl+Q"), ("actionUndo", "Ctrl+Z"), ("actionRedo", "Ctrl+Shift+Z"), ("actionRedo", "Ctrl+Y"),
        ("actionCopy", "Ctrl+C"), ("actionFind", "Ctrl+F"), ("actionDelete", "Del"), ("actionRename", "F2"),
        ("actionNodeReference", "F1"), ("actionExport", "Ctrl+E"),
    ],
)  # fmt: skip
def test_customary_shortcuts(window, name, keys):
    assert QKeySequence(keys) in window.actions_by_name[name].shortcuts()


def test_the_toolbar_has_icons(window):
    for entry in TOOLBAR:
        if entry.startswith("action"):
            assert not window.actions_by_name[entry].icon().isNull(), entry


def test_every_action_can_be_triggered(window, dialog, monkeypatch):
    """Each does something without an exception; dialogs that open are closed again."""
    from PySide6.QtWidgets import QApplication, QDialog

    for spec in SPECS:
        if spec.name not in ("actionQuit", "actionFullScreen"):
            window.actions_by_name[spec.name].trigger()
            QApplication.processEvents()
            for opened in window.findChildren(QDialog):
                if opened.isVisible():
                    opened.close()
            window.canvas.popup.hide()
            window.canvas.find_bar.hide()
