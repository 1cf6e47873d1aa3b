import io
import os
import pty
import re
import sys
import threading

import pytest

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
    Paused,
    Resumed,
    RunStarted,
)
from runtime.recording.progress import ProgressDisplay
from runtime.recording.text_output import OutputClosed

STARTED = RunStarted(0.0, "Cartpole", "train", 7, "cpu", "static", "six nodes")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _metrics(time, step, reward=None):
    values = {} if reward is None else {"episode/mean_reward": reward}
    return Metrics(time, step, step // 100, values)


class Screen:
    """Takes what is written to a terminal and keeps what a person would see: finished lines, and the last one."""

    def __init__(self):
        self.lines, self.current = [], ""

    def feed(self, text):
        for part in re.split(r"(\r\x1b\[2K|\r?\n)", text):
            if part.endswith("\n"):
                self.lines.append(self.current)
                self.current = ""
            elif part.startswith("\r"):
                self.current = ""
            else:
                self.current += _ESCAPES.sub("", part)


class Terminal:
    """A pseudo terminal of a given width."""

    def __init__(self, columns):
        self._master, slave = pty.openpty()
        self.stream = open(slave, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        self.raw = b""
        self.columns = columns
        self._set_size(slave)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _set_size(self, descriptor):
        import fcntl
        import struct
        import termios

        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, self.columns, 0, 0))

    def _read(self):
        while True:
            try:
                chunk = os.read(self._master, 4096)
            except OSError:  # Linux's word for the end of a pseudo terminal
                return
            if not chunk:
                return
            self.raw += chunk

    def screen(self):
        """Close the terminal and return what it showed."""
        self.close()
        screen = Screen()
        screen.feed(self.raw.decode())
        return screen

    def close(self):
        if not self.stream.closed:
            self.stream.close()
            self._reader.join()
            os.close(self._master)


@pytest.fixture(params=["rich", "no rich"])
def terminal(request, monkeypatch):
    if request.param == "rich":
        pytest.importorskip("rich")
    else:
        for name in ("rich", "rich.console", "rich.text"):
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setenv("TERM", "xterm-256color")
    opened = []

    def open_terminal(columns=120):
        opened.append(Terminal(columns))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


def _plain(*events, **options):
    stream = io.StringIO()
    display = ProgressDisplay(stream, **options)
    for event in events:
        display(event)
    display.close()
    return stream.getvalue().splitlines()


# Not a terminal


def test_plain_lines_come_every_five_seconds_at_most_and_at_the_end():
    events = [_metrics(second / 10, 10 * second, 20.0) for second in range(1, 124)]
    lines = _plain(STARTED, *events, Finished(12.4, "timeout", 1240, 12), total_steps=2480)
    assert lines == [
        "Cartpole: train, device cpu, seed 7",
        "  0 %  step 10/2,480  reward 20.0  25s left  100 steps/s  iteration 0",
        " 20 %  step 510/2,480  reward 20.0  20s left  100 steps/s  iteration 5",
        " 40 %  step 1,010/2,480  reward 20.0  15s left  100 steps/s  iteration 10",
        " 50 %  step 1,240/2,480  reward 20.0  after 12s  100 steps/s  iteration 12",
    ]


def test_the_last_line_is_not_said_twice():
    lines = _plain(STARTED, _metrics(1.0, 100, 20.0), Finished(1.0, "steps", 100, 1))
    assert lines[1:] == ["step 100  reward 20.0  1s so far  100 steps/s  iteration 1"]


def test_ends_by_iterations_and_by_time_are_shown():
    assert _plain(STARTED, _metrics(1.0, 100), total_iterations=4)[1] == (
        " 25 %  step 100  3s left  100 steps/s  iteration 1/4"
    )
    assert _plain(STARTED, _metrics(15.0, 100))[1] == "step 100  15s so far  7 steps/s  iteration 1"
    assert _plain(STARTED, _metrics(15.0, 100), total_seconds=60.0)[1] == (
        " 25 %  step 100  45s left  7 steps/s  iteration 1"
    )


def test_a_resumed_run_says_where_it_goes_on():
    started = RunStarted(0.0, "Cartpole", "train", 7, "cpu", "static", "", 1000, 10, resumed=True)
    lines = _plain(started, _metrics(1.0, 1100), total_steps=2000)
    assert lines[0] == "Cartpole: train, resumed at step 1,000, iteration 10, device cpu, seed 7"
    assert lines[1] == " 55 %  step 1,100/2,000  9s left  100 steps/s  iteration 11"


def test_node_statistics_move_the_line_within_a_long_iteration():
    lines = _plain(STARTED, NodeStatistics(1.0, 50), NodeStatistics(7.0, 350), total_steps=1000)
    assert lines[1:] == [
        "  5 %  step 50/1,000  19s left  50 steps/s  iteration 0",
        " 35 %  step 350/1,000  13s left  50 steps/s  iteration 0",
    ]


