"""Reading the metrics of a run's folder in parts gives what its writer was told."""

import math
from itertools import chain

import pytest

from app.plots.metric_table import ITERATIONS, TIME
from app.plots.metrics_file import BLOCK, read_parts, read_past, read_table
from runtime.errors import DnneError, StorageError
from runtime.events import Metrics
from runtime.recording import CsvMetrics, read_metrics


@pytest.fixture
def path(tmp_path):
    sink = CsvMetrics(tmp_path / "metrics.csv")
    for i in range(1, 41):
        values = {"train/a": 0.1 * i, "train/b": math.nan if i == 7 else -1.0 / i, "time/elapsed_seconds": 0.5 * i}
        if i % 3 == 0:
            values["eval/c, with a comma"] = math.inf if i == 9 else 1e300 * i
        sink(Metrics(0.5 * i, 64 * i, i, values))
    sink.close()
    return tmp_path / "metrics.csv"


@pytest.mark.parametrize("block", [7, 100, 1 << 20])
def test_parts_of_any_size_hold_the_same_bits(path, block):
    whole = read_metrics(path)
    parts = list(read_parts(path, block))
    for name, values in whole.items():
        found = [value for part in parts for value in part[name].tolist()]
        assert len(found) == 40 and all(a == b or (a != a and b != b) for a, b in zip(found, values))
    assert list(parts[0]) == list(whole)


def test_a_table_is_read(path):
    table = read_table(path)
    assert table.axis(ITERATIONS).tolist() == list(range(1, 41)) and table.axis(TIME)[-1] == 20.0
    assert table.points("train/a", ITERATIONS)[1].tolist() == [0.1 * i for i in range(1, 41)]
    assert table.points("eval/c, with a comma", ITERATIONS)[0].tolist() == [*range(3, 9, 3), *range(12, 40, 3)]


def test_a_torn_last_line_is_left_out(path):
    path.write_text(path.read_text()[:-3])
    assert len(read_table(path)) == 39


@pytest.mark.parametrize("text", ["1,2\n", "1,2,3,4,5,6,7\n", "1,2,3,x,5,6\n", "\n"])
def test_a_line_that_is_no_row_is_an_error(path, text):
    path.write_text(path.read_text() + text)
    with pytest.raises(DnneError, match=r"metrics.csv, line 42: "):
        read_table(path)


def test_a_missing_file_is_an_error_and_an_empty_one_an_empty_table(tmp_path):
    with pytest.raises(StorageError, match="cannot read"):
        read_table(tmp_path / "metrics.csv")
    (tmp_path / "metrics.csv").write_text("")
    assert len(read_table(tmp_path / "metrics.csv")) == 0
    (tmp_path / "metrics.csv").write_text("step,iteration,a\n")
    assert len(read_table(tmp_path / "metrics.csv")) == 0


def test_the_past_is_told_in_parts_up_to_an_iteration(path):
    parts = list(read_past(path, block=500))
    assert len(parts) > 3 and [part.is_first for part in parts] == [True, *[False] * (len(parts) - 1)]
    assert (parts[-1].time, parts[-1].step, parts[-1].iteration) == (20.0, 64 * 40, 40)
    until = list(read_past(path, 17, block=500))
    iterations = [value for part in until for value in part.columns["iteration"].tolist()]
    assert iterations == list(range(1, 18)) and until[-1].iteration == 17 and until[0].is_first
    assert all(len(values) == len(part.columns["step"]) for part in until for values in part.columns.values())


def test_a_run_without_a_past_says_so(path, tmp_path):
    for parts in (read_past(path, 0), read_past(tmp_path / "none.csv")):
        assert [(part.is_first, dict(part.columns)) for part in parts] == [(True, {})]


def test_what_is_no_table_of_metrics_is_refused(tmp_path):
    (tmp_path / "metrics.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DnneError, match="no metrics of a run"):
        list(read_past(tmp_path / "metrics.csv"))


HEADER = "step,iteration,a\n"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (HEADER + ",5,1\n", 2, "step is empty"),
        (HEADER + "64,,1\n", 2, "iteration is nan"),
        (HEADER + "64,1,1\ninf,2,1\n", 3, "step is inf"),
        (HEADER + "64,1,1\n128,2,1\n1e300,3,1\n", 4, "step is 1e"),
        (HEADER + "64,1,1\n128,1.5,1\n", 3, "iteration is 1.5"),
        (HEADER + "64,1,1\n-1,2,1\n", 3, "step is -1"),
        (HEADER + "64,1,1\n128,2,x\n", 3, "could not convert"),
        (HEADER + "64,1,1\n128,2,1,128,2,1\n", 3, "has not 3 cells"),
        ("\n" + HEADER + "64,1,1\n", 1, "it is empty"),
        ("step,a\n64,1\n", 1, "expected the columns step, iteration"),
        ("step,iteration," + "a" * 200_000 + "\n64,1,1\n", 1, "field larger than field limit"),
    ],
)
@pytest.mark.parametrize("block", [5, BLOCK])
def test_an_error_names_the_damaged_line_and_comes_after_the_good_ones(tmp_path, text, line, what, block):
    path = tmp_path / "metrics.csv"
    path.write_text(text + "9999,9999,1\n")
    found = []
    parts = (part.columns["iteration"].tolist() for part in read_past(path, block=block))
    with pytest.raises(DnneError, match=rf"metrics.csv, line {line}: .*{what}"):
        found.extend(chain.from_iterable(parts))
    assert found == list(range(1, line - 1))


def test_a_clock_that_is_not_reported_is_no_time(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,iteration,time/elapsed_seconds\n64,1,1.5\n128,2,\n")
    (part,) = read_past(tmp_path / "metrics.csv")
    assert (part.time, part.step, part.iteration) == (0.0, 128, 2)
