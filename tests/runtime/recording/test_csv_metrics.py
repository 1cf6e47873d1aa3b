import contextlib
import csv
import math

import pytest
import torch

from runtime.errors import DnneError, StorageError
from runtime.events import LogMessage, Metrics
from runtime.recording.csv_metrics import CsvMetrics, read_metrics, truncate_after
from tests.runtime.killing import kill_at_every_file_operation


def _record(path, *rows, append=False):
    with contextlib.closing(CsvMetrics(path, append)) as sink:
        for step, iteration, values in rows:
            sink(Metrics(0.0, step, iteration, values))


def test_a_row_is_written_at_once_and_other_events_are_ignored(tmp_path):
    path = tmp_path / "run" / "metrics.csv"
    sink = CsvMetrics(path)
    sink(LogMessage(0.0, "info", "no metric"))
    sink(Metrics(1.0, 256, 1, {"a": 0.1 + 0.2, "b": 3.0}))
    assert path.read_text() == "step,iteration,a,b\n256,1,0.30000000000000004,3.0\n"
    sink.close()


def test_a_later_metric_gets_a_last_column_and_a_missing_one_an_empty_cell(tmp_path):
    path = tmp_path / "metrics.csv"
    _record(path, (1, 1, {"a": 1.0}), (2, 2, {"b": 2.0, "a": 1.5}), (3, 3, {"b": 3.0}))
    assert path.read_text() == "step,iteration,a,b\n1,1,1.0,\n2,2,1.5,2.0\n3,3,,3.0\n"


def test_names_with_commas_quotes_and_line_ends_survive(tmp_path):
    path = tmp_path / "metrics.csv"
    name = 'a,"b"\nc'
    _record(path, (1, 1, {name: 1.0}), (2, 2, {name: 2.0, "é": 3.0}))
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["step", "iteration", name, "é"],
            ["1", "1", "1.0", ""],
            ["2", "2", "2.0", "3.0"],
        ]
    assert read_metrics(path)[name] == [1.0, 2.0]


def test_floats_come_back_with_all_their_bits(tmp_path):
    values = [0.1 + 0.2, 1e-300, -0.0, math.inf, -math.inf, math.nan, torch.tensor(0.1).item()]
    path = tmp_path / "metrics.csv"
    _record(path, *((i, i, {"a": value}) for i, value in enumerate(values)))
    columns = read_metrics(path)
    assert [value.hex() for value in columns["a"]] == [value.hex() for value in values]
    assert columns["step"] == list(range(7))


def test_tensors_of_one_element_are_numbers(tmp_path):
    _record(tmp_path / "metrics.csv", (1, 1, {"a": torch.tensor(0.5)}))
    assert read_metrics(tmp_path / "metrics.csv")["a"] == [0.5]


@pytest.mark.parametrize("name", ["step", "iteration"])
def test_a_metric_may_not_take_the_name_of_a_counter(tmp_path, name):
    with pytest.raises(DnneError, match=f"no metric may be called '{name}'"):
        _record(tmp_path / "metrics.csv", (1, 1, {name: 1.0}))


def test_a_resumed_table_is_the_table_of_one_run(tmp_path):
    rows = [(16 * i, i, {"a": i / 3, **({"b": i / 7} if i > 1 else {})}) for i in range(1, 7)]
    _record(tmp_path / "whole.csv", *rows)
    path = tmp_path / "metrics.csv"
    _record(path, *rows[:5])
    with path.open("a") as file:
        file.write("96,6,2.0")
    truncate_after(path, 3)
    assert path.read_text().splitlines()[-1].startswith("48,3,")
    _record(path, *rows[3:], append=True)
    assert path.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_resumed_table_may_gain_columns(tmp_path):
    path = tmp_path / "metrics.csv"
    _record(path, (1, 1, {"a": 1.0}))
    _record(path, (2, 2, {"c": 2.0}), append=True)
    assert path.read_text() == "step,iteration,a,c\n1,1,1.0,\n2,2,,2.0\n"


def test_cut_before_the_first_row_the_header_stays(tmp_path):
    path = tmp_path / "metrics.csv"
    _record(path, (1, 1, {"a": 1.0}))
    truncate_after(path, 0)
    assert path.read_text() == "step,iteration,a\n"


@pytest.mark.parametrize("content", ["", "step,iter", "step,iteration,a"])
def test_a_table_torn_in_its_header_begins_anew(tmp_path, content):
    path = tmp_path / "metrics.csv"
    path.write_text(content)
    _record(path, (1, 1, {"b": 1.0}), append=True)
    assert path.read_text() == "step,iteration,b\n1,1,1.0\n"


def test_a_missing_table_begins_anew(tmp_path):
    truncate_after(tmp_path / "metrics.csv", 3)
    _record(tmp_path / "metrics.csv", (1, 1, {"b": 1.0}), append=True)
    assert read_metrics(tmp_path / "metrics.csv")["b"] == [1.0]


def test_another_file_is_not_continued(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("date,place\n1,2\n")
    with pytest.raises(StorageError, match=r"notes.csv: its first line begins with 'date,place'; expected the metrics"):
        CsvMetrics(path, append=True)
    assert path.read_text() == "date,place\n1,2\n"


def test_a_full_disk_names_the_file():
    sink = CsvMetrics("/dev/full")
    with pytest.raises(StorageError, match="/dev/full: No space left on device"):
        sink(Metrics(0.0, 1, 1, {"a": 1.0}))
    sink.close()


def test_killed_while_a_column_is_added_the_table_is_the_old_one_or_the_new_one(tmp_path):
    path = tmp_path / "metrics.csv"
    rows = (1, 1, {"a": 1.0}), (2, 2, {"a": 2.0})
    _record(path, *rows)
    old = path.read_text()
    new = "step,iteration,a,b\n1,1,1.0,\n2,2,2.0,\n"
    kills = 0
    for _ in kill_at_every_file_operation(lambda: _record(path, (3, 3, {"a": 3.0, "b": 3.0}), append=True)):
        kills += 1
        assert path.read_text() in (old, new)
        path.write_text(old)
    assert kills >= 4
    assert path.read_text() == new + "3,3,3.0,3.0\n"


def test_reading_drops_a_torn_last_row(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,iteration,a\n1,1,0.125\n2,2,0.1")
    assert read_metrics(path) == {"step": [1.0], "iteration": [1.0], "a": [0.125]}


@pytest.mark.parametrize(
    ("row", "message"),
    [("1,1", "line 2: 2 cells; expected 3"), ("1,1,red", "line 2: could not convert"), ("1,1,1,1", "line 2: 4 cells")],
)
def test_a_damaged_row_is_named(tmp_path, row, message):
    path = tmp_path / "metrics.csv"
    path.write_text(f"step,iteration,a\n{row}\n")
    with pytest.raises(DnneError, match=message):
        read_metrics(path)


def test_an_empty_table_has_no_columns(tmp_path):
    (tmp_path / "metrics.csv").write_text("")
    assert read_metrics(tmp_path / "metrics.csv") == {}


def test_reading_a_missing_table_names_it(tmp_path):
    with pytest.raises(StorageError, match=r"cannot read .*metrics.csv: No such file"):
        read_metrics(tmp_path / "metrics.csv")
