"""What the mouse does on the canvas, each as one undo step."""

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtWidgets import QMenu

from app.canvas.looks import IN, OUT
from app.canvas.viewer import NODE_TYPE_MIME


def centre(canvas, node_id):
    card = canvas.items.nodes[node_id].card
    return QPointF(card.center().x(), card.top() + 10)


def port(canvas, node_id, name, side):
    return canvas.items.nodes[node_id].port_place(side, name)


def link(session, node_id, name):
    return session.workflow.nodes[node_id].inputs.get(name)


def undone_is_same(session, snapshot, act):
    before = snapshot()
    act()
    after = snapshot()
    assert after != before
    session.undo()
    assert snapshot() == before
    session.redo()
    assert snapshot() == after


def test_a_drag_moves_a_node_in_one_step(cartpole, session, mouse, snapshot):
    start = centre(cartpole, "4")
    undone_is_same(session, snapshot, lambda: mouse.drag(start, start + QPointF(43, 98), steps=9))
    assert session.workflow.nodes["4"].position == (780, 160)
    assert cartpole.items.nodes["4"].pos() == QPointF(780, 160)
    assert session.document.undo_label == "Move node"


def test_without_snapping_a_node_goes_where_it_is_put(cartpole, session, mouse):
    cartpole.set_snap(False)
    start = centre(cartpole, "4")
    mouse.drag(start, start + QPointF(43, 98))
    assert session.workflow.nodes["4"].position == (783, 158)


def test_all_selected_nodes_move_together(cartpole, session, mouse):
    mouse.click(centre(cartpole, "3"))
    mouse.click(centre(cartpole, "4"), modifier=Qt.KeyboardModifier.ShiftModifier)
    assert session.selection == ["3", "4"]
    start = centre(cartpole, "4")
    mouse.drag(start, start + QPointF(40, 60))
    assert session.workflow.nodes["3"].position == (520, 180)
    assert session.workflow.nodes["4"].position == (780, 120)
    session.undo()
    assert session.workflow.nodes["3"].position == (480, 120)


def test_escape_ends_a_drag_without_a_trace(cartpole, session, mouse, qtbot, snapshot):
    before, start = snapshot(), centre(cartpole, "4")
    mouse.press(start)
    mouse.move(start + QPointF(100, 100))
    assert cartpole.items.nodes["4"].pos() != QPointF(740, 60)
    qtbot.keyClick(cartpole.viewer, Qt.Key.Key_Escape)
    mouse.release(start + QPointF(100, 100))
    assert cartpole.items.nodes["4"].pos() == QPointF(740, 60)
    assert snapshot() == before and not session.document.can_undo


def test_a_click_selects_and_a_click_on_nothing_deselects(cartpole, session, mouse):
    mouse.click(centre(cartpole, "6"))
    assert session.selection == ["6"] and cartpole.items.nodes["6"].isSelected()
    mouse.click(QPointF(0, -100))
    assert session.selection == [] and not cartpole.items.nodes["6"].isSelected()


def test_a_rubber_band_selects_what_it_touches(cartpole, session, mouse):
    mouse.drag(QPointF(-20, 20), QPointF(300, 240))
    assert session.selection == ["1", "2"] and cartpole.items.nodes["2"].isSelected()
    assert not session.document.can_undo


@pytest.mark.parametrize("backwards", [False, True])
def test_a_wire_is_drawn_either_way(cartpole, session, mouse, snapshot, backwards):
    ends = [port(cartpole, "1", "critic_observations", OUT), port(cartpole, "2", "input_c", IN)]
    undone_is_same(session, snapshot, lambda: mouse.drag(*(ends[::-1] if backwards else ends)))
    assert link(session, "2", "input_c") == ["1", "critic_observations"]
    assert ("2", "input_c") in cartpole.items.wires
    assert session.document.undo_label == "Connect"


def test_a_wire_may_be_dropped_on_the_label_of_a_port(cartpole, session, mouse):
    label = port(cartpole, "2", "input_d", IN) + QPointF(40, 0)
    mouse.drag(port(cartpole, "1", "observations", OUT), label)
    assert link(session, "2", "input_d") == ["1", "observations"]


def test_a_wire_dropped_on_a_title_takes_the_free_port_that_fits_best(cartpole, session, mouse):
    mouse.drag(port(cartpole, "1", "critic_observations", OUT), centre(cartpole, "3"))
    assert link(session, "3", "critic_observations") == ["1", "critic_observations"]


def test_ports_that_do_not_fit_are_dimmed_while_a_wire_is_drawn(cartpole, mouse):
    start = port(cartpole, "5", "rewards", OUT)
    mouse.press(start)
    mouse.move(start + QPointF(30, 200))
    trainer = cartpole.items.nodes["6"].faint_ports
    assert {(IN, "dones"), (IN, "model"), (OUT, "trigger")} <= trainer
    assert (IN, "rewards") not in trainer
    mouse.release(port(cartpole, "6", "rewards", IN))
    assert all(item.faint_ports is None for item in cartpole.items.nodes.values())


