"""Schedules over training, by hand, and when their values take effect."""

import pytest

from nodes.rl.curriculum import CurriculumNode
from runtime.specs import Spec
from tests.nodes.running import Session, findings, prepare, workflow_document

RANGES = {"start_position_range": [0.0, 1.0], "pole_length": [2.0, 1.0]}


def values_at(step, **values):
    options = {"parameters_over_training": RANGES, "start_step": 100, "end_step": 200, **values}
    node = prepare(CurriculumNode("7", options))
    node.context.progress.environment_steps = step
    return node.compute({})["task_parameters"]


@pytest.mark.parametrize(
    ("shape", "step", "share"),
    [
        ("linear", 0, 0.0), ("linear", 100, 0.0), ("linear", 125, 0.25), ("linear", 200, 1.0), ("linear", 10**9, 1.0),
        ("cosine", 100, 0.0), ("cosine", 125, 0.14644660940672624), ("cosine", 150, 0.5), ("cosine", 200, 1.0),
        ("stairs", 100, 0.0), ("stairs", 124, 0.0), ("stairs", 125, 0.25), ("stairs", 149, 0.25), ("stairs", 199, 0.75),
        ("stairs", 200, 1.0), ("stairs", 500, 1.0),
    ],
)  # fmt: skip
def test_shapes(shape, step, share):
    values = values_at(step, shape=shape, stairs=4)
    assert values["start_position_range"] == pytest.approx(share, abs=1e-12)
    assert values["pole_length"] == pytest.approx(2.0 - share, abs=1e-12)


def test_the_first_values_come_before_anything_fires():
    node = prepare(CurriculumNode("7", {"parameters_over_training": RANGES}))
    assert node.initial() == {"task_parameters": {"start_position_range": 0.0, "pole_length": 2.0}}


def test_metrics_tell_the_values_in_force():
    node = prepare(CurriculumNode("7", {"parameters_over_training": RANGES, "end_step": 100}))
    node.context.progress.environment_steps = 50
    assert node.collect_metrics() == {"curriculum/start_position_range": 0.5, "curriculum/pole_length": 1.5}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"parameters_over_training": {"a": [1.0]}},
         ("parameters_over_training", "'a' has 1 values", "give [first, last]")),
        ({"parameters_over_training": {}},
         ("parameters_over_training", "it names no task parameter", "give some by name, or remove the node")),
        ({"start_step": 300, "end_step": 300}, ("end_step", "300 is not after start_step 300", "let it be larger")),
    ],
)  # fmt: skip
def test_checks(values, expected):
    assert findings(CurriculumNode("7", values)) == [expected]


def test_names_are_known_before_the_run():
    node = CurriculumNode("7", {"parameters_over_training": RANGES})
    assert node.infer({}) == {"task_parameters": Spec(keys=("start_position_range", "pole_length"))}


@pytest.mark.parametrize("scheduler", ["static", "queues"])
def test_values_act_at_each_environments_next_reset(scheduler):
    """8 environments, 4 steps an iteration, so 32 steps; the pole's length goes from 1 to 2 over 160 steps."""
    document = workflow_document(n1={"desynchronise": False}, n5={"task_parameters": ["7", "task_parameters"]})
    document["nodes"]["7"] = {
        "class_type": "CurriculumNode",
        "inputs": {
            "metrics": ["6", "metrics"], "parameters_over_training": {"pole_length": [1.0, 2.0]}, "end_step": 160,
        },
    }  # fmt: skip
    seen = []

    def watch(graph):
        step = graph.nodes["5"]
        compute = step.compute

        def watched(sim, actions, task_parameters=None):
            before = sim.task_parameters()["pole_length"].clone()
            outputs = compute(sim, actions, task_parameters)
            after = sim.task_parameters()["pole_length"]
            ended = outputs["dones"].ended
            seen.append((task_parameters["pole_length"], before, after, ended))
            return outputs

        step.compute = watched

    session = Session(document, watch, iterations=40, scheduler=scheduler)
    assert session.schedule == scheduler
    assert [given for given, *_ in seen[:24]] == [1.0] * 4 + [1.2] * 4 + [1.4] * 4 + [1.6] * 4 + [1.8] * 4 + [2.0] * 4
    assert any(ended.any() for _, _, _, ended in seen) and any(not ended.all() for _, _, _, ended in seen)
    for given, before, after, ended in seen:
        assert after[ended].tolist() == pytest.approx([given] * int(ended.sum()))
        assert after[~ended].tolist() == before[~ended].tolist()
    assert [metrics["curriculum/pole_length"] for _, _, metrics in session.metrics[:6]] == pytest.approx(
        [1.2, 1.4, 1.6, 1.8, 2.0, 2.0]
    )
