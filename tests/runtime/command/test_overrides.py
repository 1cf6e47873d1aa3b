import pytest

import nodes
from runtime.command.overrides import Assignment, parse_assignment
from runtime.command.overrides import apply_overrides as apply_assignments
from runtime.registry import discover
from runtime.validation import build_graph
from runtime.workflow import load_workflow
from tests.commands import EXAMPLE, small_workflow, write_json

REGISTRY = discover([nodes])


def apply_overrides(graph, texts, num_envs):
    everywhere = [] if num_envs is None else [Assignment("", None, "num_envs", num_envs, False, "--num-envs")]
    return apply_assignments(graph, [*everywhere, *map(parse_assignment, texts)])


@pytest.fixture
def graph():
    return build_graph(load_workflow(EXAMPLE), REGISTRY)


@pytest.mark.parametrize(
    ("text", "node", "name", "value"),
    [
        ("6.gamma=0.5", "6", "gamma", 0.5),
        ("Trainer.gamma=1", "6", "gamma", 1.0),
        ("trainer.gamma=5e-1", "6", "gamma", 0.5),
        ("PPO Trainer.gamma=0.5", "6", "gamma", 0.5),
        ("PPOTrainerNode.gamma=0.5", "6", "gamma", 0.5),
        ("Agent.hidden_sizes=[3, 4]", "3", "hidden_sizes", [3, 4]),
        ("Agent.hidden_sizes=[]", "3", "hidden_sizes", []),
        ("Agent.activation=relu", "3", "activation", "relu"),
        ("Agent.normalize_observations=true", "3", "normalize_observations", True),
        ("Agent.normalize_observations=True", "3", "normalize_observations", True),
        ('Env.task_parameters={"start_position_range": 0.5}', "1", "task_parameters", {"start_position_range": 0.5}),
        ("Agent.checkpoint_trigger_value=7", "3", "checkpoint_trigger_value", "7"),
        ("Agent.checkpoint_trigger_value=max:a=b", "3", "checkpoint_trigger_value", "max:a=b"),
        ("Agent.input_size=auto", "3", "input_size", 0),
    ],
)
def test_values_are_set_in_their_types(graph, text, node, name, value):
    assert apply_overrides(graph, [text], None) == []
    found = getattr(graph.nodes[node], name)
    assert found == value
    assert type(found) is type(value)


def test_the_last_assignment_counts_and_num_envs_comes_first(graph):
    assert apply_overrides(graph, ["6.gamma=0.1", "6.gamma=0.2", "Env.num_envs=3"], 99) == []
    assert graph.nodes["6"].gamma == 0.2
    assert graph.nodes["1"].num_envs == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Trainer.gamma=NaN", "nan is not a finite number"),
        ("Trainer.gamma=Infinity", "inf is not a finite number"),
        ("Trainer.gamma=", "'' is not a number"),
        ("Trainer.gama=1", "unknown parameter 'gama'; did you mean 'gamma'?"),
        ("Agent.activation=elus", "'elus' is not allowed"),
        ("Agent.hidden_sizes=3", "3 is not a list of whole number"),
        ("Agent.normalize_observations=1", "1 is not true or false"),
        ("Nobody.gamma=1", "there is no node 'Nobody'"),
    ],
)
def test_a_wrong_value_is_a_problem_and_changes_nothing(graph, text, message):
    before = {node_id: node.parameter_values() for node_id, node in graph.nodes.items()}
    (problem,) = apply_overrides(graph, [text], None)
    assert f"--set {text}" in problem.text
    assert message in problem.text
    assert {node_id: node.parameter_values() for node_id, node in graph.nodes.items()} == before


def test_a_title_that_two_nodes_have_is_ambiguous(folder):
    workflow = small_workflow()
    workflow["nodes"]["4"]["title"] = "Agent"
    graph = build_graph(load_workflow(write_json(folder / "w.json", workflow)), REGISTRY)
    (problem,) = apply_overrides(graph, ["Agent.activation=relu"], None)
    assert "the nodes 3, 4 all match 'Agent'" in problem.text
    assert apply_overrides(graph, ["3.activation=relu"], None) == []


def test_num_envs_needs_an_environment(graph):
    del graph.nodes["1"]
    (problem,) = apply_overrides(graph, [], 4)
    assert problem.text == "workflow: --num-envs=4: no node of this workflow has environments"
