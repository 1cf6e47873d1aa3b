"""Trained in one go, or cut, saved and resumed: the same bits, wherever the cut is and however the graph is run."""

import itertools
from typing import Any, Callable, Dict, List

import pytest
import torch

from runtime.checkpoints.resume import ResumeStore, read_resume_state
from runtime.graph import Graph
from tests.nodes.running import Session, assert_same_bits, workflow_document
from tests.nodes.test_schedules import DOCUMENTS

TOTAL = 960
PER_ITERATION = 8 * 4
"""Environment steps of an iteration: 8 environments, 4 steps."""


def cut_at_step(count: int) -> Callable[[Graph], None]:
    """Ask for the end once so many environment steps are done."""

    def adapt(graph: Graph) -> None:
        step: Any = graph.nodes["5"]
        compute = step.compute

        def counting(*arguments: Any, **inputs: Any) -> Dict[str, Any]:
            outputs = compute(*arguments, **inputs)
            if step.context.progress.environment_steps >= count:
                step.context.request_stop("cut")
            return outputs

        step.compute = counting

    return adapt


def cut_at_episode_end(number: int) -> Callable[[Graph], None]:
    """Ask for the end in the very step in which so many episodes have ended."""

    def adapt(graph: Graph) -> None:
        step: Any = graph.nodes["5"]
        compute, ended = step.compute, [0]

        def counting(*arguments: Any, **inputs: Any) -> Dict[str, Any]:
            outputs = compute(*arguments, **inputs)
            ended[0] += int(outputs["dones"].ended.sum())
            if ended[0] >= number:
                step.context.request_stop("cut")
            return outputs

        step.compute = counting

    return adapt


CUTS = {
    "at an iteration's end": cut_at_step(480),
    "in mid-rollout": cut_at_step(480 + 2 * 8),
    "after the first step": cut_at_step(8),
    "before an iteration's last step": cut_at_step(480 + 3 * 8),
    "after an episode's end": cut_at_episode_end(5),
}


@pytest.fixture(scope="module")
def whole():
    cache: Dict[Any, Session] = {}

    def get(name: str, **options: Any) -> Session:
        key = (name, tuple(sorted(options.items())))
        if key not in cache:
            cache[key] = Session(DOCUMENTS[name], total_timesteps=TOTAL, **options)
        return cache[key]

    return get


def resumed_sessions(document, tmp_path, cuts, first: Dict[str, Any], then: Dict[str, Any]) -> List[Session]:
    """A run in as many parts as there are cuts, and the last part."""
    store, state, sessions = ResumeStore(tmp_path), None, []
    for cut, options in zip([*cuts, None], itertools.chain([first], itertools.repeat(then))):
        sessions.append(
            Session(document, cut, total_timesteps=TOTAL, resume_store=store, resume_state=state, **options)
        )
        state = store.latest().state
    return sessions


def assert_goes_on(whole: Session, parts: List[Session]) -> None:
    together = [metrics for part in parts for metrics in part.metrics]
    for one, other in zip(together, whole.metrics):
        assert one == other
    assert len(together) == len(whole.metrics)
    assert all(torch.equal(one, other) for one, other in zip(parts[-1].parameters, whole.parameters))
    assert all(part.result.reason == "cut" for part in parts[:-1])
    assert parts[-1].result.reason == whole.result.reason
    ends = [part.metrics[-1][2].get("episode/count", 0) if part.metrics else 0 for part in parts]
    assert ends[-1] > max(ends[:-1]), "episodes ended after the cut"


@pytest.mark.parametrize("cut", list(CUTS))
@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_a_resumed_run_gives_the_bits_of_one_in_one_go(whole, tmp_path, name, cut):
    parts = resumed_sessions(DOCUMENTS[name], tmp_path, [CUTS[cut]], {}, {})
    assert parts[0].schedule == parts[1].schedule == "static"
    assert_goes_on(whole(name), parts)


@pytest.mark.parametrize(
    ("cut", "queue_size"), [("at an iteration's end", 8), ("in mid-rollout", 1), ("after an episode's end", 2)]
)
@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_in_queue_mode(whole, tmp_path, name, cut, queue_size):
    options = {"scheduler": "queues", "queue_size": queue_size}
    parts = resumed_sessions(DOCUMENTS[name], tmp_path, [CUTS[cut]], options, options)
    assert_goes_on(whole(name, **options), parts)


@pytest.mark.parametrize("name", list(DOCUMENTS))
@pytest.mark.parametrize(("first", "then"), [("static", "queues"), ("queues", "static")])
def test_a_run_may_be_resumed_the_other_way(whole, tmp_path, name, first, then):
    parts = resumed_sessions(
        DOCUMENTS[name], tmp_path, [CUTS["in mid-rollout"]], {"scheduler": first}, {"scheduler": then}
    )
    assert_goes_on(whole(name), parts)


@pytest.mark.parametrize("name", ["with transforms", "without trigger"])
def test_a_run_may_be_cut_many_times(whole, tmp_path, name):
    cuts = [cut_at_step(count) for count in (8, 16, 40, 64, 136, 520)]
    assert_goes_on(whole(name), resumed_sessions(DOCUMENTS[name], tmp_path, cuts, {}, {}))


def test_the_linear_learning_rate_goes_on(tmp_path):
    document = workflow_document(n6={"learning_rate_schedule": "linear"})
    parts = resumed_sessions(document, tmp_path, [CUTS["in mid-rollout"]], {}, {})
    assert_goes_on(Session(document, total_timesteps=TOTAL), parts)
    rates = [metrics["train/learning_rate"] for part in parts for _, _, metrics in part.metrics]
    assert rates == sorted(rates, reverse=True) and rates[-1] < 0.1 * rates[0]


def test_saving_states_on_the_way_changes_no_bit(tmp_path):
    store = ResumeStore(tmp_path)
    document = DOCUMENTS["with transforms"]
    session = Session(document, total_timesteps=320, resume_store=store, resume_interval=0.0)
    assert_same_bits(session, Session(document, total_timesteps=320))
    assert [entry.step for entry in store.entries()] == [320, 312]


def test_a_state_saved_on_the_way_is_as_good_as_one_at_the_end(whole, tmp_path):
    """As after a SIGKILL: the run went on past the state from which it is resumed."""
    name, store = "without trigger", ResumeStore(tmp_path)
    first = Session(DOCUMENTS[name], cut_at_step(250), total_timesteps=TOTAL, resume_store=store, resume_interval=0.0)
    saved = read_resume_state(store.entries()[-1])
    assert saved.step < first.result.environment_steps
    rest = Session(DOCUMENTS[name], total_timesteps=TOTAL, resume_state=saved.state)
    assert len(rest.metrics) > 10
    assert rest.metrics == whole(name).metrics[-len(rest.metrics) :]


def test_the_first_part_differs_from_the_second_so_that_the_comparison_means_something(whole):
    values = [metrics["train/policy_loss"] for _, _, metrics in whole("reference").metrics]
    assert len(set(values)) == len(values) == TOTAL // PER_ITERATION
