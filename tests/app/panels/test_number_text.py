"""Numbers as the inspector writes, reads and steps them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.panels.number_text import format_number, parse_number, stepped
from runtime.errors import ParameterError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0003, "3e-4"), (1e-5, "1e-5"), (2.5e-5, "2.5e-5"), (-1e-6, "-1e-6"), (0.001, "0.001"), (0.99, "0.99"),
        (1.0, "1"), (400.0, "400"), (0.0, "0"), (1e6, "1e6"), (123456.5, "123456.5"), (1.5e9, "1.5e9"),
        (64, "64"), (1_000_000, "1000000"), (True, "True"),
    ],
)  # fmt: skip
def test_numbers_are_written_briefly(value, text):
    assert format_number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_reads_back_as_itself(value):
    assert parse_number(format_number(value), is_int=False) == value


@given(st.integers(-(10**12), 10**12))
def test_a_written_whole_number_reads_back_as_itself(value):
    assert parse_number(format_number(value), is_int=True) == value


@pytest.mark.parametrize(("text", "value"), [("3e-4", 0.0003), ("3E-4", 0.0003), (".5", 0.5), ("1_000", 1000)])
def test_numbers_are_read(text, value):
    assert parse_number(text, is_int=False) == value


def test_a_whole_number_may_be_written_with_an_exponent():
    assert parse_number("1e6", is_int=True) == 1_000_000
    assert isinstance(parse_number("1e6", is_int=True), int)


@pytest.mark.parametrize(("is_int", "words"), [(True, "not a whole number; write one such as 64"), (False, "3e-4")])
def test_what_is_no_number_is_named(is_int, words):
    with pytest.raises(ParameterError, match=words):
        parse_number("abc", is_int)


@pytest.mark.parametrize(
    ("value", "steps", "is_int", "expected"),
    [
        (0.99, -1, False, 0.98), (0.999, -1, False, 0.998), (3e-4, 1, False, 3.1e-4), (1e-4, -1, False, 9e-5),
        (0.2, 1, False, 0.21), (400.0, 1, False, 410.0), (1.0, 1, False, 1.1), (-2.0, 1, False, -1.9),
        (64, 1, True, 65), (64, -10, True, 54), (200_000, 1, True, 210_000), (0, 1, True, 1),
    ],
)  # fmt: skip
def test_a_step_is_some_per_cent(value, steps, is_int, expected):
    assert stepped(value, steps, is_int) == expected


def test_a_step_from_zero_depends_on_the_range():
    assert stepped(0.0, 1, False, low=0.0, high=10.0) == 0.01
    assert stepped(0.0, 1, False, low=-1e6, high=1e6) == 0.1


@given(st.floats(0.0, 1.0), st.integers(-20, 20))
def test_steps_stay_inside_the_range(value, steps):
    assert 0.0 <= stepped(value, steps, False, low=0.0, high=1.0) <= 1.0
