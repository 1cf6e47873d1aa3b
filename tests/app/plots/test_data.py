"""The parts of the plots that need no Qt: table, reduction, smoothing, labels, choices."""

import math

import numpy as np
import pytest

from app.plots.choices import PlotChoices, choices_key
from app.plots.column import Column
from app.plots.curve import Curve
from app.plots.labels import (
    FIRST_PLOTS,
    REWARD_COMPONENTS,
    curve_names,
    duration_text,
    label,
    plots_for,
    short_number,
)
from app.plots.metric_table import ITERATIONS, STEPS, TIME, MetricTable
from app.plots.reduction import reduce_min_max, visible_range
from app.plots.smoothing import Smoothed, smooth


def filled(*rows):
    table = MetricTable()
    for index, values in enumerate(rows, start=1):
        table.append(64 * index, index, 0.5 * index, values)
    return table


def test_a_column_grows_and_keeps_its_values():
    column = Column()
    for value in range(1000):
        column.append(value)
    column.extend(range(1000, 3000))
    assert np.array_equal(column.values, np.arange(3000.0))


def test_points_have_the_positions_of_the_rows_in_which_they_were_reported():
    table = filled({"a": 1.0}, {"a": 2.0, "b": 20.0}, {"a": 3.0}, {"b": 40.0})
    assert [list(part) for part in table.points("a", STEPS)] == [[64, 128, 192], [1, 2, 3]]
    assert [list(part) for part in table.points("b", ITERATIONS)] == [[2, 4], [20, 40]]
    assert [list(part) for part in table.points("b", TIME)] == [[1.0, 2.0], [20, 40]]
    assert [len(part) for part in table.points("gone", STEPS)] == [0, 0]


def test_values_that_are_not_finite_are_counted_and_not_drawn():
    table = filled({"a": 1.0}, {"a": math.nan}, {"a": math.inf}, {"a": 4.0})
    assert list(table.points("a", ITERATIONS)[0]) == [1, 4]
    assert table.curves["a"].not_finite == 2


def test_metrics_that_come_in_two_halves_make_one_row():
    table = filled({"a": 1.0, "b": 1.0}, {"a": 2.0})
    table.append(128, 2, 1.0, {"b": 20.0, "c": 30.0})
    table.append(128, 2, 1.0, {"b": 99.0})
    assert list(table.axis(ITERATIONS)) == [1, 2]
    assert [list(table.points(name, ITERATIONS)[1]) for name in "abc"] == [[1, 2], [1, 20], [30]]


def test_a_resumed_run_replaces_what_it_does_anew_and_its_clock_goes_on():
    table = filled(*({"a": float(index)} for index in range(1, 6)))
    revision = table.curves["a"].revision
    table.append(256, 4, 0.1, {"a": 44.0})
    table.append(320, 5, 0.3, {"a": 55.0})
    assert list(table.points("a", ITERATIONS)[1]) == [1, 2, 3, 44, 55]
    assert list(table.axis(TIME)) == pytest.approx([0.5, 1.0, 1.5, 1.6, 1.8])
    assert table.curves["a"].revision != revision


def test_a_table_is_made_of_the_columns_of_a_file():
    nan = math.nan
    columns = {
        "step": [64.0, 128.0, 192.0],
        "iteration": [1.0, 2.0, 3.0],
        "a": [1.0, nan, 3.0],
        "time/elapsed_seconds": [1.0, 2.0, 0.5],
    }
    table = MetricTable.from_columns(columns)
    assert [list(part) for part in table.points("a", STEPS)] == [[64, 192], [1, 3]]
    assert list(table.axis(TIME)) == [1.0, 2.0, 2.5]
    table.append(256, 4, 0.7, {"a": 4.0})
    assert table.axis(TIME)[-1] == pytest.approx(2.7)


def test_an_empty_file_makes_an_empty_table():
    assert len(MetricTable.from_columns({"step": [], "iteration": []})) == 0
    assert MetricTable.from_columns({}).curves == {}


@pytest.mark.parametrize(("low", "high", "found"), [(2.5, 4.5, (1, 5)), (-5, 100, (0, 6)), (7, 9, (5, 6))])
def test_the_visible_range_has_a_neighbour_at_each_side(low, high, found):
    assert visible_range(np.array([1.0, 2, 3, 4, 5, 6]), low, high) == found


def test_few_points_are_not_reduced():
    x, y = np.arange(10.0), np.arange(10.0) ** 2
    assert [list(part) for part in reduce_min_max(x, y, 2, 9, 100)] == [list(x[2:9]), list(y[2:9])]


