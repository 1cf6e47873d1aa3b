"""Tables of very long runs: bounded, without the loss of an extreme, and exact in their newest part."""

import csv
import math
import tracemalloc

import numpy as np
import pytest

from app.plots.drawing import RunCurves
from app.plots.exporting import HOLDS, write_numbers
from app.plots.metric_table import ITERATIONS, LEAST_GROUP, MOST_ROWS, STEPS, TIME, MetricTable
from app.plots.smoothing import Smoothed

MOST = 1 << 10


def values_of(iteration):
    """A metric of every iteration, one of every third, one of few and late ones, and one that is often not finite."""
    found = {"all": math.sin(iteration / 50.0) + (iteration * 7919 % 101) / 101.0}
    if iteration % 3 == 0:
        found["third"] = float(iteration)
    if iteration > 500 and iteration % 97 == 0:
        found["late"] = -float(iteration)
    found["holes"] = math.nan if iteration % 2 else 2.0 * iteration
    return found


def grown(iterations, most=MOST, table=None):
    table = MetricTable(most) if table is None else table
    start = int(table.axis(ITERATIONS)[-1]) if len(table) else 0
    for i in range(start + 1, iterations + 1):
        table.append(16 * i, i, 0.5 * i, values_of(i))
    return table


def reports(name, iterations):
    found = [(i, values_of(i).get(name, math.nan)) for i in range(1, iterations + 1)]
    return np.array([pair for pair in found if math.isfinite(pair[1])])


