"""A session that a host runs itself, in a thread: the same bits, live events, and errors as messages."""

import argparse
import contextlib
import csv
import threading
import time

import pytest

from app.commands.common import file_source
from runtime.command.host import Host
from runtime.command.options import add_run_options
from runtime.command.session import Session
from runtime.events import (
    Finished,
    LiveStatistics,
    LogMessage,
    Paused,
    ProbeSample,
    RunStarted,
    ViewerFrame,
    is_clock_metric,
)
from runtime.scheduler import observer

WIRES = [("2", "output"), ("3", "policy_output"), ("3", "model"), ("5", "dones"), ("6", "trigger")]


class HostedRun:
    """A session in a thread."""

    def __init__(self, path, *words):
        parser = argparse.ArgumentParser()
        add_run_options(parser, infer=False)
        self.args = parser.parse_args([str(word) for word in words])
        self.args.nodes_dir = []
        self.events = []
        self.host = Host(self.events.append)
        self.path, self.code = path, None
        self.thread = threading.Thread(target=self._run, name="session under test")

    def _run(self):
        with contextlib.ExitStack() as stack:
            source = file_source(self.path, self.args)
            self.code = Session(source, self.args, False, False, stack, self.host).run()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, condition):
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end and self.thread.is_alive(), self.events[-3:]
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.host.control.stop("end of the test")
        self.thread.join(20)
        assert not self.thread.is_alive()


def metrics_of(folder):
    with (folder / "metrics.csv").open() as file:
        return [{name: row[name] for name in row if not is_clock_metric(name)} for row in csv.DictReader(file)]


@pytest.fixture
def hosted(small):
    return lambda *words: HostedRun(small, *words)


def test_the_bits_are_those_of_the_command_with_everything_watched(dnne, hosted, folder, monkeypatch):
    monkeypatch.setattr(observer, "PROBE_INTERVAL", 0.0)
    assert dnne("train", "small.json", "--seed", 5, "--iterations", 30, "--run-name", "plain").code == 0
    run = hosted("--seed", 5, "--iterations", 30, "--run-name", "watched")
    run.host.control.watch.watch_probes(WIRES)
    run.host.control.watch.watch_viewer([0, 3, 99], hz=1000.0)
    with run:
        run.thread.join(20)
    assert run.code == 0
    assert metrics_of(folder / "runs/watched") == metrics_of(folder / "runs/plain")
    assert {(sample.node_id, sample.port) for sample in run.of(ProbeSample)} == set(WIRES)
    frame = run.of(ViewerFrame)[0]
    assert (frame.node_id, frame.state.kind, frame.state.env_ids) == ("1", "cartpole", (0, 3))
    recorded = (folder / "runs/watched/events.jsonl").read_text()
    assert '"probe"' not in recorded and "viewer_frame" not in recorded and "live_statistics" not in recorded


def test_live_statistics_come_during_the_run(hosted, folder):
    with hosted("--run-name", "live") as run:
        run.until(lambda: len(run.of(LiveStatistics)) > 2)
    last = run.of(LiveStatistics)[-1]
    assert last.working in {node.node_id for node in last.nodes} == {"1", "2", "3", "4", "5", "6"}
    trainer = next(node for node in last.nodes if node.node_id == "6")
    assert trainer.firings > 0 and [wire.limit for wire in trainer.wires] == [2, 2, 2, 2]
    assert run.of(RunStarted)[0].run_dir == str(folder / "runs/live") or run.of(RunStarted)[0].run_dir == "runs/live"
    assert run.code == 0 and run.of(Finished)[-1].reason == "end of the test"
    assert not [thread for thread in threading.enumerate() if thread.name == "dnne-live-reports"]


def test_a_pause_shows_what_a_held_wire_holds_and_that_no_node_works(hosted):
    with hosted() as run:
        run.until(lambda: run.of(RunStarted))
        run.host.control.pause()
        run.until(lambda: run.of(Paused))
        run.host.control.watch.watch_probes([("3", "model")])
        run.until(lambda: run.of(ProbeSample))
        before = len(run.of(LiveStatistics))
        run.until(lambda: len(run.of(LiveStatistics)) > before + 1)
    assert run.of(LiveStatistics)[-1].working == "" or run.of(Finished)
    assert run.of(ProbeSample)[0].dtype == "ActorCritic"


def test_an_error_before_the_run_is_a_message(hosted, folder):
    (folder / "runs").write_text("a file in the way")
    with hosted() as run:
        run.thread.join(20)
    assert run.code == 2
    assert [message.level for message in run.of(LogMessage)] == ["error"]
    assert "runs" in run.of(LogMessage)[0].message
