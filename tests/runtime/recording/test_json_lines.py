import io
import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from runtime.errors import StorageError
from runtime.events import (
    CheckpointSaved,
    Failed,
    Finished,
    LogMessage,
    Metrics,
    NodeStatistics,
    NodeStats,
    ParameterChanged,
    RunStarted,
)
from runtime.recording import json_lines
from runtime.recording.json_lines import JsonLinesSink, read_records, truncate_after
from runtime.recording.text_output import OutputClosed

NOT_JSON = {"NaN", "Infinity", "-Infinity"}


def _strict(text):
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def _written(*events):
    stream = io.StringIO()
    sink = JsonLinesSink(stream)
    for event in events:
        sink(event)
    sink.close()
    return _strict(stream.getvalue())


def test_a_metric_is_one_line_each():
    records = _written(Metrics(1.5, 256, 2, {"train/value_loss": 0.25, "episode/mean_reward": 10.0}))
    shared = {"event": "metric", "time": 1.5, "step": 256, "iteration": 2}
    assert records == [
        {**shared, "name": "train/value_loss", "value": 0.25},
        {**shared, "name": "episode/mean_reward", "value": 10.0},
    ]


def test_every_kind_of_event_is_a_line_with_its_name_and_time():
    records = _written(
        RunStarted(0.0, "Cartpole", "train", 1, "cpu", "static", "1 2 3"),
        LogMessage(0.1, "info", "é \u2028 line\nbreak"),
        NodeStatistics(0.2, 16, (NodeStats("3", "Agent", 1, 0.5, 0),)),
        CheckpointSaved(0.3, "/runs/a", 16, 1, "epoch", "6"),
        ParameterChanged(0.4, "6", "hidden_sizes", (64, 64), [32], 1),
        Failed(0.5, "ValueError: no", "Traceback", "6", "Trainer", 16),
        Finished(0.6, "timeout", 16, 1),
    )
    assert [record["event"] for record in records] == [
        "started",
        "log",
        "node_statistics",
        "checkpoint_saved",
        "parameter_changed",
        "failed",
        "finished",
    ]
    assert [record["time"] for record in records] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert records[1]["message"] == "é \u2028 line\nbreak"
    assert records[2]["nodes"] == [
        {"node_id": "3", "label": "Agent", "firings": 1, "seconds": 0.5, "queued": 0, "wires": []},
    ]
    assert records[4]["old"] == [64, 64]


def test_nan_and_infinity_stay_json_and_can_be_read_back():
    values = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1.0}
    records = _written(Metrics(0.0, 1, 1, values))
    assert [record["value"] for record in records] == ["nan", "inf", "-inf", 1.0]
    assert math.isnan(float(records[0]["value"]))
    assert float(records[2]["value"]) == -math.inf


def test_floats_keep_all_their_bits():
    value = 0.1 + 0.2
    assert _written(Metrics(0.0, 1, 1, {"a": value}))[0]["value"] == value


def test_a_tensor_of_one_element_is_a_number():
    records = _written(Metrics(0.0, 1, 1, {"a": torch.tensor(0.5), "b": torch.tensor(math.nan)}))
    assert [record["value"] for record in records] == [0.5, "nan"]


def test_what_is_no_json_is_an_error_and_not_a_wrong_line():
    with pytest.raises(Exception, match=r"event\.new is a object, which is no JSON"):
        _written(ParameterChanged(0.0, "6", "x", 1, object(), 1))


def test_events_without_metrics_write_nothing():
    assert _written(Metrics(0.0, 1, 1, {})) == []


def test_dash_is_standard_output(capsys):
    sink = JsonLinesSink("-")
    sink(Finished(1.0, "timeout", 5, 1))
    sink.close()
    assert _strict(capsys.readouterr().out) == [
        {"event": "finished", "time": 1.0, "reason": "timeout", "step": 5, "iteration": 1, "interrupted": False}
    ]


def test_a_stream_that_was_passed_in_stays_open():
    stream = io.StringIO()
    JsonLinesSink(stream).close()
    assert not stream.closed


_ENDLESS = """
import sys, time
sys.path.insert(0, {root!r})
from runtime.events import Metrics
from runtime.recording.json_lines import JsonLinesSink
sink = JsonLinesSink({target!r})
for i in range(10**9):
    sink(Metrics(0.0, i, i, {{"metric/%d" % k: float(i) for k in range(30)}}))
    if i == 0:
        print("begun", file=sys.stderr, flush=True)
"""