@pytest.mark.parametrize("iterations", [MOST - 1, MOST, 3 * MOST, 20 * MOST + 77])
@pytest.mark.parametrize("name", ["all", "third", "late", "holes"])
def test_every_extreme_stays_at_its_place(iterations, name):
    table = grown(iterations)
    assert len(table) <= MOST
    positions, values = table.points(name, ITERATIONS)
    truth = reports(name, iterations)
    assert len(positions) == len(values) and (np.diff(positions) >= 0).all()
    # whatever part of the run is looked at, its extremes are there, no further away than a group is long
    for low in range(0, iterations, max(iterations // 7, 1)):
        high = low + iterations // 5
        inside = truth[(truth[:, 0] >= low) & (truth[:, 0] <= high)]
        near = values[(positions >= low - table.group_size) & (positions <= high + table.group_size)]
        if len(inside):
            assert near.max() >= inside[:, 1].max() and near.min() <= inside[:, 1].min()
    assert set(values) <= set(truth[:, 1])


@pytest.mark.parametrize("name", ["all", "third", "late"])
def test_the_newest_quarter_is_exact(name):
    table = grown(9 * MOST + 5)
    exact = table.axis(ITERATIONS)[table.thinned]
    assert len(table) - table.thinned >= MOST // 4
    positions, values = table.points(name, ITERATIONS)
    truth = reports(name, 9 * MOST + 5)
    assert values[positions >= exact].tolist() == truth[truth[:, 0] >= exact][:, 1].tolist()
    assert positions[positions >= exact].tolist() == truth[truth[:, 0] >= exact][:, 0].tolist()


def test_groups_are_equally_large_and_keep_the_ends_of_their_rows():
    table = grown(20 * MOST)
    assert table.group_size > LEAST_GROUP and table.groups >= MOST // 8
    old = table.axis(ITERATIONS)[: table.thinned]
    assert (old[1::2] - old[::2] == table.group_size - 1).all() and old[0] == 1
    assert table.axis(STEPS)[-1] == 16 * 20 * MOST and table.axis(TIME)[-1] == 10.0 * MOST


def test_a_short_run_is_not_touched():
    table = grown(MOST - 1)
    assert table.groups == 0 and len(table) == MOST - 1
    assert table.points("all", ITERATIONS)[1].tolist() == reports("all", MOST - 1)[:, 1].tolist()


@pytest.mark.parametrize("back_to", [20 * MOST - 20, 7 * MOST + 7, 3, 1])
def test_a_resumed_run_goes_on_from_wherever_it_was_saved(back_to):
    table = grown(20 * MOST)
    table.append(16 * back_to, back_to, 0.0, {"all": 5.0})
    positions, values = table.points("all", ITERATIONS)
    assert positions[-1] == back_to and values[-1] == 5.0 and (np.diff(positions) >= 0).all()
    assert positions[-2] < back_to if len(positions) > 1 else True
    assert back_to - table.group_size <= positions[-2:].min() <= back_to
    assert all(len(curve.means) <= table.groups for curve in table.curves.values())
    grown(22 * MOST, table=table)
    assert len(table) <= MOST and table.points("all", ITERATIONS)[1].max() >= 5.0


def test_a_file_read_in_parts_makes_the_same_table():
    iterations = 12 * MOST
    columns = {"step": [], "iteration": [], "time/elapsed_seconds": [], "all": [], "third": [], "holes": []}
    for i in range(1, iterations + 1):
        values = values_of(i)
        for name, value in (("step", 16 * i), ("iteration", i), ("time/elapsed_seconds", 0.5 * i)):
            columns[name].append(value)
        for name in ("all", "third", "holes"):
            columns[name].append(values.get(name, math.nan))
    read = MetricTable(MOST)
    for start in range(0, iterations, 37):
        read.extend({name: values[start : start + 37] for name, values in columns.items()})
    live = grown(iterations)
    assert len(read) <= MOST
    for name in ("all", "third", "holes"):
        a, b = (table.points(name, ITERATIONS) for table in (read, live))
        assert (a[1].min(), a[1].max(), a[0][-1]) == (b[1].min(), b[1].max(), b[0][-1])
    grown(iterations + 50, table=read)
    assert read.points("all", TIME)[0][-1] == 0.5 * (iterations + 50)


def recurrence(values, weight):
    mean, result = 0.0, []
    for count, value in enumerate(values, start=1):
        mean = weight * mean + (1 - weight) * value
        result.append(mean / (1 - weight**count))
    return np.array(result)


@pytest.mark.parametrize("weight", [0.8, 0.99])
@pytest.mark.parametrize("name", ["all", "third"])
def test_smoothing_goes_on_from_thinned_values_as_from_all(name, weight):
    iterations = 12 * MOST
    truth = reports(name, iterations)
    smooth = recurrence(truth[:, 1], weight)
    table, live = MetricTable(MOST), Smoothed(weight)
    for part in range(1000, iterations + 1, 1000):
        grown(part, table=table)
        live.of(table.curves[name])
    grown(iterations, table=table)
    curve = table.curves[name]
    begin = curve.thinned + 20  # of the values before, the smoothed curve knows the means alone
    wanted = smooth[begin - len(curve) :]
    for found in (live.of(curve), Smoothed(weight).of(curve)):
        assert len(found) == len(curve)
        assert found[begin:] == pytest.approx(wanted, rel=0.02, abs=0.1)
        assert found[-1] == pytest.approx(wanted[-1], rel=1e-3)


def test_rare_peaks_stay_and_do_not_lift_the_smoothed_curve():
    table = MetricTable(MOST)
    for i in range(1, 20 * MOST):
        table.append(i, i, 0.0, {"peaks": 100.0 if i % 500 == 0 else 0.0})
    curve = table.curves["peaks"]
    assert curve.values.values[: curve.thinned].max() == 100.0
    smooth = Smoothed(0.99).of(curve)[: curve.thinned]
    assert smooth.mean() == pytest.approx(0.2, rel=0.1)


def test_an_export_says_which_rows_are_extremes(tmp_path):
    table = grown(5 * MOST)
    write_numbers([RunCurves("long", table), RunCurves("short", grown(3))], ["all"], tmp_path / "out.csv")
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    own = [row for row in rows if row["run"] == "long"]
    assert [row[HOLDS] for row in own[:2]] == [f"least of {table.group_size}", f"greatest of {table.group_size}"]
    assert {row[HOLDS] for row in own[table.thinned :]} | {row[HOLDS] for row in rows[len(own) :]} == {"one iteration"}
    first = [values_of(i)["all"] for i in range(1, table.group_size + 1)]
    assert [float(row["all"]) for row in own[:2]] == [min(first), max(first)]
    write_numbers([RunCurves("short", grown(3))], ["all"], tmp_path / "short.csv")
    assert (tmp_path / "short.csv").read_text().splitlines()[0] == "run,steps,iterations,time,all"


def test_a_copy_is_left_alone_by_what_follows():
    table = grown(2 * MOST)
    held = table.copy(["all"])
    before = [part.tolist() for part in held.points("all", STEPS)]
    grown(9 * MOST, table=table)
    assert [part.tolist() for part in held.points("all", STEPS)] == before and list(held.curves) == ["all"]


def test_ten_times_as_many_iterations_take_no_more_memory():
    names = [f"train/{number}" for number in range(4)]
    block = {name: np.arange(4096.0) for name in ("step", "time/elapsed_seconds", *names)}
    table, used = MetricTable(), []
    tracemalloc.start()
    try:
        for part in range(20 * MOST_ROWS // 4096):
            table.extend({**block, "iteration": block["step"] + 4096 * part})
            if (part + 1) % (2 * MOST_ROWS // 4096) == 0:
                used.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(table) <= MOST_ROWS and max(used) < 1.1 * used[0]
    columns = 3 + len(["time/elapsed_seconds", *names])
    assert max(used) < 10 * columns * MOST_ROWS, "bytes: eight for a number, and two for the mean of its group"
