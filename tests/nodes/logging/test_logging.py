"""Nodes that write metrics down."""

import csv
import json

import pytest

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
