"""The palette: waiting, categories, search, dragging, and files that did not load."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit

from app.panels import palette as palette_module
from app.panels.palette import NODE_MIME_TYPE, Palette
from app.session import EditorSession
from app.theme import category_colour
from runtime.registry import LoadFailure, NodeRegistry


@pytest.fixture
def palette(session, show):
    return show(Palette(session), 240, 700)


def item_of(palette, class_name):
    (item,) = [leaf for leaf in palette.tree.leaves() if leaf.data(0, palette_module.CLASS_NAME) == class_name]
    return item


def test_it_waits_visibly_until_the_types_are_there(qapp, registry, show):
    session = EditorSession()
    palette = show(Palette(session))
    assert palette.is_waiting
    assert palette.pages.currentWidget().objectName() == "paletteWaiting"
    assert not palette.search.isEnabled()
    session.set_registry(registry)
    assert palette.pages.currentWidget() is palette.tree
    assert palette.search.isEnabled()
    assert len(palette.shown_types()) == len(registry.types)


def test_its_names_are_stable(palette):
    assert palette.objectName() == "palette"
    assert palette.findChild(QLineEdit, "paletteSearch") is palette.search


def test_types_stand_in_their_category_with_its_colour(palette, registry):
    item = item_of(palette, "PPOTrainerNode")
    assert item.text(0) == "PPO Trainer"
    assert item.parent().text(0) == "RL"
    mark = item.icon(0).pixmap(24, 24).toImage()
    assert mark.pixelColor(12, 12) == category_colour("RL")


def test_sub_categories_stand_inside_their_category(qapp, registry, show):
    class Rewards(registry.types["FloatConstantNode"]):
        """Test."""

        title, category = "Reward sum", "RL/Rewards"

    session = EditorSession()
    own = NodeRegistry()
    own.add(Rewards, "test")
    session.set_registry(own)
    palette = show(Palette(session))
    item = item_of(palette, "Rewards")
    assert (item.parent().text(0), item.parent().parent().text(0)) == ("Rewards", "RL")


def test_a_tooltip_names_the_purpose_and_the_ports(palette):
    text = item_of(palette, "IsaacGymStepNode").toolTip(0)
    for expected in ("IsaacGymStepNode", "Inputs:", "actions", "Outputs:", "dones", "(Dones)"):
        assert expected in text


def test_typing_filters_and_enter_takes_the_first(palette, qtbot):
    qtbot.keyClicks(palette.search, "trainer")
    assert palette.shown_types()[0] == "PPOTrainerNode"
    with qtbot.waitSignal(palette.node_requested) as blocker:
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert blocker.args == ["PPOTrainerNode"]


def test_enter_without_a_query_adds_nothing(palette, qtbot):
    with qtbot.assertNotEmitted(palette.node_requested):
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)


def test_a_search_without_a_result_says_so_and_escape_clears(palette, qtbot):
    qtbot.keyClicks(palette.search, "xyzzy")
    assert palette.pages.currentWidget() is palette.nothing
    qtbot.keyClick(palette.search, Qt.Key.Key_Escape)
    assert palette.search.text() == ""
    assert palette.pages.currentWidget() is palette.tree


def test_down_goes_from_the_search_into_the_list(palette, qtbot):
    palette.search.setFocus()
    qtbot.keyClicks(palette.search, "step")
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    assert palette.tree.hasFocus()
    with qtbot.waitSignal(palette.node_requested) as blocker:
        qtbot.keyClick(palette.tree, Qt.Key.Key_Return)
    assert blocker.args == ["IsaacGymStepNode"]


def test_a_double_click_asks_for_a_node(palette, qtbot):
    item = item_of(palette, "ORNode")
    palette.tree.scrollToItem(item)
    place = palette.tree.visualItemRect(item).center()
    qtbot.mouseClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(palette.node_requested) as blocker:
        qtbot.mouseDClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert blocker.args == ["ORNode"]


def test_a_category_asks_for_nothing(palette, qtbot):
    palette.tree.setCurrentItem(palette.tree.topLevelItem(0))
    with qtbot.assertNotEmitted(palette.node_requested):
        qtbot.keyClick(palette.tree, Qt.Key.Key_Return)


def test_a_drag_carries_the_class_name(palette, qtbot, monkeypatch):
    drags = []

    class Drag(palette_module.QDrag):
        def exec(self, actions):
            drags.append((bytes(self.mimeData().data(NODE_MIME_TYPE).data()).decode(), self.pixmap().width(), actions))

    monkeypatch.setattr(palette_module, "QDrag", Drag)
    item = item_of(palette, "PPOAgentNode")
    viewport, place = palette.tree.viewport(), palette.tree.visualItemRect(item).center()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseMove(viewport, place + QPoint(40, 5))
    qtbot.mouseMove(viewport, place + QPoint(60, 5))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place + QPoint(60, 5))
    palette.tree.setCurrentItem(item)
    palette.tree.startDrag(Qt.DropAction.CopyAction)
    name, width, actions = drags[-1]
    assert name == "PPOAgentNode"
    assert width > 60
    assert actions == Qt.DropAction.CopyAction


def test_a_category_cannot_be_dragged(palette):
    category = palette.tree.topLevelItem(0)
    assert not category.flags() & Qt.ItemFlag.ItemIsDragEnabled
    assert not palette.tree.mimeData([category]).hasFormat(NODE_MIME_TYPE)


def test_files_that_did_not_load_are_shown_with_their_error(session, registry, show):
    registry.failures.append(
        LoadFailure("/home/me/nodes/mine.py", "SyntaxError: invalid syntax", "Traceback\n  line 3 <x>")
    )
    try:
        palette = show(Palette(session))
        last = palette.tree.topLevelItem(palette.tree.topLevelItemCount() - 1)
        assert last.text(0) == "Not loaded (1)"
        assert last.child(0).text(0) == "mine.py: SyntaxError: invalid syntax"
        assert "/home/me/nodes/mine.py" in last.child(0).toolTip(0)
        assert "line 3 &lt;x&gt;" in last.child(0).toolTip(0)
        assert "mine.py" not in " ".join(palette.shown_types())
    finally:
        registry.failures.clear()


def test_a_theme_change_keeps_what_is_searched_for(palette, qtbot, qapp):
    from app.theme import apply_theme

    qtbot.keyClicks(palette.search, "trainer")
    before = palette.shown_types()
    apply_theme(qapp, "light")
    try:
        assert palette.shown_types() == before
        mark = item_of(palette, "PPOTrainerNode").icon(0).pixmap(24, 24).toImage()
        assert mark.pixelColor(12, 12) == category_colour("RL", "light")
    finally:
        apply_theme(qapp, "dark")
