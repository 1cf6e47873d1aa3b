"""Whatever a file holds: a workflow and notes, or a WorkflowError that says what was expected."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import WorkflowError
from runtime.importing import import_workflow
from runtime.workflow import format_workflow, parse_workflow

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "earlier_dnne").glob("*.json"))

NODE = {"class_type": "ORNode", "inputs": {}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1"),
        ("class_type: ORNode", "not valid JSON"),
        ("[]", "API form"),
        ("5", "API form"),
        ('"prompt"', "API form"),
        ("{}", "API form"),
        ('{"prompt": {}}', "API form"),
        ('{"prompt": []}', "API form"),
        ('{"nodes": {}}', "list of 'nodes'"),
        ('{"1": {"type": "ORNode"}}', "class_type"),
        ('{"1": {"class_type": 5}}', "class_type"),
        ('{"dnne_workflow": 1, "nodes": {}}', "needs no import"),
        ('{"1": {"class_type": "ORNode", "inputs": []}}', "'inputs'"),
        ('{"a/b": {"class_type": "ORNode"}}', "slash"),
        ('{"nodes": [5]}', "nodes[0]"),
        ('{"nodes": [{"type": "ORNode"}]}', "'id'"),
        ('{"nodes": [{"id": true, "type": "ORNode"}]}', "'id'"),
        ('{"nodes": [{"id": 1, "type": null}]}', "'type'"),
        ('{"nodes": [{"id": 1, "type": "A"}, {"id": "1", "type": "B"}]}', "two nodes"),
        ('{"nodes": [{"id": 1, "type": "A", "inputs": {}}]}', "'inputs'"),
        ('{"nodes": [], "links": {}}', "'links'"),
        ('{"nodes": [], "groups": 5}', "'groups'"),
        ('{"1": {"class_type": "PPOTrainerNode", "inputs": {"gamma": NaN}}}', "NaN"),
        ('{"1": {"class_type": "PPOTrainerNode", "inputs": {"gamma": 1e999}}}', "1e999"),
        ('{"1": {"class_type": "ORNode", "inputs": {"input_a": 1, "input_a": 2}}}', "twice"),
        ('{"1": {"class_type": "ORNode", "inputs": {"title": "\\ud800"}}}', "not valid JSON"),
        ("[" * 100_000, "nested"),
    ],
)
def test_error_says_what_was_expected(text, said):
    with pytest.raises(WorkflowError, match=".") as caught:
        import_workflow(text, "Test")
    assert said in str(caught.value)


def test_mark_of_windows_editors_at_the_start_is_no_error():
    assert import_workflow("\ufeff" + json.dumps({"1": NODE}), "Test").workflow.nodes["1"].class_type == "ORNode"


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_truncated_file_is_an_error(path):
    text = path.read_text(encoding="utf-8").rstrip()
    for end in range(0, len(text), 7):
        with pytest.raises(WorkflowError):
            import_workflow(text[:end], "Test")


def reads_or_refuses(document):
    try:
        result = import_workflow(json.dumps(document), "Test")
    except WorkflowError:
        return
    assert parse_workflow(format_workflow(result.workflow)).nodes == result.workflow.nodes
    for note in result.notes:
        assert note.message
        assert note.text


texts = st.sampled_from(["", "1", "5", "output", "class_type", "inputs", "ORNode", "/", "é", "{value}"]) | st.text(
    max_size=5
)
numbers = (
    st.sampled_from([0, 1, 5, -1, 10**400, 1.5, -0.0])
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@given(values)
def test_any_json_is_read_or_refused(document):
    reads_or_refuses(document)


ui_keys = st.sampled_from(["id", "type", "pos", "inputs", "outputs", "widgets_values", "mode", "title", "name", "link"])


@given(st.lists(st.dictionaries(ui_keys, values), max_size=4), st.lists(values, max_size=4), values)
def test_any_nodes_and_links_are_read_or_refused(nodes, links, groups):
    for index, node in enumerate(nodes):
        node["id"] = index
        node.setdefault("type", "PPOTrainerNode")
    reads_or_refuses({"nodes": nodes, "links": links, "groups": groups})


def places(value, path=()):
    """The path of every part of a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def replaced(document, path, value):
    """A copy of a JSON value with another part at a path."""
    copy = json.loads(json.dumps(document))
    if not path:
        return value
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_files_with_a_wrong_part_are_read_or_refused(data):
    document = json.loads(data.draw(st.sampled_from(FIXTURES)).read_text(encoding="utf-8"))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(document))))
        document = replaced(document, path, data.draw(values))
    reads_or_refuses(document)
