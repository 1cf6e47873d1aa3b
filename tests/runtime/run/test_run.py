"""A run as a host sees it: its events, its switches, and how it ends."""

import json
import os
import signal
import threading
import time

import pytest

import nodes
from runtime.checkpoints import ResumeStore
from runtime.command.signals import stop_on_signals
from runtime.errors import NodeFailure, StorageError
from runtime.events import Failed, Finished, LogMessage, Metrics, NodeStatistics, ParameterChanged, Paused, RunStarted
from runtime.registry import discover
from runtime.run import Run, RunSettings
from runtime.scheduler.control import CYCLE, FIRING, RunControl
from runtime.validation import build_graph
from runtime.workflow import load_workflow
from tests.commands import USER_NODES, events_of, insert_node, small_workflow, write_json

REGISTRY = discover([nodes], [USER_NODES])


@pytest.fixture
def graph(folder):
    """Builds a fresh graph of the small workflow, with a node in the wire of the rewards where one is named."""

    def build(class_type="", **values):
        workflow = small_workflow()
        if class_type:
            insert_node(workflow, "9", class_type, "5.rewards", "6", **values)
        return build_graph(load_workflow(write_json(folder / "w.json", workflow)), REGISTRY)

    return build


class Hosted:
    """A run in a thread of its own, as the editor runs it."""

    def __init__(self, graph, **settings):
        self.events = []
        self.control = RunControl()
        self.run = Run(graph, RunSettings(**settings), "test", [self.events.append], self.control)
        self.result = None
        self.thread = threading.Thread(target=self._execute)

    def _execute(self):
        self.result = self.run.execute()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.control.stop("the test is over")
        self.thread.join(10)
        assert not self.thread.is_alive()

    @property
    def steps(self):
        return self.run.context.progress.environment_steps

    @property
    def firings(self):
        return sum(unit.firings + unit.releases for unit in self.run.engine.machine.units)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def wait_for(self, condition):
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.005)


def _values(events):
    """Metrics that do not depend on the clock."""
    metrics = [event for event in events if isinstance(event, Metrics)]
    return [{n: v for n, v in event.values.items() if not n.startswith("time/")} for event in metrics]


def test_a_run_tells_its_whole_story(graph):
    events = []
    result = Run(graph(), RunSettings(iterations=3, seed=4), "test", [events.append]).execute()
    assert (result.reason, result.environment_steps, result.iterations) == ("3 of 3 iterations", 48, 3)
    assert "train/policy_loss" in result.metrics
    assert {stats.node_id: stats.firings for stats in result.nodes}["5"] == 12
    kinds = [type(event) for event in events]
    assert kinds == [RunStarted, Metrics, Metrics, Metrics, NodeStatistics, Finished]
    started = events[0]
    assert (started.name, started.mode, started.seed, started.device) == ("test", "train", 4, "cpu")
    assert all(one.time <= other.time for one, other in zip(events, events[1:]))


def test_a_worker_thread_gives_the_same_bits(graph):
    events = []
    Run(graph(), RunSettings(iterations=20), "test", [events.append]).execute()
    with Hosted(graph(), iterations=20) as hosted:
        hosted.thread.join(10)
    assert _values(hosted.events) == _values(events)


@pytest.mark.parametrize("scheduler", ["static", "queues"])
def test_pause_step_and_resume_from_another_thread(graph, scheduler):
    with Hosted(graph(), scheduler=scheduler) as hosted:
        hosted.wait_for(lambda: hosted.steps > 100)
        hosted.control.pause()
        hosted.wait_for(lambda: hosted.of(Paused))
        at = hosted.steps
        time.sleep(0.1)
        assert hosted.steps == at == hosted.of(Paused)[0].step
        for count in (2, 3, 4):
            hosted.control.step(CYCLE)
            hosted.wait_for(lambda count=count: len(hosted.of(Paused)) == count)
            assert hosted.of(Paused)[-1].step == hosted.steps
        assert at < hosted.steps <= at + 3 * 4
        firings = hosted.firings
        hosted.control.step(FIRING)
        hosted.wait_for(lambda: len(hosted.of(Paused)) == 5)
        assert hosted.firings == firings + 1
        at = hosted.steps
        hosted.control.resume()
        hosted.wait_for(lambda: hosted.steps > at + 100)
    assert hosted.result.reason == "the test is over"


