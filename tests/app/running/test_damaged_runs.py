"""Whatever lies in a run's files, its reader goes on or says how it ended: it never dies in silence."""

import json
import sys
from itertools import chain

import pytest

from app.plots.metrics_file import PastMetrics
from app.running import process_host
from app.running.attached_host import AttachedHost
from app.running.mailbox import Mailbox
from app.running.process_host import ProcessHost
from app.running.thread_host import ThreadHost
from runtime.event_records import event_records
from runtime.events import Finished, LogMessage, Metrics, NodeStatistics, RunStarted

HEADER = "step,iteration,a\n"
STARTED = RunStarted(0.0, "Cartpole", "train", 0, "cpu", "static", "because")
WRITE = "import sys; pipe = open(sys.argv[-2], 'wb', buffering=0); pipe.write({lines!r}); "
DAMAGED_TABLES = {
    "empty step": (HEADER + ",5,1\n", []),
    "empty first line": ("\n" + HEADER + "64,1,1\n", []),
    "infinite step": (HEADER + "64,1,1\ninf,2,1\n", [1]),
    "step that is no number": (HEADER + "64,1,1\n128,2,1\nnan,3,1\n", [1, 2]),
    "no iterations": ("step,a\n64,1\n", []),
}
DAMAGED_RECORDS = {
    "iteration": {"event": "metric", "time": 1.0, "step": 1, "iteration": "y", "name": "a", "value": 1},
    "large iteration": {"event": "metric", "time": 1.0, "step": 1, "iteration": 10**4000, "name": "a", "value": 1},
    "step": {"event": "node_statistics", "time": 1.0, "step": "x", "nodes": []},
    "list": [1],
}
tables = pytest.mark.parametrize(("text", "readable"), DAMAGED_TABLES.values(), ids=DAMAGED_TABLES)
records = pytest.mark.parametrize("record", DAMAGED_RECORDS.values(), ids=DAMAGED_RECORDS)


def lines_of(*events, extra=()):
    return b"".join(json.dumps(each).encode() + b"\n" for each in [*chain(*map(event_records, events)), *extra])


def iterations(events):
    """Of the metrics from the table, and of those from events."""
    past = [value for event in events if isinstance(event, PastMetrics) for value in event.columns.get("iteration", ())]
    return past, [event.iteration for event in events if isinstance(event, Metrics)]


def said(events, text):
    return [event for event in events if isinstance(event, LogMessage) and text in event.message]


@pytest.fixture
def folder(tmp_path):
    """Of a run of three iterations that is over."""
    metrics = [Metrics(float(i), 64 * i, i, {"a": 1.0}) for i in (1, 2, 3)]
    (tmp_path / "run.json").write_text(json.dumps({"dnne_run": 1, "result": "completed"}))
    (tmp_path / "metrics.csv").write_text(HEADER + "64,1,1\n128,2,1\n192,3,1\n")
    (tmp_path / "events.jsonl").write_bytes(lines_of(STARTED, *metrics, Finished(3.0, "completed", 192, 3)))
    return tmp_path


def look_at(folder):
    """How the looking ended, and what came of it."""
    host = AttachedHost(folder, Mailbox())
    host.start()
    host._thread.join()
    return host.outcome, host.mailbox.take()


def run_process(monkeypatch, code, host):
    """Let a process run this code instead of a training; the pipe of events is ``sys.argv[-2]``."""
    monkeypatch.setattr(process_host, "child_command", lambda words, _: [sys.executable, "-c", code, *words[-2:]])
    host.start()
    host.close()
    return host.outcome, host.mailbox.take()


@tables
def test_a_run_with_a_damaged_table_is_looked_at(folder, text, readable):
    (folder / "metrics.csv").write_text(text)
    outcome, events = look_at(folder)
    assert outcome.code == 0 and isinstance(events[-1], Finished)
    assert iterations(events) == (readable, [i for i in (1, 2, 3) if i >= max(readable, default=0)])
    assert len(said(events, "metrics.csv, line")) == 1


