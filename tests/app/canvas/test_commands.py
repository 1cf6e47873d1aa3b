"""The commands that a menu, a key or a window's action calls."""

import json

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QGuiApplication

from app.canvas.looks import IN, OUT
from app.document import edits


@pytest.fixture
def undoes(session, snapshot):
    """Check that a command changes the document in one step."""

    def check(command, *arguments):
        before, steps = snapshot(), session.document._position
        result = command(*arguments)
        after = snapshot()
        assert after != before and session.document._position == steps + 1
        session.undo()
        assert snapshot() == before
        session.redo()
        assert snapshot() == after
        return result

    return check


def test_add_node(canvas, session, undoes):
    assert undoes(canvas.add_node, "PPOTrainerNode", QPointF(33, 47)) == "1"
    assert session.workflow.nodes["1"].position == (40, 40)
    assert session.selection == []


def test_nodes_added_without_a_place_do_not_hide_each_other(canvas, session):
    for _ in range(3):
        canvas.add_node("ORNode")
    assert len({entry.position for entry in session.workflow.nodes.values()}) == 3


def test_delete_removes_nodes_with_their_wires_and_labels(cartpole, session, undoes):
    cartpole.set_wire_label(("6", "rewards"), "r")
    cartpole.select_nodes(["5"])
    undoes(cartpole.delete_selection)
    assert "5" not in session.workflow.nodes and "5" not in cartpole.items.nodes
    assert not {"rewards", "dones"} & set(session.workflow.nodes["6"].inputs)
    assert "wire_labels" not in session.workflow.nodes["6"].extra
    assert all("5" not in (wire.look.source, wire.look.target) for wire in cartpole.items.wires.values())


def test_delete_removes_a_selected_wire(cartpole, session, mouse, undoes, qtbot):
    mouse.click(cartpole.items.wires[("4", "policy_output")].middle)
    assert cartpole.active_wires == {("4", "policy_output")}
    before = len(cartpole.items.wires)
    qtbot.keyClick(cartpole.viewer, Qt.Key.Key_Delete)
    assert len(cartpole.items.wires) == before - 1
    assert "policy_output" not in session.workflow.nodes["4"].inputs


def test_duplicate_copies_nodes_and_the_wires_among_them(cartpole, session, undoes):
    cartpole.select_nodes(["3", "4"])
    assert undoes(cartpole.duplicate_selection) == ["7", "8"]
    assert session.workflow.nodes["8"].inputs["policy_output"] == ["7", "policy_output"]
    assert "observations" not in session.workflow.nodes["7"].inputs
    assert session.workflow.nodes["7"].position == (520, 160)


def test_copy_and_paste_through_the_system_clipboard(cartpole, session, undoes):
    cartpole.select_nodes(["3", "4"])
    assert cartpole.copy()
    data = json.loads(QGuiApplication.clipboard().text())
    assert set(data["nodes"]) == {"3", "4"}
    pasted = undoes(cartpole.paste)
    assert pasted == ["7", "8"]
    assert session.workflow.nodes["8"].inputs["policy_output"] == ["7", "policy_output"]
    offset = session.workflow.nodes["8"].position[0] - session.workflow.nodes["7"].position[0]
    assert offset == 740 - 480


def test_cut_is_one_step(cartpole, session, undoes):
    cartpole.select_nodes(["4"])
    undoes(cartpole.cut)
    assert "4" not in session.workflow.nodes
    assert "CartpoleActionNode" in QGuiApplication.clipboard().text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{",
        "[1]",
        '{"nodes": {}}',
        '{"dnne_nodes": 1, "nodes": {}}',
        '{"dnne_nodes": 1, "nodes": {"1": 3}}',
    ],
)
def test_an_invalid_clipboard_says_so(cartpole, session, snapshot, text):
    before = snapshot()
    QGuiApplication.clipboard().setText(text)
    assert cartpole.paste() == []
    assert len(session.messages) == 1 and "clipboard" in session.messages[0]
    assert snapshot() == before


