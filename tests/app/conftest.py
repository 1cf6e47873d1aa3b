"""The whole window with folders of its own, and a check that nothing is left behind."""

import gc
import importlib.util
import os
import shutil
import threading
from pathlib import Path

import pytest

from tests.app.left_behind import HARMLESS, nothing_left_behind
from tests.commands import dnne, folder, small, start

__all__ = ["dnne", "folder", "small", "start"]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
LACKS_QT = importlib.util.find_spec("PySide6") is None or importlib.util.find_spec("pytestqt") is None
if LACKS_QT:
    collect_ignore = [
        "test_main_window.py",
        "test_actions.py",
        "test_editor.py",
        "test_error_reports.py",
        "test_garbage.py",
        "test_left_behind.py",
        "test_hard_input.py",
        "test_keyboard.py",
        "test_pending_edits.py",
        "test_watching.py",
        "test_theme.py",
    ]
    collect_ignore_glob = [
        "files/*",
        "dialogs/*",
        "canvas/*",
        "panels/*",
        "plots/*",
        "viewer/*",
        "history/*",
        "running/*",
    ]

EXAMPLE = Path(__file__).parents[2] / "examples" / "cartpole_ppo.json"
EARLIER = Path(__file__).parents[1] / "fixtures" / "earlier_dnne"


@pytest.fixture(autouse=True, scope="module")
def _garbage_stays_in_this_thread():
    """As in the editor: widgets that die in another thread, then or in a later test, end the process."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def _nothing_left_behind(request):
    if "qapp" not in request.fixturenames:
        yield
        return
    with nothing_left_behind(request.getfixturevalue("qtlog")):
        yield


@pytest.fixture(scope="session")
def registry():
    import nodes
    from runtime.registry import discover

    return discover([nodes])


@pytest.fixture
def folders(tmp_path):
    from app.files.folders import UserFolders

    return UserFolders.below(tmp_path / "user")


@pytest.fixture
def make_window(qtbot, qtlog, folders, registry, monkeypatch):
    """Builds windows that share their folders; each is closed at the end, and nothing may be left of it."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from app import main_window

    monkeypatch.setattr(main_window, "load_node_types", lambda folders: registry)
    windows = []
    before = {widget for widget in QApplication.topLevelWidgets() if widget.isVisible()}

    def make(path=None, wait=True):
        window = main_window.MainWindow(path, folders)
        windows.append(window)
        window.resize(1200, 800)
        window.show()
        qtbot.waitExposed(window)
        if wait:
            qtbot.waitUntil(lambda: window.session.registry is not None)
            window.session.validate_now()
        return window

    yield make
    for window in windows:
        window.close_unasked()
    qtbot.wait(80)
    left = [timer.objectName() or timer.parent() for window in windows for timer in window.findChildren(QTimer)
            if timer.isActive()]  # fmt: skip
    assert left == []
    assert [thread.name for thread in threading.enumerate() if thread.name == "dnne-task"] == []
    assert {widget for widget in QApplication.topLevelWidgets() if widget.isVisible()} <= before
    for window in windows:
        window.deleteLater()
    said = [record.message for record in qtlog.records if not record.message.startswith(HARMLESS)]
    assert said == []


@pytest.fixture
def window(make_window):
    return make_window()


@pytest.fixture
def copied(tmp_path):
    return Path(shutil.copy(EXAMPLE, tmp_path / "cartpole.json"))


@pytest.fixture
def dialog(qtbot):
    """Waits for the dialog of a name."""
    from PySide6.QtWidgets import QDialog

    def find(window, name):
        def visible():
            return [d for d in window.findChildren(QDialog, name) if d.isVisible()]

        qtbot.waitUntil(lambda: bool(visible()), timeout=3000)
        return visible()[0]

    return find


@pytest.fixture
def press(qtbot, dialog):
    """Presses a button, by its text without the ampersand, in the dialog of a name."""
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QPushButton

    def click(window, name, text):
        buttons = {button.text().replace("&", ""): button for button in dialog(window, name).findChildren(QPushButton)}
        qtbot.mouseClick(buttons[text], Qt.MouseButton.LeftButton)

    return click


@pytest.fixture
def choose(qtbot, dialog):
    """Types a path into a file dialog and accepts it."""
    from PySide6.QtWidgets import QLineEdit

    def type_path(window, name, path):
        found = dialog(window, name)
        qtbot.wait(150)  # Qt selects the suggested file when it has listed the folder
        found.findChild(QLineEdit, "fileNameEdit").setText(str(path))
        qtbot.waitUntil(lambda: Path(found.selectedFiles()[0]).with_suffix("") == Path(path).with_suffix(""))
        found.accept()

    return type_path
