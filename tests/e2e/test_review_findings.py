"""Ways in which a run once went wrong without a word: each must be refused, said, or leave the bits alone."""

import json
from pathlib import Path

import pytest

import nodes
from runtime.command.overrides import apply_overrides, parse_assignment
from runtime.errors import DeadlockError, NodeFailure
from runtime.events import Metrics
from runtime.node import Node
from runtime.registry import discover
from runtime.run import Run, RunSettings
from runtime.scheduler.control import RunControl
from runtime.validation import build_graph, validate
from runtime.workflow import workflow_from_dict

EXAMPLES = Path(__file__).parents[2] / "examples"


class LeaverNode(Node):
    """Leaves the interpreter."""

    title = "Leaver"

    def compute(self):
        """Exit as a careless library does."""
        raise SystemExit(0)


def document(name="cartpole_ppo", num_envs=4, horizon=4):
    data = json.loads((EXAMPLES / f"{name}.json").read_text())
    data["nodes"]["1"]["inputs"]["num_envs"] = num_envs
    data["nodes"]["6"]["inputs"].update(horizon_length=horizon, learning_rate_schedule="fixed")
    return data


def run(data, iterations=6, adjust=None, registry=None, **options):
    seen = []

    def sink(event):
        if isinstance(event, Metrics):
            numbers = {name: value for name, value in event.values.items() if not name.startswith("time/")}
            seen.append((event.step, event.iteration, numbers))

    graph = build_graph(workflow_from_dict(data), registry or discover([nodes]), adjust)
    Run(graph, RunSettings(iterations=iterations, **options), sinks=[sink]).execute()
    return seen


def test_a_cycle_that_comes_to_rest_in_mid_rollout_is_a_deadlock():
    data = document()
    data["nodes"]["2"]["muted"] = True
    data["nodes"]["2"]["inputs"] = {"input_a": ["1", "observations"]}
    with pytest.raises(DeadlockError, match=r"6 \(Trainer\)"):
        run(data)


def test_a_node_that_exits_the_interpreter_fails_the_run():
    registry = discover([nodes])
    registry.add(LeaverNode, "here")
    data = document()
    data["nodes"]["9"] = {"class_type": "LeaverNode", "inputs": {}}
    with pytest.raises(NodeFailure, match="node 9"):
        run(data, registry=registry)


@pytest.mark.parametrize("scheduler", ["static", "queues"])
def test_prints_on_the_way_to_a_held_input_change_no_bit(scheduler):
    plain = document("cartpole_curriculum")
    printed = document("cartpole_curriculum")
    source = ["6", "metrics"]
    for number in range(20, 29):
        printed["nodes"][str(number)] = {"class_type": "PrintNode", "inputs": {"value": source, "every": 1000}}
        source = [str(number), "output"]
    printed["nodes"]["7"]["inputs"]["metrics"] = source
    assert run(plain, 8, scheduler=scheduler) == run(printed, 8, scheduler=scheduler)


def test_setting_a_constant_sets_what_is_linked_to_it():
    data = document()
    data["nodes"]["9"] = {"class_type": "FloatConstantNode", "title": "LR", "inputs": {"value": 0.001}}
    data["nodes"]["6"]["inputs"]["learning_rate"] = ["9", "output"]
    seen = run(data, 1, lambda graph: apply_overrides(graph, [parse_assignment("LR.value=0.0005")]))
    assert seen[0][2]["train/learning_rate"] == 0.0005
    problems = []
    wanted = [parse_assignment("Trainer.learning_rate=0.1")]
    build_graph(
        workflow_from_dict(data), discover([nodes]), lambda graph: problems.extend(apply_overrides(graph, wanted)) or []
    )
    assert [problem.port for problem in problems] == ["learning_rate"]
    assert "constant 9" in problems[0].message


@pytest.mark.parametrize("copied", ["5", "6"])
def test_a_second_step_or_trainer_is_refused(copied):
    data = document()
    data["nodes"]["20"] = data["nodes"][copied]
    assert [problem.node_id for problem in validate(workflow_from_dict(data), discover([nodes]))] == ["20"]


def test_a_live_edit_survives_a_resume(tmp_path):
    from runtime.checkpoints import ResumeStore

    store, control = ResumeStore(tmp_path), RunControl()
    registry = discover([nodes])

    def edit(event):
        if isinstance(event, Metrics) and event.iteration == 1:
            control.edit("6", "learning_rate", 0.005)

    graph = build_graph(workflow_from_dict(document()), registry)
    Run(graph, RunSettings(iterations=3), sinks=[edit], control=control, resume_store=store).execute()
    rates = []
    graph = build_graph(workflow_from_dict(document()), registry)
    Run(
        graph, RunSettings(iterations=4), resume_state=store.latest().state,
        sinks=[lambda event: rates.append(event.values["train/learning_rate"]) if isinstance(event, Metrics) else None],
    ).execute()  # fmt: skip
    assert rates == [0.005]
