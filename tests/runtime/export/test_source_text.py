import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.export.source_text import comment, docstring, join_lines, literal, one_line

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans() | st.none()
VALUES = st.recursive(
    NUMBERS | st.text(), lambda items: st.lists(items) | st.dictionaries(st.text(), items), max_leaves=20
)


@given(VALUES)
def test_a_literal_is_the_value(value):
    assert ast.literal_eval(literal(value, "    ", 20)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-3, "0.001"),
        ("elu", '"elu"'),
        ('say "x"', "'say \"x\"'"),
        ("it's", '"it\'s"'),
        ([64, 64], "[64, 64]"),
        ({"a": [1.0, 2.0]}, '{"a": [1.0, 2.0]}'),
        ([], "[]"),
        ({}, "{}"),
        ("\ud800\n", r'"\ud800\n"'),
    ],
)
def test_literals_read_as_a_person_would_write_them(value, text):
    assert literal(value) == text


def test_long_values_get_a_line_per_item():
    value = {f"reward_component_{number}": [0.125, number] for number in range(5)}
    text = literal(value, "    ", 12)
    assert text.splitlines()[:2] == ["{", '        "reward_component_0": [0.125, 0],']
    assert text.splitlines()[-1] == "    }"
    assert ast.literal_eval(text) == value


@given(st.lists(st.text(), min_size=1))
def test_any_paragraphs_make_a_docstring(paragraphs):
    lines = docstring(paragraphs or [""], "    ")
    if not any(one_line(paragraph) for paragraph in paragraphs):
        return
    tree = ast.parse(join_lines(["class A:", *lines]))
    words = " ".join(one_line(paragraph) for paragraph in paragraphs).split()
    assert (ast.get_docstring(tree.body[0]) or "").split() == words


@given(st.text())
def test_any_text_makes_a_comment(text):
    tree = ast.parse(join_lines([*comment(text), "x = 1"]))
    assert len(tree.body) == 1


def test_lines_are_short():
    text = "word " * 100
    lines = [*comment(text, "    "), *docstring([text, text], "    ")]
    assert max(map(len, lines)) <= 110
