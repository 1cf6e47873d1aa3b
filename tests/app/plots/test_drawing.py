"""The part of the plane that a plot shows."""

import math

import pytest

from app.plots.drawing import steady_range


def test_the_range_of_values_has_room_and_stays_while_they_grow_a_little():
    ends = [steady_range((0.0, 400.0 + value)) for value in range(100)]
    assert all(bottom < 0.0 and 400.0 + value < top for value, (bottom, top) in enumerate(ends))
    assert len(set(ends)) <= 8
    assert all(top - bottom <= 1.25 * (400.0 + value) for value, (bottom, top) in enumerate(ends))


def test_a_single_value_has_room_at_both_sides():
    for value in (0.0, 3.0, -1e6, 1e-8):
        bottom, top = steady_range((value, value))
        assert bottom < value < top
    assert steady_range(None) == (0.0, 1.0)


@pytest.mark.parametrize("found", [(0.0, 5e-324), (1e9, 1e9 + 1e-6), (-1e-310, 0.0)])
def test_the_range_of_close_values_holds_them(found):
    bottom, top = steady_range(found)
    assert bottom <= found[0] < found[1] <= top


def test_the_range_of_values_near_the_greatest_number_is_finite():
    bottom, top = steady_range((-1.7e308, 1.7e308))
    assert bottom < top and math.isfinite(top - bottom)
