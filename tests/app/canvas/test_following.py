"""The canvas shows the document, after every edit, undo and redo."""

import json
import random

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QWidget

from app.canvas.looks import IN, MISSING, OUT
from app.document import ABSENT, Change, Document, edits
from runtime.validation import WARNING, Problem
from runtime.workflow import NodeEntry, parse_workflow


def shown(canvas):
    """What the canvas shows, to be compared with a canvas that was built anew."""
    items = canvas.items
    nodes = {node_id: (item.look, item.pos().toTuple(), item.wired) for node_id, item in items.nodes.items()}
    wires = {
        place: (wire.look, wire.is_feedback, wire.start.toTuple(), wire.end.toTuple(), wire.type.name)
        for place, wire in items.wires.items()
    }
    return nodes, wires, [(group.title, group.colour.name(), group.rect.getRect()) for group in items.groups]


def in_scene(canvas):
    return {item for item in canvas.items.scene.items() if hasattr(item, "look")}


def test_the_reference_graph_is_shown(cartpole):
    assert [item.look.title for item in cartpole.items.nodes.values()] == [
        "Env",
        "OR",
        "Agent",
        "Action",
        "Step",
        "Trainer",
    ]
    assert len(cartpole.items.wires) == 12
    feedback = {place for place, wire in cartpole.items.wires.items() if wire.is_feedback}
    assert feedback == {("2", "input_b"), ("5", "trigger")}
    assert cartpole.items.nodes["1"].look.category == "Environments"


def test_port_shapes_come_from_the_declaration(cartpole):
    step = cartpole.items.nodes["5"].look
    assert step.port("sim", IN).style == "held" and not step.port("sim", IN).optional
    assert step.port("trigger", IN).style == "trigger"
    assert step.port("task_parameters", IN).optional
    assert step.port("rewards", OUT).type.name == "Rewards"


def test_a_port_that_takes_any_value_has_the_colour_of_what_is_wired_to_it(cartpole):
    node = cartpole.items.nodes["2"]
    assert node.port_type(node.look.port("input_a", IN)).name == "Observations"
    assert node.port_type(node.look.port("output", OUT)).name == "Observations"
    assert node.port_type(node.look.port("input_d", IN)).name == "Any"
    assert cartpole.items.wires[("6", "states")].type.name == "Observations"


def random_edit(session, random):
    workflow = session.workflow
    ids = list(workflow.nodes)
    kind = random.choice(["add", "delete", "wire", "unplug", "move", "title", "flag", "parameter", "group", "style"])
    if kind == "add" or len(ids) < 2:
        node_class = session.node_class(random.choice(["ORNode", "PPOAgentNode", "PrintNode", "RerouteNode"]))
        return edits.add_node(workflow, node_class, (random.randrange(500), random.randrange(500)))[1]
    first, second = random.choice(ids), random.choice(ids)
    if kind == "delete":
        return edits.delete_nodes(workflow, [first])
    if kind == "wire":
        return edits.connect((first, "output"), (second, random.choice(["input_a", "value", "gamma", "nothing"])))
    if kind == "unplug":
        places = [(target, port) for _, _, target, port in edits.wires(workflow)]
        return edits.disconnect([random.choice(places)]) if places else []
    if kind == "move":
        return edits.move_nodes({first: (random.randrange(900), random.randrange(900))})
    if kind == "title":
        return edits.set_title(first, random.choice(["", "A", "A long title for a node that needs room"]))
    if kind == "flag":
        return edits.set_flag([first], random.choice(["muted", "collapsed"]), random.random() < 0.5)
    if kind == "parameter":
        return edits.set_parameter([first], "prefix", random.choice(["x", "y"]))
    if kind == "group":
        return edits.add_group(workflow, "G", "#336699", (0, 0, 200, 150))
    return [Change(("view",), {"wire_style": random.choice(["curved", "angled", "straight"])})]


@pytest.mark.parametrize("seed", range(8))
def test_following_edits_shows_the_same_as_building_anew(cartpole, session, seed):
    source = random.Random(seed)
    for _ in range(40):
        if source.random() < 0.25:
            source.choice([session.undo, session.redo])()
        else:
            session.edit("edit", random_edit(session, source))
    session.validate_now()
    followed = shown(cartpole)
    assert in_scene(cartpole) == set(cartpole.items.nodes.values()) | set(cartpole.items.wires.values())
    cartpole.items.rebuild()
    assert followed == shown(cartpole)
    while session.document.can_undo:
        session.undo()
    session.validate_now()
    assert len(cartpole.items.nodes) == 6 and len(cartpole.items.wires) == 12 and cartpole.items.groups == []


