"""The part of the plane that a plot shows."""

import math

import pytest

from app.plots.drawing import RunCurves, steady_range
from app.plots.following import Following


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


def grown(iterations, seconds_each):
    run = RunCurves("This run")
    for index in range(1, iterations + 1):
        run.table.append(100 * index, index, seconds_each * index, {"a": 1.0})
    return run


def test_a_growing_run_has_room_that_lasts_for_seconds_and_stays():
    following, shown = Following(), []
    for count in range(1, 201):
        low, high = following.ends([grown(count, 0.05)], "iterations", True)
        assert low in (0.5, 1.0) and count <= high <= 2.0 * count + 0.5
        shown.append((low, high))
    assert len(set(shown)) <= 12
    assert shown[-1][1] <= 1.25 * 200


def test_a_slow_run_has_an_eighth_of_room():
    assert Following().ends([grown(81, 60.0)], "iterations", True) == (1.0, 91.0)
    assert Following().ends([grown(81, 60.0)], "iterations", False) == (1.0, 81.0)


def test_another_axis_or_run_is_shown_in_its_own_range():
    following, run = Following(), grown(200, 0.5)
    following.ends([run], "steps", True)
    assert following.ends([run], "iterations", True)[1] < 230
    assert following.ends([grown(20, 0.5)], "iterations", True)[1] < 30
