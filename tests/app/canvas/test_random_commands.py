"""Random commands on the canvas: what is drawn follows the document, and all of it can be undone and done again."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF

from runtime.workflow import format_workflow, load_workflow, save_workflow

TYPES = ("ORNode", "FrameStackNode", "PPOAgentNode", "FloatConstantNode", "RerouteNode", "PrintNode")


def ids(canvas):
    return list(canvas.items.nodes)


def select(canvas, number, place):
    chosen = ids(canvas)
    canvas.select_nodes(chosen[number % 7 :: 1 + number % 3])


def connect(canvas, number, place):
    if canvas.selection:
        wires = canvas.possible_wires(canvas.selection[:2])
        if wires:
            chosen = wires[number % len(wires)]
            canvas.connect_ports(chosen.source, chosen.target)


def on_wire(do):
    def command(canvas, number, place):
        places = sorted(canvas.items.wires)
        if places:
            do(canvas, places[number % len(places)], place)

    return command


COMMANDS = (
    select,
    connect,
    lambda canvas, number, place: canvas.add_node(TYPES[number % len(TYPES)], place),
    lambda canvas, number, place: canvas.drop_node(TYPES[number % len(TYPES)], place),
    lambda canvas, number, place: canvas.delete_selection(),
    lambda canvas, number, place: canvas.duplicate_selection(),
    lambda canvas, number, place: (canvas.copy(), canvas.paste()),
    lambda canvas, number, place: canvas.cut(),
    lambda canvas, number, place: canvas.mute_selection(),
    lambda canvas, number, place: canvas.collapse_selection(),
    lambda canvas, number, place: canvas.move_selection(number % 5 - 2, number % 3 - 1),
    lambda canvas, number, place: canvas.group_selection(),
    lambda canvas, number, place: canvas.align(("left", "middle", "bottom")[number % 3]),
    lambda canvas, number, place: canvas.distribute(("horizontal", "vertical")[number % 2]),
    lambda canvas, number, place: canvas.auto_layout(),
    lambda canvas, number, place: canvas.set_wire_style(("angled", "straight", "curved")[number % 3]),
    on_wire(lambda canvas, wire, place: canvas.add_reroute(wire, place)),
    on_wire(lambda canvas, wire, place: canvas.set_wire_label(wire, str(place.x()))),
    on_wire(lambda canvas, wire, place: canvas.disconnect_wires([wire])),
    lambda canvas, number, place: canvas.session.undo(),
    lambda canvas, number, place: canvas.session.redo(),
)
PLACES = st.tuples(st.integers(-200, 1500), st.integers(-200, 500)).map(lambda place: QPointF(*place))
STEPS = st.lists(st.tuples(st.integers(0, len(COMMANDS) - 1), st.integers(0, 40), PLACES), max_size=14)


def check_drawn(canvas):
    """What is drawn is what the document holds."""
    workflow = canvas.session.workflow
    assert set(canvas.items.nodes) == set(workflow.nodes)
    assert {node_id: item.pos().toTuple() for node_id, item in canvas.items.nodes.items()} == {
        node_id: tuple(entry.position) for node_id, entry in workflow.nodes.items()
    }
    links = {
        (entry.id, name): tuple(value)
        for entry in workflow.nodes.values()
        for name, value in entry.inputs.items()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and value[0] in workflow.nodes
    }
    assert {place: wire.look.source for place, wire in canvas.items.wires.items()} == {
        place: link[0] for place, link in links.items()
    }
    assert len(canvas.items.groups) == len(workflow.groups)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_commands_can_be_undone_and_done_again(cartpole, session, steps, tmp_path):
    from app.document import Document

    session.set_document(Document(load_workflow(cartpole_path())))
    first = format_workflow(session.workflow)
    for number, argument, place in steps:
        COMMANDS[number](cartpole, argument, place)
    check_drawn(cartpole)
    while session.document.can_redo:
        session.redo()
    last = format_workflow(session.workflow)
    save_workflow(session.workflow, tmp_path / "w.json")
    assert format_workflow(load_workflow(tmp_path / "w.json")) == last
    while session.document.can_undo:
        session.undo()
    check_drawn(cartpole)
    assert format_workflow(session.workflow) == first
    while session.document.can_redo:
        session.redo()
    check_drawn(cartpole)
    assert format_workflow(session.workflow) == last


def cartpole_path():
    from pathlib import Path

    return Path(__file__).parents[3] / "examples" / "cartpole_ppo.json"
