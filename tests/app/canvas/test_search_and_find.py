"""The search at the cursor, the find bar, hovering, menus and the overview."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QMenu

from app.canvas.describe import describe
from app.canvas.fuzzy import score
from app.canvas.hits import Hit
from app.canvas.looks import IN, OUT
from app.canvas.menus import menu_for
from app.canvas.theme import LIGHT
from app.document import edits


def test_tab_opens_the_search_and_arrows_choose(canvas, session, qtbot):
    qtbot.keyClick(canvas.viewer, Qt.Key.Key_Tab)
    popup = canvas.popup
    assert popup.isVisible() and popup.line.hasFocus()
    assert len(popup.shown) == len(session.registry.types)
    qtbot.keyClick(popup.line, Qt.Key.Key_Down)
    qtbot.keyClick(popup.line, Qt.Key.Key_Down)
    qtbot.keyClick(popup.line, Qt.Key.Key_Up)
    second = popup.shown[1].class_type
    qtbot.keyClick(popup.line, Qt.Key.Key_Return)
    assert session.workflow.nodes["1"].class_type == second
    assert canvas.viewer.hasFocus() and not popup.isVisible()


def test_escape_and_a_click_elsewhere_close_the_search(canvas, session, mouse, qtbot):
    canvas.open_search(QPointF(0, 0))
    qtbot.keyClick(canvas.popup.line, Qt.Key.Key_Escape)
    assert not canvas.popup.isVisible()
    canvas.open_search(QPointF(0, 0))
    mouse.click(canvas.viewer.visible_rect().topLeft() + QPointF(10, 10))
    assert not canvas.popup.isVisible() and session.workflow.nodes == {}


@pytest.mark.parametrize(
    ("query", "first"),
    [("ppo tr", "PPOTrainerNode"), ("or", "ORNode"), ("obsnorm", "ObservationNormalizerNode"), ("rrt", "RerouteNode")],
)
def test_the_search_forgives(canvas, qtbot, query, first):
    canvas.open_search(QPointF(0, 0))
    qtbot.keyClicks(canvas.popup.line, query)
    assert canvas.popup.shown[0].class_type == first


def test_what_matches_nothing_says_so(canvas, qtbot):
    canvas.open_search(QPointF(0, 0))
    qtbot.keyClicks(canvas.popup.line, "zzzzqq")
    assert canvas.popup.shown == [] and canvas.popup.note.text() == "No node type matches"
    qtbot.keyClick(canvas.popup.line, Qt.Key.Key_Return)
    assert canvas.popup.isVisible()


def test_a_search_before_the_types_are_loaded_fills_itself(qapp, qtbot, registry):
    from app.canvas.canvas import Canvas
    from app.session import EditorSession

    session = EditorSession()
    canvas = Canvas(session)
    qtbot.addWidget(canvas)
    canvas.show()
    canvas.open_search(QPointF(0, 0))
    assert "loading" in canvas.popup.note.text()
    session.set_registry(registry)
    assert len(canvas.popup.shown) == len(registry.types)
    canvas.popup.hide()
    session.validate_now()


def test_scores():
    assert score("gae", "GAE") > score("gae", "Large Array Estimate") > score("gae", "a gross mistake, even so")
    assert score("xyz", "PPO Trainer") is None
    assert score("pt", "PPO Trainer") > score("pt", "Optimum")
    assert score("", "anything") == 0


def test_a_hint_is_as_large_as_its_text(cartpole):
    for text in ("short", "a long line " * 20, "two\nlines", "x"):
        cartpole.hint.say(text, QPoint(50, 50))
        needed = (
            cartpole.hint.heightForWidth(cartpole.hint.width()) if len(text) > 99 else cartpole.hint.sizeHint().height()
        )
        assert cartpole.hint.height() == needed and cartpole.rect().contains(cartpole.hint.geometry())


def test_the_search_stays_inside_the_canvas(canvas):
    canvas.open_search(canvas.viewer.visible_rect().bottomRight())
    assert canvas.rect().contains(canvas.popup.geometry())


def test_find_goes_through_the_hits(cartpole, session, qtbot):
    cartpole.viewer.centre_on(QPointF(9000, 0))
    qtbot.keyClick(cartpole.viewer, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    bar = cartpole.find_bar
    assert bar.isVisible() and bar.line.hasFocus()
    qtbot.keyClicks(bar.line, "isaac")
    assert session.selection == ["1"] and bar.count.text() == "1 of 2"
    assert cartpole.viewer.visible_rect().contains(cartpole.items.nodes["1"].card)
    qtbot.keyClick(bar.line, Qt.Key.Key_Return)
    assert session.selection == ["5"] and bar.count.text() == "2 of 2"
    qtbot.keyClick(bar.line, Qt.Key.Key_Return)
    assert session.selection == ["1"]
    qtbot.keyClick(bar.line, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert session.selection == ["5"]
    bar.line.setText("4")
    assert session.selection == ["4"]
    bar.line.setText("nothing of the kind")
    assert bar.count.text() == "no hits"
    qtbot.keyClick(bar.line, Qt.Key.Key_Escape)
    assert not bar.isVisible() and cartpole.viewer.hasFocus()


def test_a_wire_shows_what_travels_through_it(cartpole, session, qtbot):
    session.validate_now()
    wire = cartpole.items.wires[("6", "rewards")]
    assert (
        describe(cartpole.items, cartpole.hit(wire.middle)) == "Step.rewards → Trainer.rewards\nRewards  float32 (64,)"
    )
    qtbot.mouseMove(cartpole.viewer.viewport(), cartpole.viewer.mapFromScene(wire.middle))
    qtbot.waitUntil(lambda: cartpole.hint.isVisible())
    assert "float32 (64,)" in cartpole.hint.text() and wire.is_hovered
    qtbot.mouseMove(cartpole.viewer.viewport(), cartpole.viewer.mapFromScene(QPointF(0, -150)))
    assert not wire.is_hovered and not cartpole.hint.isVisible()


def test_a_port_shows_its_doc_and_a_node_its_problems(cartpole, session):
    place = cartpole.items.nodes["5"].port_place(IN, "task_parameters")
    text = describe(cartpole.items, cartpole.hit(place))
    assert text.startswith("task_parameters: TaskParameters  (keeps its last value, optional)")
    session.edit("break", edits.disconnect([("6", "rewards")]))
    session.validate_now()
    badge = cartpole.items.nodes["6"].badge_rect().translated(cartpole.items.nodes["6"].pos())
    text = describe(cartpole.items, cartpole.hit(badge.topRight() + QPointF(-4, 4)))
    assert "rewards: the input is not connected; link an output of type Rewards" in text


def actions_of(menu):
    return {action.text().split("\t")[0]: action for action in menu.actions() if action.text()}


@pytest.mark.parametrize("locked", [False, True])
def test_context_menus(cartpole, session, locked):
    cartpole.select_nodes(["3", "4"])
    cartpole.group_selection()
    cartpole.set_locked(locked)
    spots = {
        "Rename…": Hit("node", "3"),
        "Add reroute dot": Hit("wire", place=("6", "rewards")),
        "Colour": Hit("group", group=0, part="title"),
        "Delete wire": Hit("port", "6", cartpole.items.nodes["6"].look.port("rewards", IN)),
        "Arrange nodes": Hit(),
    }
    for text, hit in spots.items():
        cartpole.select_nodes([hit.node_id] if hit.kind == "node" else [])
        menu = menu_for(cartpole, hit, QPointF(0, 0))
        assert actions_of(menu)[text].isEnabled() != locked, text
        menu.deleteLater()


def test_a_right_click_opens_the_menu_of_what_is_there(cartpole, session, qtbot):
    place = cartpole.items.nodes["4"].card.topLeft() + QPointF(30, 10)
    at = cartpole.viewer.mapFromScene(place)
    cartpole.viewer.menu_requested.emit(place, cartpole.viewer.viewport().mapToGlobal(at))
    menu = cartpole.findChild(QMenu, "canvasMenu")
    assert menu.isVisible() and session.selection == ["4"]
    actions_of(menu)["Mute"].trigger()
    assert session.workflow.nodes["4"].extra["muted"] is True
    menu.close()


def test_the_port_menu_deletes_all_wires_of_an_output(cartpole, session):
    output = cartpole.items.nodes["2"].look.port("output", OUT)
    menu = menu_for(cartpole, Hit("port", "2", output), QPointF(0, 0))
    actions_of(menu)["Delete wires"].trigger()
    menu.deleteLater()
    assert (
        "observations" not in session.workflow.nodes["3"].inputs and "states" not in session.workflow.nodes["6"].inputs
    )
    session.undo()
    assert session.workflow.nodes["6"].inputs["states"] == ["2", "output"]


def test_the_overview_goes_where_it_is_clicked(cartpole, qtbot):
    minimap = cartpole.minimap
    minimap.draw_again()
    target = cartpole.items.nodes["6"].card.center()
    qtbot.mouseClick(minimap, Qt.MouseButton.LeftButton, pos=minimap.to_map(target).toPoint())
    distance = cartpole.viewer.visible_rect().center() - target
    assert distance.manhattanLength() < 2 / minimap._scale()
    cartpole.show_minimap(False)
    assert not minimap.isVisible()
    cartpole.show_minimap(True)
    assert minimap.isVisible()


def test_themes(cartpole):
    def background():
        return cartpole.viewer.viewport().grab().toImage().pixelColor(3, 9).name()

    dark = background()
    cartpole.set_theme(LIGHT)
    assert (dark, background()) == ("#1b1d22", "#f2f3f5")
    assert (
        cartpole.items.nodes["1"].theme is cartpole.theme
        and cartpole.items.wires[("6", "rewards")].theme is cartpole.theme
    )
    cartpole.set_theme({"background": "#102030"})
    assert background() == "#102030"


@pytest.mark.parametrize("zoom", [0.08, 0.2, 0.4, 0.8, 2.0])
def test_every_zoom_is_painted_without_complaint(cartpole, session, zoom):
    cartpole.add_reroute(("6", "model"), QPointF(900, 300))
    cartpole.set_wire_label(("6", "rewards"), "r")
    cartpole.select_nodes(["3"])
    cartpole.mute_selection()
    cartpole.group_selection()
    cartpole.viewer.set_zoom_at(zoom, QPointF(600, 400))
    assert not cartpole.viewer.viewport().grab().isNull()
