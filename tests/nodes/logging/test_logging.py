"""Nodes that write metrics down."""

import csv
import json
from unittest.mock import Mock

import pytest

from nodes.logging import metrics_logger
from nodes.logging.console_logger import ConsoleLoggerNode
from nodes.logging.metrics_logger import MetricsLoggerNode
from runtime.errors import DnneError
from tests.nodes.running import findings, messages, prepare

METRICS = {"episode/mean_reward": 123.456789, "train/policy_loss": -0.5, "train/value_loss": 2.0}


def test_the_console_logger_shows_chosen_metrics_every_few_iterations():
    node = prepare(ConsoleLoggerNode("7", {"names": ["episode/*", "train/value_loss"], "every": 2}))
    for iteration in range(1, 5):
        node.context.progress.iterations = iteration
        node.context.progress.environment_steps = iteration * 64
        node.compute(METRICS)
    assert messages(node) == [
        "iteration 2, step 128: episode/mean_reward 123.46  train/value_loss 2",
        "iteration 4, step 256: episode/mean_reward 123.46  train/value_loss 2",
    ]


def test_the_metrics_logger_writes_chosen_metrics_to_a_folder_of_its_own(tmp_path):
    values = {"names": ["train/*"], "json_lines": True, "tensorboard": False}
    node = prepare(MetricsLoggerNode("7", values), run_dir=str(tmp_path))
    node.context.progress.environment_steps, node.context.progress.iterations = 64, 1
    node.compute(METRICS)
    node.close()
    folder = tmp_path / "metrics_node_7"
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [(record["name"], record["value"], record["step"], record["iteration"]) for record in records] == [
        ("train/policy_loss", -0.5, 64, 1),
        ("train/value_loss", 2.0, 64, 1),
    ]
    with (folder / "metrics.csv").open() as file:
        (row,) = list(csv.DictReader(file))
    assert float(row["train/policy_loss"]) == -0.5 and "episode/mean_reward" not in row


def test_a_folder_may_be_given(tmp_path):
    node = prepare(MetricsLoggerNode("7", {"folder": str(tmp_path / "x" / "y"), "tensorboard": False}))
    node.compute(METRICS)
    node.close()
    assert (tmp_path / "x" / "y" / "metrics.csv").exists()


def test_without_a_run_folder_it_says_so_and_nothing_is_opened_before_the_first_metrics():
    node = prepare(MetricsLoggerNode("7"))
    node.close()
    with pytest.raises(DnneError, match="Metrics Logger: this run has no run folder; give a folder"):
        node.compute(METRICS)


@pytest.mark.parametrize(
    ("values", "port"),
    [({"tensorboard": False, "csv": False}, "tensorboard"), ({"names": []}, "names")],
)
def test_a_logger_that_would_write_nothing_is_found(values, port):
    assert [where for where, *_ in findings(MetricsLoggerNode("7", values))] == [port]
    assert findings(MetricsLoggerNode("7")) == []


def _write(node, iterations, steps_each=64):
    for iteration in iterations:
        node.context.progress.iterations = iteration
        node.context.progress.environment_steps = iteration * steps_each
        node.compute({"train/loss": float(iteration)})
    node.close()


def _logger(folder, **context):
    values = {"json_lines": True, "tensorboard": False, "folder": folder}
    return prepare(MetricsLoggerNode("7", values), **context)


@pytest.mark.parametrize("given", [True, False])
def test_a_resumed_run_replaces_what_was_written_past_its_state(tmp_path, given):
    folder = str(tmp_path / "metrics_node_7") if given else ""
    _write(_logger(folder, run_dir=str(tmp_path)), range(1, 6))
    _write(_logger(folder, run_dir=str(tmp_path), resumed=True), range(3, 7))
    expected = [(iteration, float(iteration)) for iteration in range(1, 7)]
    with (tmp_path / "metrics_node_7/metrics.csv").open() as file:
        assert [(int(row["iteration"]), float(row["train/loss"])) for row in csv.DictReader(file)] == expected
    records = map(json.loads, (tmp_path / "metrics_node_7/metrics.jsonl").read_text().splitlines())
    assert [(record["iteration"], record["value"]) for record in records] == expected


def test_a_resumed_run_begins_files_that_are_not_there(tmp_path):
    _write(_logger(str(tmp_path / "x"), resumed=True), [3])
    assert (tmp_path / "x/metrics.csv").read_text() == "step,iteration,train/loss\n192,3,3.0\n"


def test_a_resumed_run_purges_tensorboard_past_its_state(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(metrics_logger, "TensorBoardWriter", lambda *arguments: opened.append(arguments) or Mock())
    for resumed in (False, True):
        node = prepare(MetricsLoggerNode("7", {"csv": False, "folder": str(tmp_path)}), resumed=resumed)
        node.context.steps_at_start = 128 if resumed else 0
        _write(node, [3, 4])
    assert opened == [(tmp_path, None), (tmp_path, 129)]


@pytest.mark.parametrize("name", ["metrics.csv", "metrics.jsonl"])
def test_a_new_run_never_empties_metrics_in_a_given_folder(tmp_path, name):
    (tmp_path / name).write_text("kept")
    with pytest.raises(DnneError, match=f"Metrics Logger: {tmp_path} holds {name} already"):
        _write(_logger(str(tmp_path)), [1])
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "kept"


def test_a_second_logger_of_one_folder_is_refused(tmp_path):
    first, second = _logger(str(tmp_path)), _logger(str(tmp_path))
    _write(first, [1])
    with pytest.raises(DnneError, match="of another run or another node; choose another folder"):
        _write(second, [1])