@pytest.mark.parametrize(
    "damage",
    [{"position": [1, "b"]}, {"inputs": []}, {"class_type": 3}, {"extra": 5}, {"position": [1]}, {"title": None}],
)
def test_damaged_nodes_on_the_clipboard_are_refused(cartpole, session, damage):
    node = {"class_type": "ORNode", "title": "", "position": [0, 0], "inputs": {}, "extra": {}, **damage}
    QGuiApplication.clipboard().setText(json.dumps({"dnne_nodes": 1, "nodes": {"1": node}}))
    assert cartpole.paste() == []
    assert session.messages == ["The nodes on the clipboard are damaged (node '1'); nothing was pasted"]


@pytest.mark.parametrize(("command", "flag"), [("mute_selection", "muted"), ("collapse_selection", "collapsed")])
def test_flags_are_switched_for_all_selected_nodes(cartpole, session, undoes, command, flag):
    cartpole.select_nodes(["3", "4"])
    undoes(getattr(cartpole, command))
    assert all(session.workflow.nodes[node_id].extra[flag] is True for node_id in "34")
    assert getattr(cartpole.items.nodes["3"].look, flag)
    undoes(getattr(cartpole, command))
    assert flag not in session.workflow.nodes["3"].extra and not getattr(cartpole.items.nodes["3"].look, flag)


def test_a_collapsed_node_is_small_and_keeps_its_wires(cartpole, session):
    tall = cartpole.items.nodes["5"].card.height()
    cartpole.select_nodes(["5"])
    cartpole.collapse_selection()
    item = cartpole.items.nodes["5"]
    assert item.card.height() < tall / 2
    assert cartpole.items.wires[("6", "rewards")].start == QPointF(item.card.right(), item.card.center().y())


def test_arrows_move_the_selection_by_grid_steps_in_one_step(cartpole, session, qtbot):
    cartpole.select_nodes(["4"])
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        qtbot.keyClick(cartpole.viewer, key)
    assert session.workflow.nodes["4"].position == (780, 80)
    session.undo()
    assert session.workflow.nodes["4"].position == (740, 60) and not session.document.can_undo


@pytest.mark.parametrize(
    ("edge", "place"),
    [("left", QRectF.left), ("right", QRectF.right), ("top", QRectF.top), ("bottom", QRectF.bottom)],
)
def test_align(cartpole, undoes, edge, place):
    cartpole.select_nodes(["2", "3", "6"])
    undoes(cartpole.align, edge)
    assert len({place(cartpole.items.nodes[node_id].card) for node_id in "236"}) == 1


@pytest.mark.parametrize("edge", ["centre", "middle"])
def test_align_middles(cartpole, undoes, edge):
    cartpole.select_nodes(["2", "3", "6"])
    undoes(cartpole.align, edge)
    centres = {cartpole.items.nodes[node_id].card.center().toTuple()[edge == "middle"] for node_id in "236"}
    assert len(centres) == 1


def test_distribute_makes_equal_gaps(cartpole, undoes):
    cartpole.select_nodes(["1", "2", "6"])
    undoes(cartpole.distribute, "horizontal")
    cards = [cartpole.items.nodes[node_id].card for node_id in "126"]
    assert cards[1].left() - cards[0].right() == pytest.approx(cards[2].left() - cards[1].right())


def test_auto_layout_places_nodes_apart_and_wires_forward(cartpole, session, undoes):
    for node_id in session.workflow.nodes:
        session.edit("pile", [type(change)(change.path, (0.0, 0.0)) for change in position_changes(node_id)])
    undoes(cartpole.auto_layout)
    cards = [item.card for item in cartpole.items.nodes.values()]
    assert not any(a.intersects(b) for index, a in enumerate(cards) for b in cards[:index])
    for wire in cartpole.items.wires.values():
        assert wire.is_feedback or wire.start.x() < wire.end.x()
    assert cartpole.viewer.visible_rect().contains(cartpole.items.bounds())


def position_changes(node_id):
    from app.document import edits

    return edits.move_nodes({node_id: (0.0, 0.0)})


def test_groups_are_made_around_the_selection(cartpole, session, undoes):
    cartpole.select_nodes(["3", "4"])
    assert undoes(cartpole.group_selection, "Policy") == 0
    group = cartpole.items.groups[0]
    assert group.title == "Policy"
    assert all(group.rect.contains(cartpole.items.nodes[node_id].card) for node_id in "34")
    assert not group.rect.contains(cartpole.items.nodes["5"].card)


