"""Evaluations during a training: what they report, and that they change no bit of it."""

import json

import pytest

from runtime.checkpoints import load_node_checkpoint
from tests.commands import USER_NODES, events_of, insert_node, metrics_of, small_workflow, write_json


@pytest.fixture
def train(dnne, folder, small):
    def run(*words, name, file="small.json"):
        outcome = dnne("train", file, "--run-name", name, "--iterations", 12, *words)
        assert outcome.code == 0, outcome.err
        return metrics_of(events_of(folder / "runs" / name / "events.jsonl"))

    return run


EVALUATED = ("--eval-interval", 4, "--eval-episodes", 6)


@pytest.mark.parametrize("scheduler", ["static", "queues"])
def test_evaluations_change_no_bit_of_the_training(train, scheduler):
    options = ("--scheduler", scheduler, "agent.normalize_observations=true")
    without, with_them = train(*options, name="a"), train(*options, *EVALUATED, name="b")
    evaluations = {key for key in with_them if key[2].startswith("eval/")}
    assert {key[0] for key in evaluations} == {4, 8, 12}
    assert {key: value for key, value in with_them.items() if key not in evaluations} == without


def test_evaluations_are_the_same_after_a_resume(train, dnne, folder):
    whole = train(*EVALUATED, name="a")
    assert dnne("train", "small.json", *EVALUATED, "--iterations", 6, "--run-name", "b").code == 0
    assert dnne("train", "--resume", "runs/b", "--iterations", 12).code == 0
    assert metrics_of(events_of(folder / "runs/b/events.jsonl")) == whole


def test_an_evaluation_measures_the_present_weights_as_evaluate_does(train, dnne, folder):
    from runtime.evaluation.episodes import derived_seed

    metrics = train("--eval-interval", 12, "--eval-episodes", 8, "--save-checkpoint-dir", "ck", "seed=2", name="a")
    # 4 environments: the evaluation plays two episodes in each; so does an inference with the same seed.
    words = ("--load-checkpoint-dir", "ck", "--episodes", 8, "--seed", derived_seed(2, "evaluation"))
    assert dnne("infer", "small.json", *words, "--run-name", "i").code == 0
    inferred = metrics_of(events_of(folder / "runs/i/events.jsonl"))
    for name in ("eval/mean_reward", "eval/std_reward", "eval/max_reward", "eval/mean_length", "eval/episodes"):
        (value,) = [value for key, value in inferred.items() if key[2] == name]
        assert metrics[12, 192, name] == pytest.approx(value, rel=1e-12)


def test_the_best_checkpoint_can_follow_the_evaluations(train):
    trigger = ("agent.checkpoint_trigger_type=best_metric", "agent.checkpoint_trigger_value=max:eval/mean_reward")
    metrics = train(*EVALUATED, *trigger, "--save-checkpoint-dir", "ck", "trainer.learning_rate=0.01", name="a")
    rewards = {key[0]: value for key, value in metrics.items() if key[2] == "eval/mean_reward"}
    best = max(rewards, key=lambda iteration: (rewards[iteration], -iteration))
    metadata = load_node_checkpoint("ck", "3", "best").metadata
    assert (metadata["iteration"], metadata["metric"]["value"]) == (best, rewards[best])


def test_the_summary_tells_of_the_last_evaluation_and_of_the_training(dnne, small, folder):
    outcome = dnne("train", small, *EVALUATED, "--iterations", 4, "--run-name", "a")
    assert "last evaluation" in outcome.err
    assert "iterations " in outcome.err
    assert json.loads((folder / "runs/a/run.json").read_text())["summary"]["evaluation"]["episodes"] == 6.0


def test_a_failing_evaluation_ends_the_training_with_its_message(dnne, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "FailsInInferenceNode", "5.rewards", "6")
    (folder / "nodes").mkdir()
    (folder / "nodes/fails.py").write_text(
        "from runtime.node import Node\nfrom runtime.ports import REWARDS, In, Out\n\n\n"
        "class FailsInInferenceNode(Node):\n    '''Raises in inference.'''\n\n    title = 'Fails'\n"
        "    value = In(REWARDS, 'r')\n"
        "    output = Out(REWARDS, 'r')\n\n    def compute(self, value):\n"
        "        if self.context.inference:\n            raise ValueError('not today')\n"
        "        return {'output': value}\n"
    )
    path = write_json(folder / "w.json", workflow)
    outcome = dnne("train", path, "--nodes-dir", "nodes", *EVALUATED, "--iterations", 8)
    assert outcome.code == 1
    assert "the evaluation after iteration 4 failed: node 9" in outcome.err
    assert "not today" in outcome.err


def test_a_signal_ends_training_and_evaluation(start, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6", seconds=0.02)
    path = write_json(folder / "w.json", workflow)
    options = ("--eval-interval", 1, "--eval-episodes", 1000)
    running = start("train", path, "--nodes-dir", USER_NODES, *options, "--run-name", "a", "--events", "events.jsonl")
    running.wait_for(lambda: events_of(folder / "events.jsonl"))
    import time

    time.sleep(0.5)
    running.send(15)
    assert running.wait(20) == 143
    assert "Finished: stopped by SIGTERM" in running.err