@pytest.mark.parametrize(("first", "last"), [(0, 100_000), (17, 99_991), (50_000, 70_001)])
def test_a_reduced_curve_keeps_every_extreme_and_its_newest_value(first, last):
    generator = np.random.default_rng(0)
    x, y = np.arange(100_000.0), generator.normal(size=100_000)
    y[(first + last) // 2] = 50.0
    reduced_x, reduced_y = reduce_min_max(x, y, first, last, 500)
    assert len(reduced_x) == len(reduced_y) <= 2004
    assert reduced_y.max() == 50.0
    assert reduced_y.min() == y[reduced_x[0].astype(int) : last].min()
    assert (np.diff(reduced_x) >= 0).all()
    assert (reduced_x[-1], reduced_y[-1]) == (last - 1, y[last - 1])


def test_buckets_stay_where_they_are_while_the_view_moves():
    x, y = np.arange(100_000.0), np.random.default_rng(1).normal(size=100_000)
    here = dict(zip(*(part[2:-3] for part in reduce_min_max(x, y, 1000, 81_000, 500))))
    there = dict(zip(*(part[2:-3] for part in reduce_min_max(x, y, 1203, 81_203, 500))))
    shared = here.keys() & there.keys()
    assert len(shared) > 300
    assert all(here[position] == there[position] for position in shared)


def slow_smooth(values, weight):
    mean, result = 0.0, []
    for count, value in enumerate(values, start=1):
        mean = weight * mean + (1 - weight) * value
        result.append(mean / (1 - weight**count))
    return result


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 1000])
def test_smoothing_agrees_with_its_recurrence(weight, count):
    values = np.random.default_rng(2).normal(size=count) + 3
    assert smooth(values, weight)[0] == pytest.approx(slow_smooth(values, weight), rel=1e-9)


def test_smoothing_goes_on_where_it_stopped_and_begins_anew_after_a_cut():
    table, smoothed = MetricTable(), Smoothed(0.9)
    values = np.random.default_rng(3).normal(size=300)
    for index, value in enumerate(values, start=1):
        table.append(index, index, 0.0, {"a": float(value)})
        if index % 70 == 0:
            smoothed.of(table.curves["a"])
    assert smoothed.of(table.curves["a"]) == pytest.approx(slow_smooth(values, 0.9))
    table.append(11, 11, 0.0, {"a": 7.0})
    assert smoothed.of(table.curves["a"]) == pytest.approx(slow_smooth([*values[:10], 7.0], 0.9))


def test_smoothing_value_by_value_agrees_with_smoothing_in_blocks():
    values, curve, smoothed = np.random.default_rng(0).normal(size=300), Curve(), Smoothed(0.9)
    for row, value in enumerate(values.tolist()):
        curve.append(row, value)
        found = smoothed.of(curve)
    assert found == pytest.approx(smooth(values, 0.9)[0], rel=1e-12)


def test_a_weight_of_one_is_refused():
    with pytest.raises(ValueError, match=r"the weight is 1.0; expected 0 to below 1"):
        Smoothed(1.0)


def test_labels():
    assert label("episode/mean_length").text == "Episode length (steps)"
    assert label("episode/reward_cart_velocity").text == "Reward: cart velocity"
    assert label("eval/mean_reward").text == "Mean reward (eval)"
    assert label("train/new_thing").text == "New thing"


def test_the_usual_plots_come_first_and_every_metric_has_one():
    metrics = ["z", "episode/reward_a", "episode/reward_b", "train/entropy", "episode/mean_reward"]
    assert plots_for(metrics) == [
        "episode/mean_reward", "train/entropy", REWARD_COMPONENTS, "episode/reward_a", "episode/reward_b", "z",
    ]  # fmt: skip
    assert curve_names(REWARD_COMPONENTS, metrics) == ["episode/reward_a", "episode/reward_b"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (475.8431, "475.8"), (123456.0, "123,456"), (1.5e-5, "1.5e-05"), (-0.25, "-0.25")]
)
def test_numbers(value, text):
    assert short_number(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(4.25, "4.25 s"), (65, "1:05"), (3723, "1:02:03")])
def test_durations(seconds, text):
    assert duration_text(seconds) == text


def test_choices_survive_being_written():
    choices = PlotChoices(["a", "b"], TIME, ["b"], 0.5)
    assert PlotChoices.parse(choices.text()) == choices


@pytest.mark.parametrize("text", ["", "{", "[]", '{"axis": "days", "smoothing": 2, "plots": 5, "logarithmic": [1]}'])
def test_choices_that_do_not_fit_have_their_defaults(text):
    assert PlotChoices.parse(text) == PlotChoices(list(FIRST_PLOTS))


def test_each_workflow_has_its_own_key():
    assert choices_key("a.json") == choices_key("a.json") != choices_key("b.json")


def test_rows_are_kept_only_where_some_are_left_out():
    table = MetricTable()
    for index in range(1, 9):
        values = {"always": 1.0 * index, **({"late": 1.0 * index} if index > 4 else {})}
        table.append(index, index, 1.0 * index, {**values, **({"odd": 1.0 * index} if index % 2 else {})})
    assert table.curves["always"].rows.tolist() == list(range(8))
    assert table.curves["late"].rows.tolist() == [4, 5, 6, 7]
    assert table.curves["odd"].rows.tolist() == [0, 2, 4, 6]
    table.append(4, 4, 9.0, {"always": 0.0, "late": 0.5, "odd": 0.0})
    assert [len(table.curves[name]) for name in ("always", "late", "odd")] == [4, 1, 3]
    assert table.curves["late"].rows.tolist() == [3] and table.curves["odd"].rows.tolist() == [0, 2, 3]
    assert table.points("odd", "steps")[0].tolist() == [1, 3, 4]