def test_pauses_change_no_bit(graph):
    events = []
    Run(graph(), RunSettings(iterations=30), "test", [events.append]).execute()
    with Hosted(graph("SlowNode", seconds=0.001), iterations=30) as hosted:
        for _ in range(4):
            hosted.control.pause()
            time.sleep(0.03)
            hosted.control.step(FIRING)
            time.sleep(0.03)
            hosted.control.resume()
            time.sleep(0.01)
        hosted.thread.join(10)
    assert _values(hosted.events) == _values(events)


def test_a_stop_acts_while_paused(graph):
    with Hosted(graph()) as hosted:
        hosted.control.pause()
        hosted.wait_for(lambda: hosted.of(Paused))
        hosted.control.stop("enough")
        hosted.thread.join(10)
        assert hosted.result.reason == "enough"
    assert isinstance(hosted.events[-1], Finished)


def test_a_signal_acts_while_paused(graph):
    control, events = RunControl(), []
    control.pause()
    with stop_on_signals(control) as signals:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        result = Run(graph(), RunSettings(), "test", [events.append], control).execute()
    assert (result.reason, signals.exit_code) == ("stopped by Ctrl-C", 130)
    assert any(isinstance(event, Paused) for event in events)


def test_a_stop_before_the_start_still_does_one_cycle_and_saves(graph, folder):
    control = RunControl()
    control.stop("at once")
    result = Run(graph(), RunSettings(), "test", [], control, ResumeStore(folder)).execute()
    assert (result.reason, result.environment_steps) == ("at once", 4)
    assert ResumeStore(folder).latest().step == 4


def test_live_edits_are_told_and_act_at_the_next_iteration(graph):
    with Hosted(graph("SlowNode", seconds=0.002)) as hosted:
        hosted.wait_for(lambda: len(hosted.of(Metrics)) > 2)
        hosted.control.edit("6", "learning_rate", 5e-4)
        hosted.wait_for(lambda: hosted.of(ParameterChanged))
        (change,) = hosted.of(ParameterChanged)
        assert (change.node_id, change.name, change.old, change.new) == ("6", "learning_rate", 1e-3, 5e-4)
        hosted.wait_for(lambda: len([e for e in hosted.of(Metrics) if e.iteration > change.iteration]) > 2)
    rates = {event.iteration: event.values["train/learning_rate"] for event in hosted.of(Metrics)}
    assert all(rate == (1e-3 if iteration <= change.iteration else 5e-4) for iteration, rate in rates.items())


def test_an_edit_of_an_adaptive_learning_rate_says_that_the_schedule_goes_on(graph):
    adaptive = graph("SlowNode", seconds=0.002)
    adaptive.nodes["6"].learning_rate_schedule = "adaptive"
    with Hosted(adaptive) as hosted:
        hosted.wait_for(lambda: hosted.of(Metrics))
        hosted.control.edit("6", "learning_rate", 5e-4)
        hosted.wait_for(lambda: hosted.of(ParameterChanged))
        hosted.wait_for(lambda: [e for e in hosted.of(LogMessage) if "adaptive schedule goes on from" in e.message])


def test_edits_that_cannot_be_made_are_refused_with_the_reason(graph):
    with Hosted(graph()) as hosted:
        hosted.wait_for(lambda: hosted.of(Metrics))
        for edit in (("6", "horizon_length", 8), ("6", "gamma", 2.0), ("77", "gamma", 0.5), ("6", "no_such", 1)):
            hosted.control.edit(*edit)
        hosted.wait_for(lambda: len(hosted.of(LogMessage)) == 4)
    messages = [(event.level, event.message) for event in hosted.of(LogMessage)]
    assert all(level == "error" and text.startswith("edit refused: ") for level, text in messages)
    assert "Trainer.horizon_length cannot change during a run; live are: " in messages[0][1]
    assert "2.0 is out of range; allowed: 0 to 1" in messages[1][1]
    assert "there is no node '77' in this run" in messages[2][1]
    assert "no_such" in messages[3][1]
    assert not hosted.of(ParameterChanged)