def test_a_missing_type_keeps_its_ports_and_becomes_real_later(cartpole, session, registry):
    entry = NodeEntry("9", "FancyNode", {"metrics": ["6", "metrics"], "level": 3}, "Fancy", (1500.0, 0.0))
    session.edit("add", [Change(("nodes", "9"), entry), *edits.connect(("9", "fine"), ("2", "input_c"))])
    look = cartpole.items.nodes["9"].look
    assert look.state == MISSING and "missing" in look.note
    assert [port.name for port in look.inputs] == ["metrics"] and [port.name for port in look.outputs] == ["fine"]
    assert {("9", "metrics"), ("2", "input_c")} <= set(cartpole.items.wires)

    class FancyNode(type(session.graph.nodes["2"])):
        """Now it is there."""

        title = "Fancy node"

    registry.types["FancyNode"] = FancyNode
    try:
        session.set_registry(registry)
        assert cartpole.items.nodes["9"].look.state == "known"
        assert cartpole.items.nodes["9"].look.port("fine", OUT).stray
        assert cartpole.items.nodes["9"].look.port("input_d", IN) is not None
    finally:
        del registry.types["FancyNode"]


def test_while_types_load_nodes_are_no_errors(qapp, qtbot, registry):
    from app.canvas.canvas import Canvas
    from app.session import EditorSession

    session = EditorSession()
    canvas = Canvas(session)
    qtbot.addWidget(canvas)
    text = json.dumps({"dnne_workflow": 1, "nodes": {"1": {"class_type": "ORNode", "inputs": {}}}})
    session.set_document(Document(parse_workflow(text)))
    assert canvas.items.nodes["1"].look.state == "loading"
    session.set_registry(registry)
    session.validate_now()
    assert canvas.items.nodes["1"].look.state == "known"


def test_earlier_port_names_are_shown_by_their_present_ones(cartpole, session):
    session.edit("old", [*edits.disconnect([("6", "states")]), *edits.connect(("2", "output"), ("6", "state"))])
    wire = cartpole.items.wires[("6", "state")]
    assert wire.look.port == "states"
    assert all(not port.stray for port in cartpole.items.nodes["6"].look.inputs)
    cartpole.connect_ports(("1", "observations"), ("6", "states"))
    assert session.workflow.nodes["6"].inputs["state"] == ["1", "observations"]
    assert "states" not in session.workflow.nodes["6"].inputs


def test_problems_become_badges_on_nodes_and_wires(cartpole, session):
    session.edit("break", [*edits.connect(("5", "info"), ("6", "dones")), *edits.disconnect([("6", "rewards")])])
    session.validate_now()
    trainer = cartpole.items.nodes["6"]
    assert sorted(problem.port for problem in trainer.problems) == ["dones", "rewards"]
    assert [problem.port for problem in cartpole.items.wires[("6", "dones")].problems] == ["dones"]
    session.undo()
    session.validate_now()
    assert trainer.problems == [] and cartpole.items.wires[("6", "dones")].problems == []


def test_a_warning_has_another_colour_than_an_error(cartpole, session):
    def badge():
        rect = cartpole.items.nodes["4"].badge_rect().translated(cartpole.items.nodes["4"].pos())
        at = cartpole.viewer.mapFromScene(rect.center() + QPointF(-6, 0))
        return cartpole.viewer.viewport().grab().toImage().pixelColor(at).name()

    session.problems = [Problem("4", "", "odd", severity=WARNING)]
    session.problems_changed.emit(session.problems)
    warning = badge()
    session.problems = [Problem("4", "", "odd", severity=WARNING), Problem("4", "", "bad")]
    session.problems_changed.emit(session.problems)
    assert (warning, badge()) == (cartpole.theme.warning.name(), cartpole.theme.error.name())


def test_selection_follows_both_ways(cartpole, session):
    session.select(["2", "5"])
    assert {node_id for node_id, item in cartpole.items.nodes.items() if item.isSelected()} == {"2", "5"}
    cartpole.select_nodes(["4"])
    assert session.selection == ["4"]
    session.edit("delete", [Change(("nodes", "4"), ABSENT)])
    assert session.selection == []


def test_reveal_brings_a_node_into_view_and_flashes(cartpole, session, qtbot):
    cartpole.viewer.centre_on(QPointF(9000, 9000))
    session.reveal("6", "rewards")
    assert cartpole.viewer.visible_rect().contains(cartpole.items.nodes["6"].card)
    assert session.selection == ["6"]
    qtbot.waitUntil(lambda: cartpole.items.nodes["6"].flash > 0)
    qtbot.waitUntil(lambda: cartpole.items.nodes["6"].flash == 0, timeout=3000)


def test_nothing_of_the_library_lies_over_the_graph(cartpole):
    shown = {
        child for child in cartpole.viewer.findChildren(QWidget) if child.isVisible() and not child.size().isEmpty()
    }
    assert shown <= {cartpole.viewer.viewport()}


def test_an_empty_canvas_says_what_to_do(canvas):
    assert canvas.empty_hint.isVisible() and "Tab" in canvas.empty_hint.text()
    canvas.add_node("ORNode", QPointF(0, 0))
    assert not canvas.empty_hint.isVisible()
    canvas.session.undo()
    assert canvas.empty_hint.isVisible()


def test_damaged_groups_are_shown_with_defaults_and_kept(canvas, session):
    text = json.dumps({"dnne_workflow": 1, "nodes": {}, "groups": [7, {"bounding": ["a", 2, 3, 4], "colour": "no"}]})
    session.set_document(Document(parse_workflow(text)))
    assert [group.title for group in canvas.items.groups] == ["Group", "Group"]
    assert session.workflow.groups == [7, {"bounding": ["a", 2, 3, 4], "colour": "no"}]
