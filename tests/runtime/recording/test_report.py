import re
import sys
from pathlib import Path

import pytest
import torch

from runtime.events import Finished, Metrics, NodeStatistics, NodeStats, RunStarted
from runtime.recording.report import peak_memory, report_lines, time_table
from runtime.recording.tally import RunTally

NODES = (
    NodeStats("3", "Agent", 1000, 1.0, 0),
    NodeStats("6", "Trainer", 2000, 2.5, 1),
    NodeStats("9", "Never", 0, 0.0, 0),
)


def test_the_table_of_times_is_right_and_aligned():
    assert time_table(NODES, 4.0) == [
        "node              firings  seconds  µs per firing   share",
        "6 Trainer           2,000    2.500        1,250.0  62.5 %",
        "3 Agent             1,000    1.000        1,000.0  25.0 %",
        "9 Never                 0    0.000                  0.0 %",
        "outside of nodes             0.500                 12.5 %",
    ]


def test_a_table_of_no_time_has_no_shares():
    assert time_table((), 0.0)[1] == "outside of nodes             0.000"


def test_nodes_that_wait_at_the_same_time_do_not_give_a_negative_rest():
    assert time_table(NODES, 3.0)[-1].split() == ["outside", "of", "nodes", "0.000", "0.0", "%"]


def test_the_report_has_times_speed_and_memory():
    tally = RunTally()
    for event in (
        RunStarted(0.0, "Cartpole", "train", 1, "cpu", "static", ""),
        Metrics(3.9, 2000, 2, {}),
        NodeStatistics(4.0, 2000, NODES),
        Finished(4.0, "timeout", 2000, 2),
    ):
        tally(event)
    lines = report_lines(tally, torch.device("cpu"))
    assert lines[:5] == time_table(NODES, 4.0)
    assert lines[6] == "steps per second  500 (2,000 steps in 4.00 s)"
    assert lines[7].startswith("peak memory       ")
    assert lines[7].endswith(("MB", "GB"))
    assert len(lines) == 8


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells it a second way")
def test_peak_memory_is_what_the_system_says_in_bytes():
    status = Path("/proc/self/status").read_text()
    kibibytes = int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])
    assert peak_memory() == pytest.approx(1024 * kibibytes, rel=0.02)


def test_a_system_without_the_figure_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory() is None
    assert report_lines(RunTally(), torch.device("cpu"))[-1] == "peak memory       not known on this system"


def test_cuda_adds_the_memory_of_the_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 1_500_000_000)
    assert report_lines(RunTally(), torch.device("cuda:0"))[-1] == "peak GPU memory   1.5 GB"