def test_types_pass_through_an_or_node_when_ports_are_dimmed(cartpole, mouse):
    start = port(cartpole, "2", "output", OUT)
    mouse.press(start)
    faint = cartpole.items.nodes["6"].faint_ports
    mouse.release(start)
    assert (IN, "dones") in faint and (IN, "states") not in faint


def test_a_refused_wire_says_why_and_changes_nothing(cartpole, session, mouse, snapshot):
    before = snapshot()
    mouse.press(port(cartpole, "5", "info", OUT))
    mouse.move(port(cartpole, "6", "dones", IN))
    reason = "Info does not fit Dones: Trainer.dones takes Dones, Step.info gives Info"
    assert cartpole.hint.isVisible() and cartpole.hint.text() == reason
    mouse.release(port(cartpole, "6", "dones", IN))
    assert session.messages == [f"Not connected: {reason}"]
    assert cartpole.hint.isVisible() and cartpole.hint.text() == reason
    assert snapshot() == before


def test_two_outputs_cannot_be_wired(cartpole, session, mouse):
    mouse.drag(port(cartpole, "5", "info", OUT), port(cartpole, "1", "sim", OUT))
    assert session.messages == ["Not connected: both are outputs: a wire runs from an output to an input"]


def test_a_wire_into_an_occupied_input_replaces_the_earlier_one(cartpole, session, mouse, snapshot):
    ends = port(cartpole, "1", "observations", OUT), port(cartpole, "3", "observations", IN)
    undone_is_same(session, snapshot, lambda: mouse.drag(*ends))
    assert link(session, "3", "observations") == ["1", "observations"]
    assert session.document.undo_label == "Replace wire"


def test_a_wire_is_unplugged_by_dragging_it_off_its_input(cartpole, session, mouse, snapshot):
    start = port(cartpole, "6", "rewards", IN)
    undone_is_same(session, snapshot, lambda: mouse.drag(start, start + QPointF(-60, 300)))
    assert link(session, "6", "rewards") is None
    assert not cartpole.popup.isVisible()


def test_an_unplugged_wire_may_go_into_another_input(cartpole, session, mouse, snapshot):
    ends = port(cartpole, "2", "input_b", IN), port(cartpole, "2", "input_d", IN)
    undone_is_same(session, snapshot, lambda: mouse.drag(*ends))
    assert link(session, "2", "input_b") is None
    assert link(session, "2", "input_d") == ["5", "observations"]
    assert session.document.undo_label == "Move wire"


def test_an_unplugged_wire_put_back_is_no_change(cartpole, session, mouse, snapshot):
    before, start = snapshot(), port(cartpole, "6", "rewards", IN)
    mouse.press(start)
    assert not cartpole.items.wires[("6", "rewards")].isVisible()
    mouse.move(start + QPointF(-50, 80))
    mouse.move(start)
    mouse.release(start)
    assert snapshot() == before and not session.document.can_undo
    assert cartpole.items.wires[("6", "rewards")].isVisible()


def test_a_wire_dropped_on_empty_canvas_searches_what_fits_and_connects(cartpole, session, mouse, qtbot, snapshot):
    start = port(cartpole, "6", "metrics", OUT)
    before = snapshot()
    mouse.drag(start, start + QPointF(120, 180))
    assert cartpole.popup.isVisible()
    shown = {entry.class_type for entry in cartpole.popup.shown}
    assert {"MetricsLoggerNode", "ORNode"} <= shown and "CartpoleActionNode" not in shown
    qtbot.keyClicks(cartpole.popup.line, "metrics")
    qtbot.keyClick(cartpole.popup.line, Qt.Key.Key_Return)
    assert not cartpole.popup.isVisible()
    entry = session.workflow.nodes["7"]
    assert entry.class_type == "MetricsLoggerNode" and ["6", "metrics"] in entry.inputs.values()
    assert session.selection == ["7"]
    session.undo()
    assert snapshot() == before


def test_a_wire_from_an_input_finds_nodes_with_a_fitting_output(canvas, session, mouse, qtbot):
    agent = canvas.add_node("PPOAgentNode", QPointF(0, 0))
    start = port(canvas, agent, "observations", IN)
    mouse.drag(start, start + QPointF(-150, 60))
    qtbot.keyClicks(canvas.popup.line, "env")
    qtbot.keyClick(canvas.popup.line, Qt.Key.Key_Return)
    assert link(session, agent, "observations") == ["2", "observations"]


def test_a_constant_dropped_on_a_node_sets_a_parameter(cartpole, session, mouse, snapshot):
    constant = cartpole.add_node("FloatConstantNode", QPointF(1240, 400))
    mouse.drag(port(cartpole, constant, "output", OUT), centre(cartpole, "6"))
    menu = cartpole.findChild(QMenu, "canvasParameterMenu")
    action = next(action for action in menu.actions() if action.text() == "gamma")
    undone_is_same(session, snapshot, action.trigger)
    menu.close()
    assert link(session, "6", "gamma") == [constant, "output"]
    assert cartpole.items.nodes["6"].look.port("gamma", IN).style == "parameter"
    assert ("6", "gamma") in cartpole.items.wires


