"""Wires, nodes and groups by the keyboard, and nodes that are dropped onto wires."""

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu


def keys(canvas, qtbot, *pressed):
    for key in pressed:
        qtbot.keyClick(canvas.viewer, key)


def choose(canvas, qtbot, text):
    """Types into the open search and takes the first match."""
    assert canvas.popup.isVisible()
    qtbot.keyClicks(canvas.popup.line, text)
    qtbot.keyClick(canvas.popup.line, Qt.Key.Key_Return)


def test_nodes_are_connected_from_a_list(canvas, session, qtbot, snapshot):
    env = canvas.add_node("IsaacGymEnvNode", QPointF(0, 0))
    other = canvas.add_node("ORNode", QPointF(300, 0))
    before = snapshot()
    canvas.select_nodes([env])
    keys(canvas, qtbot, Qt.Key.Key_C)
    choose(canvas, qtbot, "observations input_b")
    assert session.workflow.nodes[other].inputs == {"input_b": [env, "observations"]}
    session.undo()
    assert snapshot() == before


def test_the_list_holds_what_fits_and_is_not_there_yet(cartpole, session):
    wires = {(entry.source, entry.target) for entry in cartpole.possible_wires(["4"])}
    assert (("3", "policy_output"), ("4", "policy_output")) not in wires
    assert (("4", "actions"), ("6", "rewards")) not in wires
    assert (("4", "actions"), ("2", "input_c")) in wires


def test_among_two_selected_nodes_only_their_wires_are_offered(cartpole):
    ends = {(entry.source[0], entry.target[0]) for entry in cartpole.possible_wires(["5", "6"])}
    assert ends == {("5", "6")}


def test_a_wire_in_the_place_of_another_says_so(cartpole):
    (entry,) = [
        entry for entry in cartpole.possible_wires(["1"])
        if (entry.source, entry.target) == (("1", "observations"), ("3", "observations"))
    ]  # fmt: skip
    assert "in the place of" in entry.doc


def test_a_constant_may_be_connected_to_a_parameter(cartpole, session, qtbot):
    constant = cartpole.add_node("FloatConstantNode", QPointF(0, -200))
    keys(cartpole, qtbot, Qt.Key.Key_C)
    choose(cartpole, qtbot, "Trainer.learning_rate")
    assert session.workflow.nodes["6"].inputs["learning_rate"][0] == constant


def test_nothing_to_connect_says_so(canvas, session, qtbot):
    canvas.add_node("IsaacGymEnvNode", QPointF(0, 0))
    keys(canvas, qtbot, Qt.Key.Key_C)
    assert session.messages[-1].startswith("Nothing fits")
    assert not canvas.popup.isVisible()


def test_wires_of_a_node_are_gone_through(cartpole, session, qtbot):
    cartpole.select_nodes(["4"])
    found = []
    for _ in range(3):
        keys(cartpole, qtbot, Qt.Key.Key_W)
        found += cartpole.active_wires
    assert found[0] == ("4", "policy_output")
    assert found[1] == ("5", "actions")
    assert found[2] == found[0]
    assert session.messages[-1] == "Wire Agent.policy_output → Action.policy_output"


def test_a_selected_wire_is_deleted_rerouted_and_labelled(cartpole, session, qtbot):
    cartpole.select_nodes(["4"])
    keys(cartpole, qtbot, Qt.Key.Key_W, Qt.Key.Key_L)
    qtbot.keyClicks(cartpole.editor, "what to do")
    qtbot.keyClick(cartpole.editor, Qt.Key.Key_Return)
    assert session.workflow.nodes["4"].extra["wire_labels"] == {"policy_output": "what to do"}
    keys(cartpole, qtbot, Qt.Key.Key_R)
    (dot,) = cartpole.selection
    assert session.workflow.nodes[dot].class_type == "RerouteNode"
    assert session.workflow.nodes["4"].inputs["policy_output"] == [dot, "output"]
    keys(cartpole, qtbot, Qt.Key.Key_W, Qt.Key.Key_Delete)
    assert len([wire for wire in cartpole.items.wires.values() if wire.look.source == "3"]) == 2


@pytest.mark.parametrize("key", [Qt.Key.Key_R, Qt.Key.Key_L])
def test_without_a_wire_it_says_how_to_select_one(cartpole, session, qtbot, key, snapshot):
    before = snapshot()
    keys(cartpole, qtbot, key)
    assert session.messages[-1].startswith("Select a wire first")
    assert snapshot() == before


def test_nodes_are_gone_through_from_left_to_right(cartpole, session, qtbot):
    found = []
    for _ in range(7):
        keys(cartpole, qtbot, Qt.Key.Key_N)
        found += session.selection
    assert found == ["1", "2", "3", "4", "5", "6", "1"]
    keys(cartpole, qtbot, Qt.Key.Key_P)
    assert session.selection == ["6"]


def test_the_menu_key_shows_the_menu_of_what_is_selected(cartpole, qtbot):
    def texts():
        middle = cartpole.viewer.rect().center()
        there = cartpole.viewer.mapToGlobal(middle)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, middle, there)
        QApplication.sendEvent(cartpole.viewer.viewport(), event)
        (menu,) = [found for found in cartpole.findChildren(QMenu) if found.isVisible()]
        found = [action.text().split("\t")[0] for action in menu.actions()]
        menu.close()
        qtbot.wait(1)
        return found

    assert "Add node…" in texts()
    cartpole.select_nodes(["4"])
    assert "Collapse" in texts()
    keys(cartpole, qtbot, Qt.Key.Key_W)
    assert "Go to source" in texts()
    cartpole.select_nodes(["3", "4"])
    cartpole.group_selection("Policy")
    cartpole.select_nodes([])
    keys(cartpole, qtbot, Qt.Key.Key_G)
    assert "Colour" in texts()


