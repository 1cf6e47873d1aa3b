"""Parameters convert and refuse values, and their errors say what is allowed."""

import math
from typing import Any, Dict, List, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ParameterError
from runtime.parameters import Parameter, is_supported, param


def declare(annotation: Any, default: Any = None, **options: Any) -> Parameter:
    declared = param(default, doc="A doc", **options)
    declared.name, declared.annotation = "p", annotation
    return declared


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (float, 3, 3.0),
        (float, 0.5, 0.5),
        (int, 3.0, 3),
        (int, 10**18 + 1, 10**18 + 1),
        (int, 10**400, 10**400),
        (bool, True, True),
        (str, "text", "text"),
        (List[int], (1, 2.0), [1, 2]),
        (List[float], [], []),
        (List[List[float]], [[1], [2, 3]], [[1.0], [2.0, 3.0]]),
        (Dict[str, float], {"a": 1}, {"a": 1.0}),
        (Dict[str, List[float]], {"a": [1, 2]}, {"a": [1.0, 2.0]}),
        (Optional[float], None, None),
        (Optional[float], 2, 2.0),
        (Union[int, float], 2.5, 2.5),
        (Union[int, str], "x", "x"),
        (Any, [{"x": None}], [{"x": None}]),
    ],
)
def test_values_take_their_declared_type(annotation, value, expected):
    result = declare(annotation).check(value)
    assert result == expected and type(result) is type(expected)
    if isinstance(expected, list) and annotation is not Any:
        assert [type(item) for item in result] == [type(item) for item in expected]


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (float, "0.5", "'0.5' is not a number; expected number"),
        (float, True, "True is not a number; expected number"),
        (float, None, "None is not a number; expected number"),
        (float, 10**400, "... is not a number; expected number"),
        (int, 2.5, "2.5 is not a whole number; expected whole number"),
        (int, math.inf, "inf is not a whole number; expected whole number"),
        (str, 1.5e308, "1.5e+308 is not a text"),
        (bool, math.inf, "inf is not true or false"),
        (bool, 1, "1 is not true or false; expected true or false"),
        (str, 1, "1 is not a text; expected text"),
        (List[int], 64, "64 is not a list of whole numbers; expected list of whole numbers"),
        (List[int], [64, "64"], "[64, '64'] is not a list of whole numbers"),
        (List[int], "64,64", "'64,64' is not a list of whole numbers"),
        (Dict[str, float], {"a": "b"}, "{'a': 'b'} is not a dictionary of numbers by name"),
        (Dict[str, float], {1: 2.0}, "{1: 2.0} is not a dictionary of numbers by name"),
        (Dict[str, float], [1.0], "[1.0] is not a dictionary of numbers by name"),
        (Optional[int], "x", "'x' is not a whole number or null"),
        (float, math.nan, "nan is not a finite number; expected number"),
        (float, -math.inf, "-inf is not a finite number; expected number"),
        (List[float], [1.0, math.nan], "[1.0, nan] is not a finite number"),
        (Dict[str, float], {"a": math.inf}, "{'a': inf} is not a finite number"),
    ],
)
def test_wrong_types_and_numbers_that_are_not_finite_are_refused(annotation, value, text):
    with pytest.raises(ParameterError) as caught:
        declare(annotation).check(value)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("options", "value", "text"),
    [
        ({"low": 0.0, "high": 1.0}, 1.5, "1.5 is out of range; allowed: 0 to 1"),
        ({"low": 0.0, "high": 1.0}, -1e-9, "-1e-09 is out of range; allowed: 0 to 1"),
        ({"low": 2}, 1, "1 is out of range; allowed: at least 2"),
        ({"high": 2}, 3, "3 is out of range; allowed: at most 2"),
        ({"low": 0, "high": 9, "unit": "N"}, 10, "10 is out of range; allowed: 0 to 9 N"),
        ({"low": 1, "auto": True}, -1, '-1 is out of range; allowed: at least 1, 0 or "auto" to infer'),
        ({"low": 1, "auto": True}, "aut", "'aut' is not a number; allowed: at least 1, 0 or \"auto\" to infer"),
    ],
)
def test_values_out_of_range_are_refused_with_the_range_and_the_unit(options, value, text):
    with pytest.raises(ParameterError) as caught:
        declare(float, 1.0, **options).check(value)
    assert str(caught.value) == text


def test_types_in_words():
    assert declare(List[List[float]]).type_text == "list of lists of numbers"
    assert declare(Dict[str, List[bool]]).type_text == "dictionary of lists of true or false by name"
    assert declare(Optional[int]).type_text == "whole number or null"
    assert declare(Any).type_text == "value"


def test_bounds_are_inclusive_and_hold_for_every_number():
    declared = declare(List[int], [1], low=1, high=3)
    assert declared.check([1, 3]) == [1, 3]
    with pytest.raises(ParameterError, match="out of range"):
        declared.check([1, 4])
    with pytest.raises(ParameterError, match="out of range"):
        declare(Dict[str, float], {}, high=1.0).check({"a": 0.0, "b": 1.1})


def test_choices():
    declared = declare(str, "epoch", choices=("epoch", "time"))
    assert declared.check("time") == "time"
    with pytest.raises(ParameterError) as caught:
        declared.check("never")
    assert str(caught.value) == "'never' is not allowed; allowed: one of 'epoch', 'time'"


def test_auto_and_zero_mean_inferred():
    declared = declare(int, 0, low=1, auto=True)
    assert declared.check("auto") == declared.check(0) == 0
    with pytest.raises(ParameterError):
        declare(int, 1, low=1).check(0)
    with pytest.raises(ParameterError):
        declare(int, 1, low=1).check("auto")


def test_long_values_are_cut_in_messages():
    with pytest.raises(ParameterError) as caught:
        declare(float).check(list(range(10_000)))
    assert len(str(caught.value)) < 150


def test_another_default_is_a_copy_and_is_checked():
    declared = declare(float, 0.5, low=0.0, high=1.0)
    other = declared.with_default(1)
    assert (other.default, declared.default) == (1.0, 0.5)
    assert (other.low, other.doc, other.annotation) == (0.0, "A doc", float)
    with pytest.raises(ParameterError, match="2 is out of range; allowed: 0 to 1"):
        declared.with_default(2)


@pytest.mark.parametrize(
    ("annotation", "supported"),
    [
        (int, True),
        (Optional[Dict[str, List[float]]], True),
        (Any, True),
        (list, False),
        (List, False),
        (Dict, False),
        (Dict[int, float], False),
        (tuple, False),
        (bytes, False),
        (List[bytes], False),
        (None, False),
    ],
)
def test_which_annotations_are_supported(annotation, supported):
    assert is_supported(annotation) is supported


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
NESTED = Dict[str, List[float]]
ANNOTATIONS = [float, int, bool, str, List[int], List[float], Dict[str, float], NESTED, Optional[int], Any]


@given(value=JSON, annotation=st.sampled_from(ANNOTATIONS), low=st.none() | st.integers(-5, 5), auto=st.booleans())
def test_a_checked_value_is_right_once_and_for_all(value, annotation, low, auto):
    declared = declare(annotation, low=low, auto=auto)
    try:
        checked = declared.check(value)
    except ParameterError:
        return
    assert declared.check(checked) == checked
    if annotation in (float, int):
        assert type(checked) is annotation or checked == 0
        assert math.isfinite(checked)
        assert low is None or checked >= low or (auto and checked == 0)
