"""Ctrl-C, SIGTERM and SIGUSR1, sent to the command in a process of its own."""

import json
import os
import pty
import signal
import threading
import time

import pytest

from runtime.checkpoints import load_node_checkpoint
from tests.commands import USER_NODES, events_of, insert_node, metrics_of, small_workflow, write_json

NODES = ("--nodes-dir", USER_NODES)
ALL = [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM"), (signal.SIGUSR1, 138, "SIGUSR1")]


@pytest.fixture
def slow(folder):
    """Writes a workflow that takes its time: 5 ms a step if nothing else is said."""

    def write(**values):
        workflow = small_workflow()
        insert_node(workflow, "9", "SlowNode", "5.rewards", "6", **{"seconds": 0.005, **values})
        return write_json(folder / "slow.json", workflow)

    return write


def _events(folder, name="a"):
    return events_of(folder / "runs" / name / "events.jsonl")


def _iterations(folder):
    return {record["iteration"] for record in _events(folder) if record["event"] == "metric"}


@pytest.mark.parametrize(("number", "code", "name"), ALL)
def test_a_signal_ends_the_training_in_order(dnne, start, slow, folder, monkeypatch, number, code, name):
    path = slow()
    running = start("train", path, *NODES, "--run-name", "a", "--save-checkpoint-dir", "ck")
    running.wait_for(lambda: len(_iterations(folder)) > 2)
    running.send(number)
    assert running.wait() == code
    assert f"\n{name}: finishing the step and saving; again to end at once\n" in running.err
    assert f"Finished: stopped by {name}" in running.err
    assert "to go on           --resume runs/a" in running.err
    assert "Traceback" not in running.err
    finished = [record for record in _events(folder) if record["event"] == "finished"]
    assert [record["reason"] for record in finished] == [f"stopped by {name}"]
    assert json.loads((folder / "runs/a/run.json").read_text())["result"] == "interrupted"
    for node_id in ("3", "6"):
        metadata = load_node_checkpoint("ck", node_id).metadata
        assert (metadata["reason"], metadata["iteration"]) == (f"stopped by {name}", finished[0]["iteration"])
    _assert_that_a_resume_goes_on_bit_by_bit(dnne, path, folder, monkeypatch)


def _assert_that_a_resume_goes_on_bit_by_bit(dnne, path, folder, monkeypatch):
    monkeypatch.setattr("runtime.recording.tensorboard_writer._await_later_name", lambda folder: None)
    end = max(_iterations(folder)) + 3
    assert dnne("train", "--resume", "runs/a", *NODES, "--iterations", end).code == 0
    assert dnne("train", path, *NODES, "--iterations", end, "--run-name", "whole").code == 0
    assert metrics_of(_events(folder)) == metrics_of(_events(folder, "whole"))


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_the_process_at_once(start, slow, folder, first):
    running = start("train", slow(seconds=60.0), *NODES, "--run-name", "a", "--events", "events.jsonl")
    running.wait_for(lambda: events_of(folder / "events.jsonl"))
    time.sleep(0.1)
    running.send(first)
    running.wait_for(lambda: "again to end at once" in running.err)
    sent = time.monotonic()
    running.send(signal.SIGINT)
    assert running.wait() == -signal.SIGINT, "which a shell reports as 130"
    assert time.monotonic() - sent < 5.0
    assert json.loads((folder / "runs/a/run.json").read_text())["ended"] is None


def test_slurms_sigterm_after_its_warning_does_not_cut_the_saving_short(start, slow, folder):
    running = start("train", slow(seconds=1.0), *NODES, "--run-name", "a", "--events", "events.jsonl")
    running.wait_for(lambda: events_of(folder / "events.jsonl"))
    for number in (signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM):
        running.send(number)
        time.sleep(0.05)
    assert running.wait() == 143
    assert "Finished: stopped by SIGUSR1" in running.err
    assert list((folder / "runs/a/resume").iterdir())


def test_a_signal_during_set_up_ends_the_run_after_its_first_cycle(start, slow, folder):
    path = slow(setup_seconds=1.0)
    running = start("train", path, *NODES, "--run-name", "a", "--save-checkpoint-dir", "ck")
    running.wait_for(lambda: "setting up slowly" in running.err)
    running.send(signal.SIGINT)
    assert running.wait() == 130
    assert "Finished: stopped by Ctrl-C" in running.err
    assert [record["step"] for record in _events(folder) if record["event"] == "finished"] == [4]
    assert load_node_checkpoint("ck", "3").metadata["step"] == 4


def test_a_signal_before_the_set_up_ends_the_command_without_a_traceback(start, slow, folder):
    nodes = folder / "nodes"
    nodes.mkdir()
    (nodes / "slow.py").write_text("import pathlib, time\npathlib.Path('here').touch()\ntime.sleep(30)\n")
    running = start("train", slow(), "--nodes-dir", nodes)
    running.wait_for((folder / "here").exists)
    running.send(signal.SIGINT)
    assert running.wait() == 130
    assert running.err == "interrupted\n"
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(("number", "code", "name"), ALL)
def test_a_signal_ends_an_inference_with_what_it_has(start, slow, folder, number, code, name):
    running = start("infer", slow(seconds=0.0005), *NODES, "--untrained", "--run-name", "a", "--verbose")
    # 4 environments of at most 500 steps each: an episode has ended.
    running.wait_for(lambda: any(r["event"] == "node_statistics" and r["step"] > 2000 for r in _events(folder)))
    running.send(number)
    assert running.wait() == code
    assert f"Finished: stopped by {name}" in running.err
    assert "mean episode reward" in running.err
    assert not (folder / "runs/a/resume").exists()


def test_a_signal_that_was_ignored_from_the_start_stays_ignored(start, slow, folder):
    """A shell starts the jobs in a script's background so; Ctrl-C is not meant for them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        from runtime.command.signals import stop_on_signals
        from runtime.scheduler.control import RunControl

        control = RunControl()
        with stop_on_signals(control) as state:
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGINT)
        assert (control.stop_reason, state.exit_code) == (None, 0)
    finally:
        signal.signal(signal.SIGINT, before)


def test_on_a_terminal_the_message_has_a_line_of_its_own(start, slow, folder):
    master, slave = pty.openpty()
    shown = []

    def read():
        try:
            while True:
                shown.append(os.read(master, 4096).decode("utf-8", "replace"))
        except OSError:
            pass  # the terminal is gone

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    running = start("train", slow(), *NODES, "--run-name", "a", "--iterations", 1000, terminal=os.ttyname(slave))
    try:
        running.wait_for(lambda: "".join(shown).count("\x1b[2K") > 3)
        running.send(signal.SIGINT)
        assert running.wait() == 130
    finally:
        os.close(slave)
        reader.join(5)
        os.close(master)
    text = "".join(shown)
    assert "\r\x1b[2K" in text, "one line is rewritten"
    assert "\r\nCtrl-C: finishing the step and saving; again to end at once\r\n" in text
    summary = text[text.index("Finished: stopped by Ctrl-C") :]
    assert "environment steps" in summary
    assert "\x1b" not in summary