# Onto wires


def test_a_node_dropped_on_a_wire_goes_between_its_ends(cartpole, session, mouse, snapshot):
    node_id = cartpole.add_node("FrameStackNode", QPointF(100, 420))
    before = snapshot()
    wire = cartpole.items.wires[("3", "observations")]
    card = cartpole.items.nodes[node_id].card
    mouse.drag(
        card.topLeft() + QPointF(30, 12), wire.middle + QPointF(30, 12) - QPointF(card.width(), card.height()) / 2
    )
    assert session.workflow.nodes["3"].inputs["observations"] == [node_id, "stacked"]
    assert session.workflow.nodes[node_id].inputs["observations"] == ["2", "output"]
    assert session.document.undo_label.startswith("Insert")
    session.undo()
    assert snapshot() == before


def test_a_wire_that_would_take_the_node_is_marked(cartpole, mouse):
    node_id = cartpole.add_node("FrameStackNode", QPointF(100, 420))
    wire = cartpole.items.wires[("3", "observations")]
    card = cartpole.items.nodes[node_id].card
    mouse.press(card.topLeft() + QPointF(30, 12))
    mouse.move(wire.middle + QPointF(30, 12) - QPointF(card.width(), card.height()) / 2)
    assert wire.is_hovered
    cartpole.escape()
    assert not wire.is_hovered


def test_a_wired_node_is_only_moved(cartpole, session, mouse):
    wire = cartpole.items.wires[("3", "observations")]
    card = cartpole.items.nodes["4"].card
    mouse.drag(card.topLeft() + QPointF(30, 12), wire.middle)
    assert session.workflow.nodes["3"].inputs["observations"] == ["2", "output"]
    assert session.document.undo_label == "Move node"


def test_what_does_not_fit_a_wire_is_put_beside_it(cartpole, session):
    wire = cartpole.items.wires[("5", "sim")]
    node_id = cartpole.drop_node("PPOTrainerNode", wire.middle)
    assert session.workflow.nodes[node_id].inputs == {}
    assert session.workflow.nodes["5"].inputs["sim"] == ["1", "sim"]


def test_a_type_dropped_from_the_palette_on_a_wire_is_inserted(cartpole, session):
    node_id = cartpole.drop_node("RerouteNode", cartpole.items.wires[("5", "sim")].middle)
    assert session.workflow.nodes["5"].inputs["sim"] == [node_id, "output"]


# Groups on the clipboard


def test_a_copied_group_goes_along(cartpole, session):
    cartpole.select_nodes(["3", "4"])
    cartpole.group_selection("Policy")
    cartpole.select_nodes(["3", "4"])
    cartpole.copy()
    made = cartpole.paste()
    first, second = session.workflow.groups
    assert second["title"] == "Policy"
    inside = {node_id for node_id in made if cartpole.items.groups[1].rect.contains(cartpole.items.nodes[node_id].card)}
    assert inside == set(made)
    assert second["bounding"][2:] == first["bounding"][2:]


def test_a_group_stays_where_some_of_its_nodes_stay(cartpole, session):
    cartpole.select_nodes(["3", "4"])
    cartpole.group_selection("Policy")
    cartpole.select_nodes(["3"])
    cartpole.duplicate_selection()
    assert len(session.workflow.groups) == 1


@pytest.mark.parametrize("bounding", ["null", "[0, 0]", '[0, 0, 1, "x"]', "[0, 0, 1, NaN]"])
def test_a_damaged_group_on_the_clipboard_is_refused(cartpole, session, bounding, snapshot):
    before = snapshot()
    node = '{"class_type": "ORNode", "title": "OR", "position": [0, 0], "inputs": {}}'
    text = f'{{"dnne_nodes": 1, "nodes": {{"1": {node}}}, "groups": [{{"bounding": {bounding}}}]}}'
    QApplication.clipboard().setText(text)
    assert cartpole.paste() == []
    assert "damaged" in session.messages[-1]
    assert snapshot() == before


# What only a tester does


def test_a_port_dragged_onto_itself_changes_nothing(cartpole, mouse, snapshot):
    before = snapshot()
    place = cartpole.items.nodes["4"].port_place("out", "actions")
    mouse.drag(place, place + QPointF(2, 1))
    assert snapshot() == before
    assert not cartpole.popup.isVisible()


def test_a_node_wired_to_itself_is_told_by_validation_and_undone(cartpole, session, mouse, snapshot):
    before = snapshot()
    item = cartpole.items.nodes["2"]
    mouse.drag(item.port_place("out", "output"), item.port_place("in", "input_c"))
    assert session.workflow.nodes["2"].inputs["input_c"] == ["2", "output"]
    session.undo()
    assert snapshot() == before


@pytest.mark.parametrize(
    "title", ["x" * 10_000, "Ünïcødé 机器人 🤖 \u202eright to left", "<b>bold</b> & \t tab", "   "]
)
def test_any_title_is_shown_saved_and_found(cartpole, session, title, tmp_path):
    from app.document import Document

    cartpole.set_title("3", title)
    cartpole.viewer.viewport().repaint()
    assert cartpole.items.nodes["3"].geometry.width <= 340
    path = session.document.save(tmp_path / "w.json")
    assert Document.open(path).workflow.nodes["3"].title == title
    session.undo()
    assert session.workflow.nodes["3"].title == "Agent"


@pytest.mark.parametrize("text", ["", "\x00\x01", "[" * 100_000, '{"dnne_nodes": 1, "nodes": {"1": 3}}', "🤖" * 1000])
def test_garbage_is_not_pasted(cartpole, session, text, snapshot):
    before = snapshot()
    QApplication.clipboard().setText(text)
    assert cartpole.paste() == []
    assert snapshot() == before
