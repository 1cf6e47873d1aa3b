"""Evaluations of several processes: rank 0 evaluates, and the others wait as long as it takes."""

import threading
import time
from types import SimpleNamespace

import pytest

from runtime.errors import RunError
from runtime.evaluation import periodic
from runtime.evaluation.periodic import PeriodicEvaluation
from runtime.evaluation.statistics import Episodes
from runtime.run.settings import RunSettings
from runtime.scheduler.control import RunControl
from tests.commands import dnne, events_of, folder, insert_node, small, small_workflow, start, write_json
from tests.runtime.distributed.test_runs import codes, group, numbers

__all__ = ["dnne", "folder", "group", "small", "start"]

DURING_EVALUATIONS = """
import time

from runtime.node import Node
from runtime.parameters import param
from runtime.ports import REWARDS, In, Out


class SlowEvaluationNode(Node):
    '''Passes rewards on, slowly in evaluations.'''

    title, category = "Slow", "Test"
    value = In(REWARDS, "r")
    output = Out(REWARDS, "r")
    first: float = param(0.0, doc="Seconds that the first firing of an evaluation takes")
    each: float = param(0.0, doc="Seconds that each takes")

    def compute(self, value):
        if self.context.inference:
            time.sleep(self.each + (0 if hasattr(self, "has_slept") else self.first))
            self.has_slept = True
        return {"output": value}
"""


def evaluation_of(communicator, control):
    graph = SimpleNamespace(nodes={})
    context = SimpleNamespace(
        rank=communicator.rank, communicator=communicator, progress=SimpleNamespace(iterations=1)
    )  # fmt: skip
    return PeriodicEvaluation(lambda: graph, graph, RunSettings(eval_interval=1, eval_episodes=3), context, control)


def until_stopped(control, seconds=60.0):
    """Why; None where nobody has stopped it."""
    pause, end = threading.Event(), time.monotonic() + seconds
    while control.stop_reason is None and time.monotonic() < end:
        pause.wait(0.01)
    return control.stop_reason


def test_the_others_hear_of_rank_zero_while_it_evaluates(ranks, monkeypatch):
    heard, enough = [], threading.Event()

    def evaluate(graph, settings, states, control):
        assert enough.wait(60), "rank 1 has heard nothing while rank 0 evaluates"
        return Episodes([1.0, 2.0, 3.0], [4, 4, 4])

    def run(communicator):
        exchange = communicator.all_gather_json

        def counted(value):
            if communicator.rank:
                heard.append(value)
                if len(heard) == 5:
                    enough.set()
            return exchange(value)

        communicator.all_gather_json = counted
        return evaluation_of(communicator, RunControl())()

    monkeypatch.setattr(periodic, "run_episodes", evaluate)
    metrics, nothing = ranks(2, run)
    assert (metrics["eval/mean_reward"], nothing) == (2.0, {})


def test_a_stop_of_any_process_ends_the_evaluation(ranks, monkeypatch):
    def evaluate(graph, settings, states, control):
        reasons.append(until_stopped(control) if stopped.wait(60) else None)
        return Episodes([], [])

    def run(communicator):
        control = RunControl()
        if communicator.rank:
            control.stop("stopped by SIGUSR1")
            stopped.set()
        return evaluation_of(communicator, control)()

    stopped, reasons = threading.Event(), []
    monkeypatch.setattr(periodic, "run_episodes", evaluate)
    assert ranks(2, run) == [{}, {}]
    assert reasons == ["stopped by SIGUSR1"]


def test_a_lost_process_ends_the_evaluation(monkeypatch):
    def evaluate(graph, settings, states, control):
        until_stopped(control)

    def lost(value):
        raise RunError("rank 0 lost another process")

    communicator = SimpleNamespace(rank=0, is_orphaned=False, all_gather_json=lost)
    monkeypatch.setattr(periodic, "run_episodes", evaluate)
    with pytest.raises(RunError, match="lost another process"):
        evaluation_of(communicator, RunControl())()
    assert [thread.name for thread in threading.enumerate() if thread.name == "dnne-evaluation"] == []


@pytest.fixture
def slow(folder):
    """A workflow whose evaluations take long."""

    def write(**seconds):
        (folder / "nodes").mkdir()
        (folder / "nodes/slow.py").write_text(DURING_EVALUATIONS)
        workflow = small_workflow()
        insert_node(workflow, "9", "SlowEvaluationNode", "5.rewards", "6", **seconds)
        return write_json(folder / "slow.json", workflow), "--nodes-dir", "nodes"

    return write


@pytest.mark.slow
def test_an_evaluation_may_take_longer_than_the_collective_timeout(group, folder, slow):
    options = ("--collective-timeout", "8s", "--eval-interval", 2, "--eval-episodes", 2, "--iterations", 3)
    processes = group(2, "train", *slow(first=13.0), *options, "--run-name", "a")
    assert codes(processes) == [0, 0], processes[0].err
    assert any(name == "eval/episodes" for _, _, name in numbers(folder, "a"))


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_process_that_dies_during_an_evaluation_ends_the_others(group, folder, slow, killed):
    options = ("--eval-interval", 1, "--eval-episodes", 100_000, "--run-name", "a")
    processes = group(2, "train", *slow(each=0.05), *options)
    processes[0].wait_for(lambda: events_of(folder / "runs/a/events.jsonl"))
    processes[killed].kill()
    assert processes[1 - killed].wait(60) == 1
    assert killed == 0 or "rank 0 lost another process while" in processes[0].err