def test_a_group_needs_a_selection(cartpole, session, snapshot):
    before = snapshot()
    assert cartpole.group_selection() is None
    assert snapshot() == before and "Select" in session.messages[0]


@pytest.fixture
def grouped(cartpole, session):
    cartpole.select_nodes(["3", "4"])
    cartpole.group_selection("Policy")
    cartpole.select_nodes([])
    return cartpole


def test_a_group_moves_with_its_nodes(grouped, session, mouse, snapshot):
    before, start = snapshot(), grouped.items.groups[0].rect.topLeft() + QPointF(30, 10)
    other = session.workflow.nodes["5"].position
    mouse.drag(start, start + QPointF(-60, 120))
    assert session.workflow.nodes["3"].position == (420, 240)
    assert session.workflow.nodes["4"].position == (680, 180)
    assert session.workflow.nodes["5"].position == other
    assert grouped.items.groups[0].rect.contains(grouped.items.nodes["4"].card)
    session.undo()
    assert snapshot() == before


def test_a_group_is_resized_at_its_corner(grouped, session, mouse, snapshot):
    before, rect = snapshot(), QRectF(grouped.items.groups[0].rect)
    start = rect.bottomRight() - QPointF(5, 5)
    mouse.drag(start, start + QPointF(100, 60))
    now = grouped.items.groups[0].rect
    assert now.topLeft() == rect.topLeft() and now.width() > rect.width() + 85 and now.height() > rect.height() + 45
    session.undo()
    assert snapshot() == before and grouped.items.groups[0].rect == rect


def test_a_group_is_renamed_recoloured_and_deleted(grouped, session, mouse, qtbot, undoes):
    mouse.double_click(grouped.items.groups[0].rect.topLeft() + QPointF(30, 10))
    assert grouped.editor.isVisible() and grouped.editor.text() == "Policy"
    qtbot.keyClicks(grouped.editor, "Actor")
    qtbot.keyClick(grouped.editor, Qt.Key.Key_Return)
    assert session.workflow.groups[0]["title"] == "Actor" and grouped.items.groups[0].title == "Actor"
    undoes(grouped.set_group_colour, 0, "#aa3355")
    assert grouped.items.groups[0].colour.name() == "#aa3355"
    grouped.select_group(0)
    undoes(grouped.delete_selection)
    assert grouped.items.groups == [] and set(session.workflow.nodes) == set("123456")


def test_f2_renames_the_selected_node(cartpole, session, qtbot, snapshot):
    before = snapshot()
    cartpole.select_nodes(["6"])
    qtbot.keyClick(cartpole.viewer, Qt.Key.Key_F2)
    assert cartpole.editor.isVisible() and cartpole.editor.text() == "Trainer"
    qtbot.keyClicks(cartpole.editor, "Learner")
    qtbot.keyClick(cartpole.editor, Qt.Key.Key_Return)
    assert session.workflow.nodes["6"].title == "Learner" and cartpole.items.nodes["6"].look.title == "Learner"
    session.undo()
    assert snapshot() == before


def test_escape_leaves_a_name_as_it_was(cartpole, session, qtbot):
    cartpole.select_nodes(["6"])
    cartpole.rename_selected()
    qtbot.keyClicks(cartpole.editor, "Learner")
    qtbot.keyClick(cartpole.editor, Qt.Key.Key_Escape)
    assert not cartpole.editor.isVisible() and not session.document.can_undo


def test_wires_carry_labels(cartpole, session, qtbot, snapshot):
    before = snapshot()
    cartpole.ask_wire_label(("6", "rewards"))
    qtbot.keyClicks(cartpole.editor, "scaled")
    qtbot.keyClick(cartpole.editor, Qt.Key.Key_Return)
    assert session.workflow.nodes["6"].extra["wire_labels"] == {"rewards": "scaled"}
    assert cartpole.items.wires[("6", "rewards")].look.label == "scaled"
    session.undo()
    assert snapshot() == before


def test_wire_styles_are_kept_in_the_document(cartpole, session, undoes):
    wire = cartpole.items.wires[("4", "policy_output")]
    shapes = [wire.path()]
    for style in ("angled", "straight"):
        undoes(cartpole.set_wire_style, style)
        assert session.workflow.view["wire_style"] == style
        shapes.append(wire.path())
    assert shapes[0] != shapes[1] != shapes[2]
    assert wire.path().elementCount() == 2