@records
def test_a_run_with_a_damaged_event_is_looked_at(folder, record):
    path = folder / "events.jsonl"
    path.write_bytes(lines_of(STARTED, extra=[record]) + path.read_bytes().split(b"\n", 1)[1])
    outcome, events = look_at(folder)
    assert outcome.code == 0 and isinstance(events[-1], Finished) and iterations(events) == ([1, 2, 3], [3])
    assert not any(isinstance(event, NodeStatistics) for event in events)


def test_a_reader_of_a_folder_that_meets_an_error_says_so(folder, monkeypatch):
    monkeypatch.setattr(AttachedHost, "_deliver", lambda *_: {}["unexpected"])
    outcome, _ = look_at(folder)
    assert (outcome.code, outcome.error) == (1, "KeyError: 'unexpected'") and "Traceback" in outcome.details


def resumed_from(folder):
    return RunStarted(
        0.0, "a", "train", 0, "cpu", "static", "", step=640, iteration=9, resumed=True, run_dir=str(folder)
    )


@tables
def test_a_run_in_a_process_goes_on_after_a_damaged_past(folder, text, readable, monkeypatch):
    (folder / "metrics.csv").write_text(text)
    lines = lines_of(resumed_from(folder), Metrics(1.0, 704, 10, {"a": 1.0}))
    outcome, events = run_process(monkeypatch, WRITE.format(lines=lines), ProcessHost([], "", Mailbox()))
    assert outcome.code == 0 and iterations(events) == (readable, [10])
    assert [event.is_first for event in events if isinstance(event, PastMetrics)] == [True]
    assert len(said(events, "metrics.csv, line")) == 1


@records
def test_a_run_in_a_process_goes_on_after_a_damaged_event(record, monkeypatch):
    lines = lines_of(STARTED, extra=[record]) + lines_of(Metrics(1.0, 64, 1, {"a": 1.0}))
    outcome, events = run_process(monkeypatch, WRITE.format(lines=lines), ProcessHost([], "", Mailbox()))
    assert outcome.code == 0 and iterations(events) == ([], [1]) and len(events) == 2


def test_a_run_in_a_process_that_cannot_be_followed_saves_and_ends_with_the_traceback(monkeypatch):
    heard = "line = sys.stdin.readline(); pipe.write(b'x' * 300_000); sys.exit(0 if 'stop' in line else 7)"
    host = ProcessHost([], "", Mailbox())
    monkeypatch.setattr(host, "hear", lambda _: {}["unexpected"])
    outcome, _ = run_process(monkeypatch, WRITE.format(lines=lines_of(STARTED)) + heard, host)
    assert (outcome.code, outcome.error) == (1, "KeyError: 'unexpected'") and "Traceback" in outcome.details
    assert host._process.returncode == 0


def test_a_run_in_a_process_whose_output_cannot_be_followed_ends_with_the_traceback(monkeypatch):
    code = "import sys; print('rank 1: error: x', flush=True); sys.exit(0 if 'stop' in sys.stdin.readline() else 7)"
    host = ProcessHost([], "", Mailbox())
    monkeypatch.setattr(process_host, "LogMessage", lambda *_: {}["unexpected"])
    outcome, _ = run_process(monkeypatch, code, host)
    assert (outcome.code, outcome.error) == (1, "KeyError: 'unexpected'") and host._process.returncode == 0


def test_what_is_left_to_do_at_the_end_of_a_process_cannot_fail_in_silence(monkeypatch):
    monkeypatch.setattr(process_host, "_end_in_words", lambda *_: {}["unexpected"])
    outcome, _ = run_process(monkeypatch, "", ProcessHost([], "", Mailbox()))
    assert (outcome.code, outcome.error) == (1, "KeyError: 'unexpected'") and "Traceback" in outcome.details


@tables
def test_a_run_in_a_thread_goes_on_after_a_damaged_past(folder, text, readable):
    (folder / "metrics.csv").write_text(text)
    host = ThreadHost(None, None, False, Mailbox())
    host.hear(resumed_from(folder))
    host.hear(Metrics(1.0, 704, 10, {"a": 1.0}))
    events = host.mailbox.take()
    assert iterations(events) == (readable, [10]) and len(said(events, "metrics.csv, line")) == 1
