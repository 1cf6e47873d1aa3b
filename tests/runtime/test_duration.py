import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.duration import MAX_SECONDS, format_duration, parse_duration
from runtime.errors import DnneError, DurationError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h", 3600),
        ("1h30m", 5400),
        ("2h45m30s", 9930),
        ("1h5s", 3605),
        ("90m", 5400),
        ("0h5m", 300),
        ("007s", 7),
        ("100000h", MAX_SECONDS),
    ],
)
def test_durations_of_the_grammar(text, seconds):
    assert parse_duration(text) == seconds
    assert isinstance(parse_duration(text), float)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "5mXYZ",
            "30s5m",
            "1m30",
            "0s",
            "0h0m0s",
            "",
            "5",
            "5.5m",
            " 5m x",
            " 5m",
            "5m ",
            "5m\n",
            "-5m",
            "+5m",
            "5M",
            "5 m",
        ),
        *("1h1h", "h", "1d", "1e3s", "٣s", "100000h1s", "9" * 40 + "h", "9" * 10_000 + "s", "s" * 10_000, "\x00"),
    ],
)
def test_anything_else_is_an_error_that_shows_the_grammar(text):
    with pytest.raises(DurationError, match="30s, 5m, 1h, 1h30m, 2h45m30s") as caught:
        parse_duration(text)
    assert isinstance(caught.value, DnneError)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 400


@given(st.text(alphabet="0123456789hms -.x", max_size=12))
def test_a_text_is_a_duration_or_an_error_and_nothing_else(text):
    try:
        seconds = parse_duration(text)
    except DurationError:
        return
    assert 0 < seconds <= MAX_SECONDS


@given(st.integers(min_value=1, max_value=MAX_SECONDS))
def test_format_and_parse_are_inverse(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(0, 99), st.integers(0, 300), st.integers(0, 300))
def test_parse_adds_its_parts(hours, minutes, seconds):
    total = hours * 3600 + minutes * 60 + seconds
    if total:
        assert parse_duration(f"{hours}h{minutes}m{seconds}s") == total


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.4, "0s"), (59.6, "1m"), (3600, "1h"), (3661.0, "1h1m1s"), (90061, "25h1m1s")]
)
def test_format(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf])
def test_format_refuses_what_is_no_length_of_time(seconds):
    with pytest.raises(DurationError, match="finite and not negative"):
        format_duration(seconds)
