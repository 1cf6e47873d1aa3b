"""Episodes that never end: an evaluation gives them up, and says so."""

import json

import pytest

from nodes.envs import step
from runtime.simulators.episodes import LOOK_STEPS, EpisodeTracker
from runtime.simulators.tasks import catalogue
from tests.commands import ROOT, events_of, metrics_of, small_workflow, write_json

TASKS = """
import torch
from runtime.simulators.tasks import own_task
from runtime.simulators.tasks.cartpole import Cartpole


class Open(Cartpole):
    max_episode_length = 100_000_000


@own_task
class Endless(Open):
    '''Every episode goes on for ever.'''

    name = "Endless"

    def evaluate(self, state, observations=None):
        found = super().evaluate(state, observations)
        return found._replace(terminated=torch.zeros_like(found.terminated))


@own_task
class HalfEndless(Open):
    '''Every second environment goes on for ever; in groups of one, all come to an end.'''

    name = "HalfEndless"

    def evaluate(self, state, observations=None):
        found = super().evaluate(state, observations)
        terminated = found.terminated.clone()
        terminated[1::2] = False
        return found._replace(terminated=terminated)
"""


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch):
    monkeypatch.setattr(catalogue, "_own", {})


@pytest.fixture
def endless(dnne, folder):
    """The small workflow on a task without ends, with a checkpoint; returns the words that name them."""
    (folder / "tasks").mkdir()
    (folder / "tasks/endless.py").write_text(TASKS)
    assert dnne("train", write_json(folder / "w.json", small_workflow()), "iterations=1", "output_dir=ck").code == 0
    (run,) = (folder / "ck").iterdir()

    def words(task, num_envs=4):
        workflow = small_workflow()
        workflow["nodes"]["1"]["inputs"].update(task=task, simulator="torch", num_envs=num_envs)
        return write_json(folder / f"{task}.json", workflow), "--nodes-dir", "tasks", "--load-checkpoint-dir", run

    return words


LIMIT = ("--longest-episode", 300)


def test_an_inference_gives_up_and_counts_the_episodes_that_ended(dnne, folder, endless):
    outcome = dnne("infer", *endless("HalfEndless"), *LIMIT, "--episodes", 8, "--run-name", "a")
    assert outcome.code == 0, outcome.err
    text = "4 of 8 episodes have ended, and one goes on after 300 steps"
    assert f"warning: {text}; --longest-episode N allows more" in outcome.err
    assert f"Finished: {text}" in outcome.err
    metrics = metrics_of(events_of(folder / "runs/a/events.jsonl"))
    assert [value for key, value in metrics.items() if key[2] == "eval/episodes"] == [4.0]


def test_an_inference_without_any_end_fails(dnne, endless):
    outcome = dnne("infer", *endless("Endless"), *LIMIT, "--episodes", 8)
    assert outcome.code == 1
    assert "error: there is nothing to evaluate: 0 of 8 episodes have ended" in outcome.err