def _endless(root, target, **options):
    program = _ENDLESS.format(root=str(root), target=str(target))
    return subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, **options)


def test_a_killed_run_leaves_whole_lines(tmp_path, request):
    path = tmp_path / "events.jsonl"
    with _endless(request.config.rootpath, path) as process:
        assert process.stderr.readline() == "begun\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    text = path.read_text()
    assert text.endswith("\n")
    assert len(_strict(text)) >= 30


def test_a_closed_pipe_ends_a_process_with_our_error_alone(request):
    with _endless(request.config.rootpath, "-", stdout=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline())["event"] == "metric"
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 1
    assert "OutputClosed: nobody reads <stdout> any more" in errors
    assert "Exception ignored" not in errors


def test_a_command_whose_reader_has_gone_ends_quietly_with_its_own_code(request):
    program = (
        f"import sys; sys.path.insert(0, {str(request.config.rootpath)!r})\n"
        "from runtime.events import Finished\n"
        "from runtime.recording import JsonLinesSink, OutputClosed\n"
        "sink = JsonLinesSink('-')\n"
        "try:\n"
        "    while True: sink(Finished(0.0, 'x', 0, 0))\n"
        "except OutputClosed:\n"
        "    print('a last word', flush=True); sys.exit(141)\n"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as process:
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, b"")


def test_a_closed_pipe_raises_once():
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:  # noqa: PTH123
        sink = JsonLinesSink(stream)
        with pytest.raises(OutputClosed, match="nobody reads"):
            sink(Finished(1.0, "timeout", 5, 1))
        sink(Finished(1.0, "timeout", 5, 1))
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)


def test_a_full_disk_names_the_file():
    sink = JsonLinesSink("/dev/full")
    with pytest.raises(StorageError, match="/dev/full: No space left on device"):
        sink(Finished(1.0, "timeout", 5, 1))
    sink.close()


def test_standard_output_on_a_full_disk_is_an_error():
    with open("/dev/full", "w") as stream:  # noqa: PTH123
        sink = JsonLinesSink(stream)
        with pytest.raises(StorageError, match="cannot write to /dev/full: No space left on device"):
            sink(Finished(1.0, "timeout", 5, 1))
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_a_resumed_run_goes_on_after_the_iteration_of_its_state(tmp_path):
    path = tmp_path / "events.jsonl"
    sink = JsonLinesSink(path)
    for event in (
        RunStarted(0.0, "Cartpole", "train", 1, "cpu", "static", "1 2 3"),
        Metrics(1.0, 16, 1, {"a": 1.0, "b": 1.0}),
        Metrics(2.0, 32, 2, {"a": 2.0, "b": 2.0}),
        LogMessage(2.5, "info", "still of the kept past"),
        Metrics(3.0, 48, 3, {"a": 3.0, "b": 3.0}),
        LogMessage(3.5, "info", "lost with what came before it"),
    ):
        sink(event)
    sink.close()
    with path.open("a") as file:
        file.write('{"event": "metric", "iteration": 4, "na')
    truncate_after(path, 2)
    sink = JsonLinesSink(path, append=True)
    sink(RunStarted(0.0, "Cartpole", "train", 1, "cpu", "static", "1 2 3", 32, 2, True))
    sink(Metrics(1.0, 48, 3, {"a": 3.5}))
    sink.close()
    records = _strict(path.read_text())
    assert [(r["event"], r.get("iteration")) for r in records] == [
        ("started", 0),
        ("metric", 1),
        ("metric", 1),
        ("metric", 2),
        ("metric", 2),
        ("log", None),
        ("started", 2),
        ("metric", 3),
    ]
    assert records[-1]["value"] == 3.5


def test_a_torn_last_line_is_dropped_without_a_cut_too(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "metric", "iteration": 1}\n{"event": "met')
    truncate_after(path, 5)
    assert path.read_text() == '{"event": "metric", "iteration": 1}\n'


def test_reading_leaves_out_what_is_no_record(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "a"}\nnonsense\n[1]\n\n{"event": "b"}\n{"event": "c"')
    assert [record["event"] for record in read_records(path)] == ["a", "b"]


def test_record_line_is_one_line():
    assert json_lines.record_line({"event": "log", "message": "a\nb"}).count("\n") == 1