def test_messages_are_shown_by_level():
    messages = [LogMessage(0.0, level, f"some {level}") for level in ("debug", "info", "warning", "error")]
    quiet = ["some info", "warning: some warning", "error: some error"]
    assert _plain(*messages) == quiet
    assert _plain(*messages, verbose=True) == ["debug: some debug", *quiet]


def test_saved_states_are_shown_only_when_verbose():
    saved = [
        CheckpointSaved(1.0, "ckpt/node_6", 100, 1, "epoch", "6"),
        CheckpointSaved(1.0, "run/resume/x", 100, 1, "end"),
    ]
    assert _plain(*saved) == []
    assert _plain(*saved, verbose=True) == [
        "debug: checkpoint of node 6 saved in ckpt/node_6 (epoch)",
        "debug: resume state saved in run/resume/x (end)",
    ]


def test_time_per_node_is_shown_every_ten_seconds_when_verbose():
    stats = [NodeStatistics(float(t), t, (NodeStats("3", "Agent", 10, 0.5, 0),)) for t in range(1, 22)]
    assert sum("3 Agent" in line for line in _plain(*stats, verbose=True)) == 2
    assert not any("3 Agent" in line for line in _plain(*stats))


def test_pauses_and_live_edits_are_shown():
    assert _plain(Paused(1.0, 1000), Resumed(2.0, 1000), ParameterChanged(3.0, "6", "gamma", 0.9, 0.8, 1)) == [
        "paused at step 1,000",
        "going on at step 1,000",
        "node 6: gamma was 0.9 and is 0.8",
    ]


def test_a_pause_does_not_slow_the_shown_speed():
    pause = [Paused(1.0, 100), Resumed(101.0, 100)]
    lines = _plain(STARTED, _metrics(1.0, 100), *pause, _metrics(101.0, 100), _metrics(107.0, 700))
    assert lines[-1] == "step 700  1m47s so far  100 steps/s  iteration 7"


def test_a_failure_shows_node_title_step_and_traceback():
    traceback = "Traceback (most recent call last):\n  File x, line 1\nValueError: no\n"
    for error in ("ValueError: no", "node 6 (PPO Trainer): ValueError: no"):
        assert _plain(Failed(1.0, error, traceback, "6", "PPO Trainer", 1200))[-4:] == [
            "error: node 6 (PPO Trainer): ValueError: no (at step 1,200)",
            "Traceback (most recent call last):",
            "  File x, line 1",
            "ValueError: no",
        ]
    assert _plain(Failed(1.0, "DeadlockError: a ring", ""))[-1] == "error: DeadlockError: a ring"


def test_control_characters_cannot_reach_the_terminal():
    assert _plain(LogMessage(0.0, "info", "a\x1b]0;title\x07\r\nb\tc\x9b")) == ["a\\x1b]0;title\\x07", "b\tc\\x9b"]