@pytest.mark.parametrize("parallel", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_evaluate_counts_what_ended_and_says_what_did_not(dnne, endless, parallel):
    words = ("--episodes", 6, "--json", "-", "--seeds", "0,1", "--parallel", parallel)
    outcome = dnne("evaluate", *endless("HalfEndless"), *LIMIT, *words)
    assert outcome.code == 0, outcome.err
    documents = json.loads(outcome.out)
    assert [(each["seed"], each["episodes"], each["unfinished"]) for each in documents] == [
        (0, 3, 3), (1, 3, 3), (None, 6, 6)
    ]  # fmt: skip
    assert all(length < 300 for each in documents[:2] for length in each["lengths"])
    assert outcome.err.count("3 episodes had not ended when one took 300 steps, and do not count beside the 3") == 2
    failed = dnne("evaluate", *endless("Endless"), *LIMIT, *words)
    assert failed.code == 2
    assert "seed 0: no episode has ended within 300 steps (--longest-episode N allows more)" in failed.err


def test_evaluations_during_a_training_are_bounded(dnne, folder, endless):
    options = ("iterations=4", "--eval-interval", 2, "--eval-episodes", 8, *LIMIT, "--run-name", "a")
    half = dnne("train", *endless("HalfEndless"), *options)
    assert half.code == 0, half.err
    assert half.err.count("warning: evaluation: 4 episodes had not ended when one took 300 steps") == 2
    metrics = metrics_of(events_of(folder / "runs/a/events.jsonl"))
    assert [value for key, value in metrics.items() if key[2] == "eval/episodes"] == [4.0, 4.0]


def test_a_training_goes_on_where_no_episode_of_its_evaluation_ended(dnne, folder, endless):
    options = ("iterations=4", "--eval-interval", 2, "--eval-episodes", 4, *LIMIT, "--run-name", "b")
    outcome = dnne("train", *endless("Endless"), *options)
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("4 episodes had not ended when one took 300 steps, and do not count beside the 0") == 2
    names = {key[2] for key in metrics_of(events_of(folder / "runs/b/events.jsonl"))}
    assert names
    assert not any(name.startswith("eval/") for name in names)


def test_without_the_option_a_default_bounds_what_has_no_limit_of_its_own(dnne, folder, endless, monkeypatch):
    monkeypatch.setattr(step, "LONGEST_EPISODE", 120)
    (folder / "tasks/endless.py").write_text(TASKS.replace("100_000_000", "330"))
    limited = dnne("infer", *endless("Endless"), "--episodes", 4)
    assert limited.code == 0, limited.err
    assert "mean episode length  330.0 steps" in limited.err

    gymnasium = pytest.importorskip("gymnasium")
    import numpy

    class Endless(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-1.0, 1.0, (4,))
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, seed=None, options=None):
            return numpy.zeros(4, numpy.float32), {}

        def step(self, action):
            return numpy.zeros(4, numpy.float32), 0.0, False, False, {}

    spec = gymnasium.envs.registration.EnvSpec("dnne/Endless-v0", Endless, disable_env_checker=True)
    monkeypatch.setitem(gymnasium.registry, spec.id, spec)
    workflow = json.loads((ROOT / "examples/gym_cartpole.json").read_text())
    workflow["nodes"]["1"]["inputs"].update(env_id="dnne/Endless-v0")
    path = write_json(folder / "gym.json", workflow)
    outcome = dnne("infer", path, "--untrained", "--episodes", 8)
    assert outcome.code == 1
    assert "0 of 8 episodes have ended, and one goes on after 120 steps" in outcome.err


def test_a_resumed_training_keeps_the_limit(dnne, folder, endless):
    options = ("iterations=2", "--eval-interval", 2, "--eval-episodes", 8, *LIMIT, "--run-name", "a")
    assert dnne("train", *endless("HalfEndless"), *options).code == 0
    outcome = dnne("train", "--resume", "runs/a", "--nodes-dir", "tasks", "iterations=4")
    assert outcome.code == 0, outcome.err
    assert "4 episodes had not ended when one took 300 steps" in outcome.err


def tracker(quota):
    import torch

    made = EpisodeTracker(2, "cpu")
    if quota:
        made.quota(quota)

    def take(*ended):
        made.add(torch.ones(2), torch.tensor(ended, dtype=torch.bool), {})

    return made, take


def test_an_episode_of_exactly_so_many_steps_is_welcome():
    made, take = tracker(2)
    for _ in range(4):
        take(False, False)
    assert not made.goes_on(5)
    take(True, True)
    assert not made.goes_on(5)


def test_an_episode_that_goes_on_is_found_whenever_it_began():
    made, take = tracker(4)
    for _ in range(3):
        take(True, True)  # more of both than count
    for _ in range(2 * LOOK_STEPS):
        take(False, False)
        assert not made.goes_on(5), "its episodes are no longer counted"
    made, take = tracker(4)
    take(True, False)
    found = []
    for steps in range(2, 400):
        take(False, True)
        if made.goes_on(150):
            found.append(steps)
    assert found[0] == 2 * LOOK_STEPS


def test_without_a_quota_nothing_is_given_up():
    made, take = tracker(0)
    for _ in range(200):
        take(False, False)
    assert not made.goes_on(100)