def test_a_double_click_on_a_wire_adds_a_reroute_dot(cartpole, session, mouse, snapshot):
    middle = cartpole.items.wires[("4", "policy_output")].middle
    before = snapshot()
    mouse.double_click(middle)
    assert session.workflow.nodes["7"].class_type == "RerouteNode"
    assert link(session, "7", "value") == ["3", "policy_output"]
    assert link(session, "4", "policy_output") == ["7", "output"]
    assert cartpole.items.nodes["7"].card.width() < 20
    session.undo()
    assert snapshot() == before


def test_a_reroute_dot_is_moved_by_its_middle_and_wired_at_its_side(cartpole, session, mouse):
    dot = cartpole.add_reroute(("4", "policy_output"), QPointF(700, 300))
    card = cartpole.items.nodes[dot].card
    mouse.drag(card.center(), card.center() + QPointF(0, 60))
    assert session.workflow.nodes[dot].position == (692, 352)
    side = cartpole.items.nodes[dot].geometry.ports[(OUT, "output")] + cartpole.items.nodes[dot].pos()
    mouse.drag(side, port(cartpole, "6", "policy_outputs", IN))
    assert link(session, "6", "policy_outputs") == [dot, "output"]


def test_a_double_click_on_nothing_opens_the_search(canvas, session, mouse, qtbot):
    mouse.double_click(QPointF(100, 40))
    assert canvas.popup.isVisible() and canvas.popup.line.hasFocus()
    qtbot.keyClicks(canvas.popup.line, "ppo tr")
    qtbot.keyClick(canvas.popup.line, Qt.Key.Key_Return)
    assert [entry.class_type for entry in session.workflow.nodes.values()] == ["PPOTrainerNode"]
    assert session.workflow.nodes["1"].position == (80, 20)


def test_the_view_follows_what_is_dragged_over_its_edge(cartpole, session, mouse, qtbot):
    start = centre(cartpole, "4")
    edge = cartpole.viewer.visible_rect().right() - 5
    mouse.press(start)
    mouse.move(QPointF(edge, start.y()))
    qtbot.waitUntil(lambda: cartpole.viewer.visible_rect().right() > edge + 200)
    assert cartpole.items.nodes["4"].pos().x() > edge + 50
    mouse.release(cartpole.viewer.cursor_position)
    qtbot.waitUntil(lambda: not cartpole.viewer._edge_pan.isActive())
    assert session.workflow.nodes["4"].position[0] > edge + 50


def drop(canvas, place, name, mime=NODE_TYPE_MIME):
    data = QMimeData()
    data.setData(mime, name.encode())
    at = QPointF(canvas.viewer.mapFromScene(place))
    event = QDropEvent(at, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    canvas.viewer.dropEvent(event)


def test_a_type_dropped_from_the_palette_becomes_a_node_there(canvas, session):
    drop(canvas, QPointF(200, 120), "ORNode")
    assert session.workflow.nodes["1"].class_type == "ORNode"
    assert canvas.items.nodes["1"].card.contains(QPointF(200, 120))
    session.undo()
    assert session.workflow.nodes == {} and canvas.items.nodes == {}


def test_an_unknown_type_dropped_says_so(canvas, session):
    drop(canvas, QPointF(200, 120), "NoSuchNode")
    assert session.workflow.nodes == {} and session.messages == ["There is no node type 'NoSuchNode'"]


def wheel(canvas, place, delta, modifiers=Qt.KeyboardModifier.NoModifier):
    at = QPointF(canvas.viewer.mapFromScene(place))
    everywhere = QPointF(canvas.viewer.viewport().mapToGlobal(at.toPoint()))
    buttons, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    canvas.viewer.wheelEvent(QWheelEvent(at, everywhere, QPoint(), QPoint(0, delta), buttons, modifiers, phase, False))


def test_the_wheel_zooms_at_the_cursor(cartpole):
    place = QPointF(480, 120)
    before = cartpole.viewer.mapFromScene(place)
    wheel(cartpole, place, 240)
    assert cartpole.viewer.zoom == pytest.approx(1.0015**240)
    after = cartpole.viewer.mapFromScene(place)
    assert (after - before).manhattanLength() <= 2
    for _ in range(60):
        wheel(cartpole, place, -240)
    assert cartpole.viewer.zoom == pytest.approx(0.06)


@pytest.mark.parametrize("way", ["middle", "space"])
def test_the_view_is_panned(cartpole, qtbot, way):
    viewer = cartpole.viewer
    before = viewer.visible_rect().topLeft()
    button = Qt.MouseButton.MiddleButton if way == "middle" else Qt.MouseButton.LeftButton
    if way == "space":
        qtbot.keyPress(viewer, Qt.Key.Key_Space)
    qtbot.mousePress(viewer.viewport(), button, pos=QPoint(300, 300))
    qtbot.mouseMove(viewer.viewport(), QPoint(340, 330))
    qtbot.mouseRelease(viewer.viewport(), button, pos=QPoint(340, 330))
    qtbot.keyRelease(viewer, Qt.Key.Key_Space)
    assert viewer.visible_rect().topLeft() == before - QPointF(40, 30)
    assert viewer.tool is None