def test_a_dumb_terminal_gets_plain_lines(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    there = terminal()
    display = ProgressDisplay(there.stream)
    for event in (STARTED, _metrics(1.0, 100), _metrics(1.5, 150), Finished(2.0, "steps", 150, 1)):
        display(event)
    display.close()
    assert len(there.screen().lines) == 3
    assert b"\x1b" not in there.raw


def test_the_summary_ends_it():
    stream = io.StringIO()
    display = ProgressDisplay(stream)
    display(Finished(2.0, "timeout", 150, 1))
    display.summarise({"run folder": "runs/a"})
    lines = stream.getvalue().splitlines()
    assert lines[-6] == "Finished: timeout"
    assert lines[-1].split() == ["run", "folder", "runs/a"]


def test_standard_error_is_the_stream_of_choice(capsys):
    ProgressDisplay()(LogMessage(0.0, "info", "hello"))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_a_stream_of_few_characters_shows_escapes():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    ProgressDisplay(stream)(LogMessage(0.0, "info", "é µ"))
    assert stream.buffer.getvalue() == b"\\xe9 \\xb5\n"


# A terminal


def test_the_bar_is_one_line_that_stays_below_the_messages(terminal):
    there = terminal()
    display = ProgressDisplay(there.stream, total_steps=1000)
    for event in (
        STARTED,
        _metrics(1.0, 100, 20.0),
        LogMessage(1.1, "warning", "something odd"),
        _metrics(2.0, 200, 21.0),
        LogMessage(2.1, "info", "something plain"),
        _metrics(5.0, 500, 22.0),
        Finished(5.0, "timeout", 500, 5),
    ):
        display(event)
    display.summarise()
    screen = there.screen()
    assert screen.lines[:3] == [
        "Cartpole: train, device cpu, seed 7",
        "warning: something odd",
        "something plain",
    ]
    assert screen.lines[3] == (
        "━" * 15 + "─" * 15 + "   50 %  step 500/1,000  reward 22.0  after 5s  100 steps/s  iteration 5"
    )
    assert screen.lines[4] == "Finished: timeout"
    assert screen.current == ""


def test_colours_come_with_rich_only(terminal, request):
    there = terminal()
    ProgressDisplay(there.stream)(LogMessage(0.0, "error", "red"))
    there.close()
    assert (b"\x1b[1;31m" in there.raw) == ("rich" in sys.modules and sys.modules["rich"] is not None)


def test_no_color_is_obeyed(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    there = terminal()
    ProgressDisplay(there.stream)(LogMessage(0.0, "warning", "yellow"))
    there.close()
    assert b"\x1b[33m" not in there.raw


@pytest.mark.parametrize("columns", [20, 40, 60, 79, 200])
def test_the_line_fits_the_terminal(terminal, columns):
    there = terminal(columns)
    display = ProgressDisplay(there.stream, total_steps=10_000_000)
    display(STARTED)
    for second in range(1, 20):
        display(_metrics(float(second), 500_000 * second, -1234.5))
        assert 0 < len(display._live._line and _ESCAPES.sub("", display._live._line)) < columns
    display.close()
    assert there.screen().lines[-1].strip("━─ ").startswith("95 %")


def test_the_line_is_rewritten_a_few_times_a_second_only(terminal):
    there = terminal()
    display = ProgressDisplay(there.stream)
    for index in range(1000):
        display(_metrics(index / 1000, index))
    display.close()
    there.close()
    assert there.raw.count(b"\x1b[2K") == 5


def test_no_cursor_is_hidden_that_a_kill_would_leave_hidden(terminal):
    there = terminal()
    display = ProgressDisplay(there.stream, total_steps=10)
    display(_metrics(1.0, 1))
    display.close()
    there.close()
    assert b"\x1b[?25l" not in there.raw


def test_a_failure_on_a_terminal_stands_below_the_line(terminal):
    there = terminal()
    display = ProgressDisplay(there.stream, total_steps=1000)
    for event in (_metrics(1.0, 100), Failed(2.0, "ValueError: no", "Traceback\n  x", "6", "Trainer", 120)):
        display(event)
    screen = there.screen()
    assert "step 120/1,000" in screen.lines[0]
    assert screen.lines[1:] == ["error: node 6 (Trainer): ValueError: no (at step 120)", "Traceback", "  x"]


def test_messages_of_many_threads_do_not_garble_the_line(terminal):
    there = terminal()
    display = ProgressDisplay(there.stream, total_steps=1000)
    threads = [threading.Thread(target=lambda: [display.message("hello") for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for index in range(100):
        display(_metrics(index / 4, 10 * index))
    for thread in threads:
        thread.join()
    display.close()
    screen = there.screen()
    assert screen.lines[:-1] == ["hello"] * 200


# Streams that fail


def test_a_reader_that_has_gone_ends_the_run_once():
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:  # noqa: PTH123
        display = ProgressDisplay(stream)
        with pytest.raises(OutputClosed):
            display(STARTED)
        display(Failed(1.0, "OutputClosed", ""))
        display.summarise()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)


def test_a_log_on_a_full_disk_ends_the_run():
    with open("/dev/full", "w") as stream:  # noqa: PTH123
        display = ProgressDisplay(stream)
        with pytest.raises(StorageError, match="cannot write to /dev/full: No space left on device"):
            display(STARTED)
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_every_iterations_metrics_are_shown_when_verbose():
    metrics = Metrics(1.0, 1600, 2, {"train/policy_loss": -0.0123456789, "episode/mean_reward": 20.0})
    line = "debug: iteration 2, step 1,600: train/policy_loss -0.012346  episode/mean_reward 20"
    assert line in _plain(metrics, verbose=True)
    assert line not in _plain(metrics)


def test_waiting_values_and_times_are_shown_at_the_end_when_verbose():
    stats = NodeStatistics(1.0, 100, (NodeStats("3", "Agent", 10, 0.5, 0), NodeStats("6", "Trainer", 9, 0.2, 2)))
    end = Finished(1.0, "steps", 100, 1)
    shown = _plain(stats, end, verbose=True)
    assert "waiting values: 6 Trainer 2" in shown
    assert sum("3 Agent" in line for line in shown) == 1
    assert not any("Agent" in line for line in _plain(stats, end))


def test_a_failure_before_the_start_has_no_progress():
    assert _plain(Failed(1.0, "no such weights", "")) == ["error: no such weights"]


def test_an_inference_has_no_iterations():
    started = RunStarted(0.0, "Cartpole", "infer", 7, "cpu", "static", "")
    assert not any("iteration" in line for line in _plain(started, NodeStatistics(1.0, 100, ())))
