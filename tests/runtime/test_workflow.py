"""The reader of workflow files: keeps everything, refuses what is wrong with a reason, and never fails otherwise."""

import copy
import json
from pathlib import Path
from typing import Any, List

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtime.errors import StorageError, WorkflowError
from runtime.workflow import (
    NodeEntry,
    Workflow,
    format_workflow,
    load_workflow,
    parse_workflow,
    save_workflow,
    workflow_from_dict,
    workflow_to_dict,
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "cartpole_ppo.json"
MINIMAL = {"dnne_workflow": 1, "nodes": {}}


def document(**changes: Any) -> dict:
    return {**copy.deepcopy(MINIMAL), **changes}


def with_node(**changes: Any) -> dict:
    return document(nodes={"1": {"class_type": "ORNode", "inputs": {}, **changes}})


# What is kept


def test_the_example_is_read_and_written_as_it_is():
    text = EXAMPLE.read_text(encoding="utf-8")
    workflow = load_workflow(EXAMPLE)
    assert json.loads(format_workflow(workflow)) == json.loads(text)
    assert list(workflow.nodes) == ["1", "2", "3", "4", "5", "6"]
    assert workflow.nodes["3"].inputs["observations"] == ["2", "output"]


def test_unknown_keys_and_node_types_survive_a_round_trip():
    original = document(
        name="Mine",
        nodes={
            "b": {"class_type": "NodeOfTheFuture", "title": "F", "position": [1.5, -2], "inputs": {"x": [1, {}]},
                  "muted": True, "colour": {"deep": [1, 2]}},
            "a": {"class_type": "ORNode", "position": [0, 0], "inputs": {}},
        },
        groups=[{"title": "G", "nodes": ["a"]}],
        view={"zoom": 0.5},
        future={"key": [True, None]},
    )  # fmt: skip
    text = format_workflow(workflow_from_dict(original))
    assert json.loads(text) == original
    assert list(json.loads(text)["nodes"]) == ["b", "a"], "the order of nodes is kept"
    assert format_workflow(parse_workflow(text)) == text


def test_the_text_is_made_for_people_and_diffs():
    workflow = Workflow("Ünï", {"1": NodeEntry("1", "ORNode", {"sizes": [1, 2], "input_a": ["2", "output"]}, "OR")})
    assert format_workflow(workflow) == (
        '{\n  "dnne_workflow": 1,\n  "name": "Ünï",\n  "nodes": {\n    "1": {\n      "class_type": "ORNode",\n'
        '      "title": "OR",\n      "position": [0.0, 0.0],\n      "inputs": {\n        "sizes": [1, 2],\n'
        '        "input_a": ["2", "output"]\n      }\n    }\n  },\n  "groups": [],\n  "view": {}\n}\n'
    )


def test_defaults_of_missing_parts():
    workflow = parse_workflow('{"dnne_workflow": 1, "nodes": {"1": {"class_type": "ORNode"}}}')
    assert workflow == Workflow("Untitled", {"1": NodeEntry("1", "ORNode", {}, "", (0.0, 0.0))})


def test_a_byte_order_mark_is_read_over(tmp_path):
    path = tmp_path / "bom.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(MINIMAL).encode())
    assert load_workflow(path).nodes == {}


def test_saving_writes_what_was_given(tmp_path):
    path = tmp_path / "w.json"
    workflow = load_workflow(EXAMPLE)
    save_workflow(workflow, path)
    assert load_workflow(path) == workflow
    with pytest.raises(StorageError):
        save_workflow(workflow, path / "below a file.json")


# What is refused


@pytest.mark.parametrize("cut", range(0, 1500, 97))
def test_a_truncated_file_names_file_line_and_column(tmp_path, cut):
    path = tmp_path / "cut.json"
    path.write_bytes(EXAMPLE.read_bytes()[:cut])
    with pytest.raises(WorkflowError, match=r"cut\.json: not valid JSON at line \d+, column \d+: "):
        load_workflow(path)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "not valid JSON at line 1, column 1"),
        (b"not json", "not valid JSON at line 1, column 1"),
        (b"\xff\xfe{}", "is not UTF-8 text"),
        (b"\x80\x04}q\x00.", "is not UTF-8 text"),
        (b'{"dnne_workflow": 1, "nodes": {},}', "not valid JSON at line 1"),
        (b"{'dnne_workflow': 1}", "not valid JSON at line 1, column 2"),
        (b'{"dnne_workflow": 1} {}', "not valid JSON at line 1, column 22: Extra data"),
        (b"[" * 100_000, "the JSON is nested too deeply"),
        (b'{"a":' * 100_000, "the JSON is nested too deeply"),
        (b'{"dnne_workflow": 1, "x": ' + b"[" * 300 + b"]" * 300 + b"}", "the JSON is nested too deeply"),
        (b'{"dnne_workflow": 1, "nodes": {"1": {"class_type": "A", "title": "\\ud800"}}}', "no Unicode"),
        (b'{"dnne_workflow": 1, "\\udfff": 1}', "no Unicode"),
    ],
)
def test_files_that_are_no_json(tmp_path, data, text):
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    with pytest.raises(WorkflowError) as caught:
        load_workflow(path)
    assert text in str(caught.value) and "bad.json" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(WorkflowError, match=r"cannot read .*missing\.json: No such file"):
        load_workflow(tmp_path / "missing.json")
    with pytest.raises(WorkflowError, match="cannot read .*: Is a directory"):
        load_workflow(tmp_path)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_not_finite(constant):
    text = f'{{"dnne_workflow": 1, "nodes": {{"1": {{"class_type": "A", "inputs": {{"gamma": {constant}}}}}}}}}'
    with pytest.raises(WorkflowError, match="finite"):
        parse_workflow(text)