def test_snapping_is_kept_in_the_document(cartpole, session, undoes):
    assert cartpole.snaps
    undoes(cartpole.set_snap, False)
    assert not cartpole.snaps and session.workflow.view["snap_to_grid"] is False


def test_feedback_wires_run_below_the_nodes(cartpole):
    for place in (("2", "input_b"), ("5", "trigger")):
        wire = cartpole.items.wires[place]
        lowest = max(wire.source.card.bottom(), wire.target.card.bottom())
        assert wire.path().boundingRect().bottom() > lowest
        for node_id, item in cartpole.items.nodes.items():
            if node_id not in (wire.look.source, wire.look.target):
                assert not wire.shape().intersects(item.card), (place, node_id)
    lanes = [cartpole.items.wires[place].lane for place in (("2", "input_b"), ("5", "trigger"))]
    assert abs(lanes[0] - lanes[1]) >= 12


def test_zoom_commands(cartpole, session):
    viewer = cartpole.viewer
    viewer.centre_on(QPointF(5000, 5000))
    cartpole.zoom_to_fit()
    assert viewer.visible_rect().contains(cartpole.items.bounds()) and viewer.zoom <= 1
    cartpole.select_nodes(["4"])
    cartpole.zoom_to_selection()
    assert viewer.zoom > 1
    cartpole.zoom_reset()
    assert viewer.zoom == 1
    cartpole.zoom_in()
    assert viewer.zoom == 1.25
    cartpole.zoom_out()
    assert viewer.zoom == pytest.approx(1)
    assert not session.document.can_undo


def test_select_all(cartpole, session):
    cartpole.select_all()
    assert session.selection == list("123456")


def test_a_locked_canvas_can_be_looked_at_only(cartpole, session, mouse, qtbot, snapshot):
    before = snapshot()
    cartpole.set_locked(True)
    start = cartpole.items.nodes["4"].card.topLeft() + QPointF(30, 10)
    mouse.drag(start, start + QPointF(60, 60))
    assert session.selection == ["4"] and cartpole.items.nodes["4"].pos() == QPointF(740, 60)
    mouse.drag(
        cartpole.items.nodes["1"].port_place(OUT, "observations"), cartpole.items.nodes["2"].port_place(IN, "input_c")
    )
    assert cartpole.add_node("ORNode") is None
    cartpole.delete_selection()
    cartpole.open_search()
    cartpole.rename_selected()
    cartpole.group_selection()
    cartpole.auto_layout()
    assert snapshot() == before and not cartpole.popup.isVisible() and not cartpole.editor.isVisible()
    assert session.messages and set(session.messages) == {
        "The workflow is locked while it runs; stop the run to edit it"
    }
    cartpole.set_locked(False)
    cartpole.delete_selection()
    assert "4" not in session.workflow.nodes


def test_places_on_the_screen(cartpole):
    viewport = cartpole.viewer.viewport()
    rect = cartpole.node_rect("4")
    inside = cartpole.viewer.scene_position(QPointF(viewport.mapFromGlobal(rect.center())))
    assert cartpole.hit(inside).node_id == "4"
    for node_id, name, kind in (("5", "trigger", "in"), ("5", "rewards", "out"), ("2", "input_b", "in")):
        at = QPointF(viewport.mapFromGlobal(cartpole.port_position(node_id, name, kind)))
        hit = cartpole.hit(cartpole.viewer.scene_position(at))
        assert (hit.kind, hit.node_id, hit.port.name, hit.port.side) == ("port", node_id, name, kind)


def test_a_wire_back_to_a_lower_row_runs_between_the_rows_and_past_what_is_there(cartpole, session):
    session.edit("Move", edits.move_nodes({"5": (480.0, 400.0)}))
    wire = cartpole.items.wires[("5", "actions")]
    assert not wire.is_feedback
    upper, lower = cartpole.items.nodes["4"].card, cartpole.items.nodes["5"].card
    assert upper.bottom() < wire.lane_back < lower.top()
    session.edit("Move", edits.move_nodes({"6": (560.0, wire.lane_back - 20)}))
    card = cartpole.items.nodes["6"].card
    assert not card.top() <= wire.lane_back <= card.bottom()
    cartpole.set_wire_style("straight")
    assert wire.lane_back is None