def test_live_edits_hold_after_a_resume_unless_the_command_line_sets_them_anew(graph, dnne, folder):
    write_json(folder / "small.json", small_workflow())
    assert dnne("train", "small.json", "--iterations", 2, "--run-name", "a").code == 0
    store, control = ResumeStore(folder / "runs/a"), RunControl()
    control.edit("6", "learning_rate", 5e-4)
    control.edit("6", "gamma", 0.9)
    settings = RunSettings(iterations=4)
    Run(graph(), settings, "test", [], control, store, store.latest().state).execute()
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 5, "--set", "Trainer.gamma=0.99")
    assert outcome.code == 0
    assert "Trainer.learning_rate is 0.0005, as it was edited during the run" in outcome.err
    assert "warning: resumed, but Trainer (6).gamma was 0.9 and is 0.99" in outcome.err
    assert outcome.err.count("warning") == 1
    written = json.loads((folder / "runs/a/workflow.json").read_text())["nodes"]["6"]["inputs"]
    assert (written["learning_rate"], written["gamma"]) == (5e-4, 0.99)
    last = events_of(folder / "runs/a/events.jsonl")
    assert [r["value"] for r in last if r.get("name") == "train/learning_rate"][-1] == 5e-4


# Failures


def _failing_sink(kind, error):
    def sink(event):
        if isinstance(event, kind):
            raise error

    return sink


@pytest.mark.parametrize("kind", [RunStarted, Metrics, NodeStatistics, Finished])
def test_an_error_of_a_sink_ends_the_run_as_itself_and_others_hear_of_it(graph, kind):
    first, last, error = [], [], StorageError("no room")
    sinks = [first.append, _failing_sink(kind, error), last.append]
    with pytest.raises(StorageError) as raised:
        Run(graph(), RunSettings(iterations=2), "test", sinks).execute()
    assert raised.value is error
    assert first == last
    assert any(isinstance(event, kind) for event in first)
    failed = [event for event in first if isinstance(event, Failed)]
    assert [(event.error, event.node_id, event.traceback) for event in failed] == [("no room", "", "")]


def test_a_bug_in_a_sink_is_shown_with_its_traceback(graph):
    events = []
    with pytest.raises(KeyError):
        Run(graph(), RunSettings(iterations=2), "x", [events.append, _failing_sink(Metrics, KeyError("a"))]).execute()
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.node_id == ""
    assert "KeyError: 'a'" in failed.traceback


def test_a_sink_that_cannot_take_the_failure_does_not_hide_it(graph):
    events = []
    sinks = [events.append, _failing_sink(Failed, StorageError("no room"))]
    with pytest.raises(NodeFailure, match="node 9"):
        Run(graph("RaisingNode", at=2), RunSettings(iterations=2), "test", sinks).execute()
    assert [event.node_id for event in events if isinstance(event, Failed)] == ["9"]
    assert any(isinstance(event, LogMessage) and "could not be recorded" in event.message for event in events)


@pytest.mark.parametrize("where", ["setup", "compute", "metrics", "close", ""])
def test_every_node_is_closed_once_however_the_run_ends(graph, where):
    built = graph("RaisingNode", where=where or "compute", at=3 if where else 1000)
    closed = []
    for node in built.nodes.values():
        node.close = lambda node=node, close=node.close: (closed.append(node.id), close())
    run = Run(built, RunSettings(iterations=2), "test", [])
    if where:
        with pytest.raises(Exception, match="no luck"):
            run.execute()
    else:
        run.execute()
    assert sorted(closed) == sorted(built.nodes)


def test_an_explained_error_of_a_node_has_its_traceback_only_when_verbose(graph):
    texts = []
    for verbose in (False, True):
        events = []
        settings = RunSettings(iterations=9, verbose=verbose)
        with pytest.raises(NodeFailure, match="NonFiniteError"):
            Run(graph("SpoilNode", at=3), settings, "test", [events.append]).execute()
        texts += [event.traceback for event in events if isinstance(event, Failed)]
    assert texts[0] == ""
    assert "check_rollout" in texts[1]


def test_inference_saves_neither_checkpoints_nor_a_state_to_resume(graph, folder):
    settings = RunSettings(mode="infer", untrained=True, episodes=4, save_checkpoint_dir=str(folder / "ck"))
    result = Run(graph(), settings, "test", [], None, ResumeStore(folder)).execute()
    assert result.metrics["eval/episodes"] == 4
    assert not (folder / "resume").exists()
    assert not (folder / "ck").exists()