def test_a_port_with_two_writers():
    text = (
        '{"dnne_workflow": 1, "nodes": {"1": {"class_type": "A", "inputs": '
        '{"states": ["2", "output"], "states": ["5", "observations"]}}}}'
    )
    with pytest.raises(WorkflowError) as caught:
        parse_workflow(text)
    assert str(caught.value) == (
        "'states' is given twice in one object, as ['2', 'output'] and ['5', 'observations']; an input has one writer: "
        "join two with an ORNode"
    )


def test_other_duplicate_keys():
    with pytest.raises(WorkflowError) as caught:
        parse_workflow(
            '{"dnne_workflow": 1, "nodes": {"1": {"class_type": "A"}, "1": {"class_type": "' + "B" * 500 + '"}}}'
        )
    assert str(caught.value).startswith(
        "'1' is given twice in one object, as {'class_type': 'A'} and {'class_type': 'BBB"
    )
    assert str(caught.value).endswith("...; keep one of them") and len(str(caught.value)) < 200


@pytest.mark.parametrize("version", [0, 2, 99, "1", True, None, 1.5, [1]])
def test_other_versions(version):
    with pytest.raises(WorkflowError, match="format version .* is not supported; this DNNE reads version 1"):
        workflow_from_dict({"dnne_workflow": version, "nodes": {}})


