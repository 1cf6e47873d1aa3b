"""Random edits: undo of all gives the first document, redo of all the last, save and load change nothing."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.document import ABSENT, Change, Document, edits
from runtime.workflow import format_workflow, load_workflow

EXAMPLE = Path(__file__).parents[3] / "examples" / "cartpole_curriculum.json"
TYPES = ("ORNode", "PPOAgentNode", "NobodyKnowsThisNode")
NUMBERS = st.integers(0, 30)
PLACES = st.tuples(st.integers(-2000, 2000).map(float), st.integers(-2000, 2000).map(float))
TEXTS = st.text(max_size=12)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-1, 1), TEXTS, st.lists(NUMBERS, max_size=3))


class Named:
    """Stands for a node class: the document needs its name and title alone."""

    def __init__(self, type_name):
        self.type_name = self.title = type_name


def pick(workflow, number):
    ids = list(workflow.nodes)
    return ids[number % len(ids)] if ids else None


def add(workflow, number, place, text, value):
    return edits.add_node(workflow, Named(TYPES[number % len(TYPES)]), place)[1]


def delete(workflow, number, place, text, value):
    return edits.delete_nodes(workflow, [pick(workflow, number), pick(workflow, number // 2)])


def connect(workflow, number, place, text, value):
    return edits.connect((pick(workflow, number), "output"), (pick(workflow, number // 3), f"input_{number % 4}"))


def disconnect(workflow, number, place, text, value):
    found = edits.wires(workflow)
    return edits.disconnect([found[number % len(found)][2:]]) if found else []


def move(workflow, number, place, text, value):
    return edits.move_nodes({pick(workflow, number): place})


def title(workflow, number, place, text, value):
    return edits.set_title(pick(workflow, number), text)


def parameter(workflow, number, place, text, value):
    return edits.set_parameter([pick(workflow, number)], f"p{number % 3}", value)


def reset(workflow, number, place, text, value):
    return edits.reset_parameter([pick(workflow, number)], f"p{number % 3}")


def flag(workflow, number, place, text, value):
    return edits.set_flag([pick(workflow, number)], ("muted", "collapsed")[number % 2], number % 3 > 0)


def label(workflow, number, place, text, value):
    found = edits.wires(workflow)
    return edits.set_wire_label(found[number % len(found)][2:], text, workflow) if found else []


def reroute(workflow, number, place, text, value):
    found = edits.wires(workflow)
    return edits.insert_reroute(workflow, found[number % len(found)], place)[1] if found else []


def paste(workflow, number, place, text, value):
    data = edits.copy_nodes(workflow, [pick(workflow, number), pick(workflow, number + 1)])
    return edits.paste_nodes(workflow, data, place)[1]


def group(workflow, number, place, text, value):
    if number % 3 == 0 and workflow.groups:
        return edits.delete_group(workflow, number % len(workflow.groups))
    if number % 3 == 1 and workflow.groups:
        return edits.change_group(workflow, number % len(workflow.groups), title=text)
    return edits.add_group(workflow, text, "#4c7fc4", [*place, 100.0, 80.0])


def rename(workflow, number, place, text, value):
    return [Change(("name",), text)]


def view(workflow, number, place, text, value):
    return [Change(("view",), {**workflow.view, "snap_to_grid": bool(number % 2)})]


def clear_extra(workflow, number, place, text, value):
    return [Change(("nodes", pick(workflow, number), "extra", "note"), text or ABSENT)]


EDITS = (
    add, delete, connect, disconnect, move, title, parameter, reset, flag, label, reroute, paste, group, rename, view,
    clear_extra,
)  # fmt: skip
ANYWHERE = (add, rename, view, group)
STEPS = st.tuples(st.sampled_from(EDITS), NUMBERS, PLACES, TEXTS, VALUES, st.sampled_from(["", "", "drag"]))


def perform(document, steps):
    """Make the edits; returns the document as text after each step of its history."""
    for edit, number, place, text, value, merge_key in steps:
        if document.workflow.nodes or edit in ANYWHERE:
            document.edit(edit.__name__, edit(document.workflow, number, place, text, value), merge_key)


@settings(max_examples=120, deadline=None)
@given(steps=st.lists(STEPS, max_size=25), undone=st.integers(0, 25))
def test_undo_gives_the_first_document_and_redo_the_last(steps, undone):
    document = Document.open(EXAMPLE)
    first = format_workflow(document.workflow)
    perform(document, steps)
    last = format_workflow(document.workflow)
    for _ in range(undone):
        document.undo()
    for _ in range(undone):
        document.redo()
    assert format_workflow(document.workflow) == last
    while document.can_undo:
        document.undo()
    assert format_workflow(document.workflow) == first
    assert not document.is_modified
    while document.can_redo:
        document.redo()
    assert format_workflow(document.workflow) == last


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_save_and_load_change_nothing(steps):
    document = Document.open(EXAMPLE)
    perform(document, steps)
    with tempfile.TemporaryDirectory() as folder:
        path = document.save(Path(folder) / "w.json")
        loaded = load_workflow(path)
        assert loaded == document.workflow
        assert format_workflow(loaded) == path.read_text(encoding="utf-8")
        assert not document.is_modified


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=12), others=st.lists(STEPS, min_size=1, max_size=6))
def test_an_edit_after_an_undo_ends_what_could_be_done_again(steps, others):
    document = Document.open(EXAMPLE)
    first = format_workflow(document.workflow)
    perform(document, steps)
    while document.can_undo:
        document.undo()
    perform(document, others)
    if format_workflow(document.workflow) != first:
        assert not document.can_redo
    while document.can_undo:
        document.undo()
    assert format_workflow(document.workflow) == first