def test_no_version_points_to_the_import():
    with pytest.raises(WorkflowError, match="no 'dnne_workflow' key, so this is no DNNE workflow; 'dnne import FILE'"):
        workflow_from_dict({"3": {"class_type": "ORNode", "inputs": {}}})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "a workflow is a JSON object, not a list"),
        (None, "a workflow is a JSON object, not null"),
        ("x", "a workflow is a JSON object, not a text"),
        (document(nodes=[]), "'nodes' is a list; expected an object of nodes by id"),
        (document(nodes=None), "'nodes' is null; expected an object of nodes by id"),
        (document(name=3), "the workflow: 'name' is a number; expected a text"),
        (document(groups={}), "the workflow: 'groups' is an object; expected a list"),
        (document(view=[]), "the workflow: 'view' is a list; expected an object"),
        (document(nodes={"1": 3}), "node '1' is a number; expected an object with 'class_type' and 'inputs'"),
        (document(nodes={"1": {}}), "node '1' has no 'class_type'"),
        (document(nodes={"": {"class_type": "A"}}), "node '': an id names a folder"),
        (document(nodes={"..": {"class_type": "A"}}), "node '..': an id names a folder"),
        (document(nodes={"a/b": {"class_type": "A"}}), "node 'a/b': an id names a folder"),
        (document(nodes={"a\nb": {"class_type": "A"}}), r"node 'a\nb': an id names a folder"),
        (document(nodes={"x" * 101: {"class_type": "A"}}), "an id names a folder"),
        (with_node(class_type=7), "node '1': 'class_type' is a number; expected a text"),
        (with_node(class_type=None), "node '1': 'class_type' is null; expected a text"),
        (with_node(inputs=[]), "node '1': 'inputs' is a list; expected an object"),
        (with_node(title=None), "node '1': 'title' is null; expected a text"),
        (with_node(position=3), "node '1': 'position' is 3; expected two numbers [x, y]"),
        (with_node(position=[1]), "node '1': 'position' is [1]; expected two numbers [x, y]"),
        (with_node(position=[1, 2, 3]), "expected two numbers [x, y]"),
        (with_node(position=["1", 2]), "expected two numbers [x, y]"),
        (with_node(position=[True, False]), "expected two numbers [x, y]"),
    ],
)
def test_wrong_types_of_every_part(value, text):
    with pytest.raises(WorkflowError) as caught:
        parse_workflow(json.dumps(value))
    assert text in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", "\ud800"])
def test_values_that_json_cannot_hold_are_not_written(tmp_path, value):
    path = tmp_path / "w.json"
    save_workflow(Workflow(), path)
    before = path.read_bytes()
    with pytest.raises(WorkflowError, match="cannot be written as JSON"):
        save_workflow(Workflow(nodes={"1": NodeEntry("1", "A", {"value": value})}), path)
    assert path.read_bytes() == before


# Anything at all

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
EXAMPLE_DOCUMENT = json.loads(EXAMPLE.read_text(encoding="utf-8"))


def read(text: str) -> None:
    """Either it is read, and a round trip changes nothing, or it is refused with a reason."""
    try:
        workflow = parse_workflow(text)
    except WorkflowError:
        return
    written = format_workflow(workflow)
    assert parse_workflow(written) == workflow
    assert format_workflow(parse_workflow(written)) == written


@given(text=st.text())
@example(text="\ufeff{}")
@example(text="1" * 5000)
@example(text='{"dnne_workflow": ' + "9" * 5000 + "}")
def test_any_text(text):
    read(text)


@given(value=JSON)
def test_any_json(value):
    read(json.dumps(value))


@given(
    nodes=st.dictionaries(
        st.text(max_size=4),
        st.fixed_dictionaries(
            {"class_type": st.text(max_size=5), "inputs": st.dictionaries(st.text(max_size=5), JSON, max_size=4)},
            optional={"title": st.text(max_size=5), "position": st.tuples(NUMBERS, NUMBERS), "more": JSON},
        ),
        max_size=4,
    ),
    rest=st.fixed_dictionaries({}, optional={"name": st.text(), "view": st.dictionaries(st.text(), JSON), "x": JSON}),
)
def test_anything_in_the_form_of_a_workflow(nodes, rest):
    read(json.dumps({"dnne_workflow": 1, "nodes": nodes, **rest}))


def paths(value: Any, path: tuple = ()) -> List[tuple]:
    found = [path]
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += paths(child, (*path, key))
    return found


@given(where=st.sampled_from(paths(EXAMPLE_DOCUMENT)), value=JSON, remove=st.booleans())
def test_a_good_file_with_a_part_exchanged(where, value, remove):
    mutated = copy.deepcopy(EXAMPLE_DOCUMENT)
    if where:
        parent = mutated
        for key in where[:-1]:
            parent = parent[key]
        if remove:
            del parent[where[-1]]
        else:
            parent[where[-1]] = value
    read(json.dumps(mutated if where else value))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_good_file_with_characters_exchanged(data):
    text = EXAMPLE.read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + data.draw(st.text(max_size=6)) + text[end:]
    read(text)


def test_documents_are_plain():
    assert workflow_to_dict(load_workflow(EXAMPLE)) == EXAMPLE_DOCUMENT
