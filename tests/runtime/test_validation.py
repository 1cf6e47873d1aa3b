"""Validation finds every problem of a workflow at once, and names node, port and remedy."""

import copy
import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

import nodes
from runtime.node import Node
from runtime.parameters import param
from runtime.ports import ANY, HELD, OBSERVATIONS, TRIGGER, In, Out
from runtime.registry import discover
from runtime.validation import ERROR, WARNING, InvalidWorkflow, Problem, build_graph, check_workflow, validate
from runtime.workflow import workflow_from_dict

EXAMPLE = json.loads((Path(__file__).parents[2] / "examples" / "cartpole_ppo.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def registry():
    return discover([nodes])


def reference(**inputs: Dict[str, Any]) -> dict:
    """The reference workflow with inputs of nodes changed: ``reference(n6={"gamma": 2})``."""
    document = copy.deepcopy(EXAMPLE)
    for key, changes in inputs.items():
        entry = document["nodes"].setdefault(key[1:], {"class_type": changes.get("class_type"), "inputs": {}})
        for name, value in changes.items():
            if name == "class_type":
                entry["class_type"] = value
            elif value is None:
                del entry["inputs"][name]
            else:
                entry["inputs"][name] = value
    return document


def problems(registry, document) -> List[Problem]:
    return validate(workflow_from_dict(document), registry)


def the_problem(registry, document) -> Problem:
    found = problems(registry, document)
    assert len(found) == 1, "\n".join(problem.text for problem in found)
    return found[0]


def test_the_reference_workflow_is_valid(registry):
    assert problems(registry, EXAMPLE) == []
    graph = build_graph(workflow_from_dict(EXAMPLE), registry)
    assert graph.nodes["3"].input_specs["observations"].shape == (64, 4)
    assert graph.nodes["5"].connected >= {"sim", "actions", "trigger", "observations", "rewards", "dones"}


def test_every_problem_at_once(registry):
    document = reference(
        n9={"class_type": "PPOAgntNode"},
        n6={"gama": 0.9, "gamma": 1.5, "dones": ["99", "dones"], "rewards": [["5", "rewards"], ["10", "shaped"]]},
        n3={"hidden_sizes": "64,64", "input_size": 7},
        n10={"class_type": "RewardShaperNode"},
        n11={"class_type": "CartpoleActionNode", "policy_output": ["5", "rewards"]},
        n12={"class_type": "RewardShaperNode", "rewards": ["5", "reward"]},
        n13={"class_type": "PrintNode", "value": 3},
        n14={"class_type": "RerouteNode", "value": ["15", "output"]},
        n15={"class_type": "RerouteNode", "value": ["14", "output"]},
        n16={"class_type": "CheckpointSaverNode", "model": ["3", "model"]},
    )
    found = problems(registry, document)
    assert {(problem.node_id, problem.port) for problem in found} == {
        ("9", ""), ("6", "gama"), ("6", "gamma"), ("6", "dones"), ("6", "rewards"), ("3", "hidden_sizes"),
        ("3", "input_size"), ("10", "rewards"), ("11", "policy_output"), ("12", "rewards"), ("13", "value"), ("15", ""),
        ("16", "checkpoint_enabled"),
    }  # fmt: skip
    assert len(found) == 13, "each once, and no consequence of another"
    assert all(problem.message and problem.severity == ERROR for problem in found)
    with pytest.raises(InvalidWorkflow) as caught:
        build_graph(workflow_from_dict(document), registry)
    assert caught.value.problems == found
    lines = str(caught.value).splitlines()
    assert lines[0] == "13 problems in the workflow:" and len(lines) == 14
    assert (
        "  node 3 (Agent), input_size: it is 7, but the observations are float32 (64, 4); set 4, or 0 to infer" in lines
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        # types, parameters and ports
        ({"n7": {"class_type": "RewrdShaperNode"}},
         "node 7 (RewrdShaperNode): unknown node type 'RewrdShaperNode'; did you mean 'RewardShaperNode'?"),
        ({"n6": {"horizon_lenght": 8}},
         "node 6 (Trainer), horizon_lenght: unknown parameter 'horizon_lenght'; did you mean 'horizon_length'?"),
        ({"n2": {"flavour": 8}},
         "node 2 (OR), flavour: unknown parameter 'flavour'; it has input_a, input_b, input_c, input_d"),
        ({"n6": {"infos": ["5", "info"]}}, "node 6 (Trainer), infos: unknown input port 'infos'"),
        ({"n6": {"gamma": "much"}}, "node 6 (Trainer), gamma: 'much' is not a number; allowed: 0 to 1"),
        ({"n6": {"gamma": -0.1}}, "node 6 (Trainer), gamma: -0.1 is out of range; allowed: 0 to 1"),
        ({"n1": {"num_envs": 0}}, "node 1 (Env), num_envs: 0 is out of range; allowed: 1 to 1000000"),
        ({"n3": {"activation": "rely"}}, "node 3 (Agent), activation: 'rely' is not allowed; allowed: one of 'elu'"),
        ({"n6": {"state": ["2", "output"]}},
         "node 6 (Trainer), states: it is given twice, also by the name 'state'; keep 'states'"),
        ({"n6": {"epochs": 3}}, "node 6 (Trainer), num_epochs: it is given twice, also by the name 'epochs'"),
        ({"n6": {"checkpoint_trigger_type": "time", "checkpoint_trigger_value": "5mXYZ"}},
         "node 6 (Trainer), checkpoint_trigger_value: "),
        # wires
        ({"n6": {"dones": ["9", "dones"]}},
         "node 6 (Trainer), dones: it is linked to node '9', which does not exist; there are 1, 2, 3, 4, 5, 6"),
        ({"n6": {"dones": ["5", "dnes"]}},
         "node 6 (Trainer), dones: node 5 (Step) has no output 'dnes'; did you mean 'dones'?; its outputs are obs"),
        ({"n6": {"dones": None}}, "node 6 (Trainer), dones: the input is not connected; link an output of type Dones"),
        ({"n6": {"dones": 5}}, "node 6 (Trainer), dones: an input port cannot hold the value 5;"),
        ({"n6": {"rewards": [["5", "rewards"], ["5", "rewards"]]}},
         "node 6 (Trainer), rewards: it has 2 writers; an input has one; wire them to an ORNode and its output here"),
        ({"n6": {"rewards": ["5", "info"]}},
         "node 6 (Trainer), rewards: it takes Rewards, but 5 (Step).info gives Info; link an output of type Rewards"),
        ({"n6": {"states": ["8", "output"]}, "n7": {"class_type": "RerouteNode", "value": ["5", "info"]},
          "n8": {"class_type": "RerouteNode", "value": ["7", "output"]}},
         "node 6 (Trainer), states: it takes Observations, but 8 (Reroute).output gives Info"),
        ({"n6": {"states": ["8", "output"]}, "n8": {"class_type": "ORNode", "input_c": ["5", "dones"]}},
         "node 6 (Trainer), states: it takes Observations, but 8 (OR).output gives Dones"),
        ({"n8": {"class_type": "ORNode", "input_a": ["5", "rewards"], "input_c": ["5", "dones"]}},
         "node 8 (OR), input_c: it gets Dones, but input_a gets Rewards; join values of one type"),
        ({"n8": {"class_type": "ORNode"}}, "node 8 (OR): no input is connected; connect at least one"),
        # constants
        ({"n6": {"gamma": ["7", "output"]}, "n7": {"class_type": "FloatConstant", "value": 1.5}},
         "node 6 (Trainer), gamma: 1.5 is out of range; allowed: 0 to 1"),
        ({"n6": {"gamma": ["7", "number"]}, "n7": {"class_type": "FloatConstantNode", "value": 0.5}},
         "node 6 (Trainer), gamma: node 7 (FloatConstantNode) has no output 'number'; its outputs are output"),
        ({"n6": {"gamma": ["5", "rewards"]}},
         "node 6 (Trainer), gamma: node 5 (Step) is no constant; link a constant to a parameter"),
        ({"n6": {"gamma": ["77", "output"]}},
         "node 6 (Trainer), gamma: it is linked to node '77', which does not exist; there are 1, 2, 3, 4, 5, 6"),
        # sizes
        ({"n3": {"input_size": 5}},
         "node 3 (Agent), input_size: it is 5, but the observations are float32 (64, 4); set 4, or 0 to infer"),
        ({"n3": {"output_size": 2}}, "node 3 (Agent), output_size: it is 2, but Cartpole takes 1; set 1"),
        ({"n6": {"num_minibatches": 5}}, "node 6 (Trainer), num_minibatches: "),
        ({"n6": {"minibatch_size": 100}}, "node 6 (Trainer), minibatch_size: "),
        ({"n1": {"task": "Cartpool"}}, "node 1 (Env), task: "),
        ({"n1": {"task_parameters": {"poles": 2.0}}},
         "node 1 (Env), task_parameters: Cartpole has no task parameter 'poles'; did you mean 'pole_mass'?"),
        ({"n3": {"normalize_observations": True, "cnn": "on"}},
         "node 3 (Agent), cnn: it takes images (N, C, H, W), but the observations are float32 (64, 4); set auto"),
        ({"n5": {"task_parameters": ["7", "task_parameters"]},
          "n7": {"class_type": "CurriculumNode", "metrics": ["6", "metrics"],
                 "parameters_over_training": {"pole_lenght": [1.0, 2.0]}}},
         "node 5 (Step), task_parameters: Cartpole has no task parameter 'pole_lenght'; did you mean 'pole_length'?"),
        ({"n7": {"class_type": "RewardShaperNode", "rewards": ["5", "rewards"], "info": ["5", "info"],
                 "weights": {"style": 2.0}}},
         "node 7 (Reward Shaper), weights: Cartpole has no reward component 'style'; it has upright"),
        ({"n7": {"class_type": "RewardShaperNode", "rewards": ["5", "rewards"], "weights": {"upright": 2.0}}},
         "node 7 (Reward Shaper), info: weights need the reward components; link the info output of Step"),
        # savers and loaders
        ({"n7": {"class_type": "CheckpointSaverNode", "model": ["3", "model"]}},
         "node 7 (Checkpoint Saver), checkpoint_enabled: it saves the state of node 3 (Agent), which that node"),
        ({"n3": {"checkpoint_enabled": False}, "n7": {"class_type": "CheckpointSaverNode", "model": ["8", "loaded"]},
          "n8": {"class_type": "CheckpointLoaderNode", "model": ["3", "model"]},
          "n9": {"class_type": "CheckpointSaverNode", "model": ["3", "model"]}},
         "node 9 (Checkpoint Saver), checkpoint_enabled: it saves the state of node 3 (Agent), which node 7"),
        ({"n8": {"class_type": "CheckpointLoaderNode", "model": ["3", "model"]},
          "n9": {"class_type": "CheckpointLoaderNode", "model": ["3", "model"]}},
         "node 9 (Checkpoint Loader), model: it loads node 3 (Agent), which node 8 (Checkpoint Loader) loads, too"),
    ],
)  # fmt: skip
def test_each_problem_alone(registry, changes, text):
    problem = the_problem(registry, reference(**changes))
    assert problem.text.startswith(text)
    assert problem.severity == ERROR


def test_renamed_ports_parameters_and_types_still_open(registry):
    document = reference(
        n6={"states": None, "state": ["2", "output"], "num_epochs": None, "epochs": 3, "policy_outputs": None,
            "policy_output": ["3", "policy_output"]},
        n5={"trigger": ["6", "training_complete"], "sim": None, "sim_handle": ["1", "sim_handle"]},
        n2={"input_b": ["5", "next_observations"]},
        n7={"class_type": "PrintValue", "value": ["5", "done"]},
    )  # fmt: skip
    assert problems(registry, document) == []
    graph = build_graph(workflow_from_dict(document), registry)
    assert graph.nodes["6"].num_epochs == 3
    assert graph.link_into("5", "trigger").source_port == "trigger"
    assert graph.link_into("2", "input_b").source_port == "observations"


def test_a_constant_may_feed_parameters_and_their_own_default_counts(registry):
    document = reference(
        n6={"gamma": ["7", "value"], "num_epochs": ["8", "output"], "entropy_coef": ["9", "output"]},
        n7={"class_type": "FloatConstant", "value": 0.5},
        n8={"class_type": "IntConstantNode", "value": 2},
        n9={"class_type": "FloatConstantNode"},
    )
    graph = build_graph(workflow_from_dict(document), registry)
    trainer = graph.nodes["6"]
    assert (trainer.gamma, trainer.num_epochs, trainer.entropy_coef) == (0.5, 2, 0.0)


def test_auto_sizes_are_inferred(registry):
    for size in (0, "auto", 4):
        assert problems(registry, reference(n3={"input_size": size, "output_size": "auto"})) == []


TRANSFORMED = {
    "n7": {"class_type": "FrameStackNode", "observations": ["2", "output"], "dones": ["5", "dones"], "frames": 3},
    "n3": {"observations": ["7", "stacked"]},
    "n6": {"states": ["7", "stacked"], "dones": ["7", "stacked_dones"]},
}


def test_a_frame_stack_on_both_sides_is_fine_and_changes_the_sizes(registry):
    document = reference(**TRANSFORMED)
    assert problems(registry, document) == []
    assert build_graph(workflow_from_dict(document), registry).nodes["3"].input_specs["observations"].shape == (64, 12)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n6": {"dones": ["5", "dones"]}},
         [("6", "dones", "the observations went through FrameStackNode 7, the final observations in dones through")]),
        ({"n6": {"states": ["2", "output"], "dones": ["5", "dones"]}},
         [("6", "states", "they went through no transform, but what the policy saw through FrameStackNode 7")]),
        ({"n7": {"dones": None}},
         [("7", "dones", "the input is not connected")]),
        ({"n2": {"input_b": ["7", "stacked"]}, "n7": {"observations": ["5", "observations"]}},
         [("2", "input_b", "it is float32 (64, 12), but input_a is float32 (64, 4)")]),
    ],
)  # fmt: skip
def test_a_transform_of_one_side_only(registry, changes, expected):
    document = reference(**TRANSFORMED)
    for key, inputs in changes.items():
        entry = document["nodes"][key[1:]]["inputs"]
        for name, value in inputs.items():
            if value is None:
                del entry[name]
            else:
                entry[name] = value
    found = [(problem.node_id, problem.port, problem.message) for problem in problems(registry, document)]
    for node_id, port, message in expected:
        assert any(
            found_id == node_id and found_port == port and text.startswith(message)
            for found_id, found_port, text in found
        ), found


def test_frames_need_an_axis(registry):
    problem = problems(
        registry,
        reference(n7={"class_type": "FrameStackNode", "observations": ["5", "rewards"], "dones": ["5", "dones"]}),
    )[0]
    assert problem.text.startswith("node 7 (Frame Stack), observations: it takes Observations, but 5 (Step).rewards")


def test_actions_of_the_wrong_size(registry):
    document = reference()
    found = problems(registry, document)
    assert found == []
    graph, _ = check_workflow(workflow_from_dict(document), registry)
    action = graph.nodes["4"]
    from runtime.specs import Spec

    assert list(action.check({"policy_output": Spec((64, 2), "float32")})) == [
        ("policy_output", "its actions are float32 (64, 2)", "Cartpole takes (N, 1)")
    ]


# Rings and firing


def test_a_cycle_without_an_or_node_is_named_as_a_ring(registry):
    problem = the_problem(
        registry,
        reference(
            n3={"observations": ["5", "observations"]},
            n6={"states": ["5", "observations"]},
            n2={"input_b": ["1", "observations"]},
        ),
    )
    start, _, ring = problem.message.partition(": ")
    assert start == "a cycle without an OR node can never start"
    names = ring.split(" → ")
    assert names[0] == names[-1] and sorted(names[1:]) == ["3 (Agent)", "4 (Action)", "5 (Step)"]
    assert names[names.index("3 (Agent)") + 1] in ("4 (Action)",), "in the direction in which values would flow"
    assert problem.remedy == "let an ORNode take the first value and the one that comes round"


def test_a_ring_that_no_value_enters(registry):
    document = reference(n2={"input_a": None})
    problem = the_problem(registry, document)
    assert problem.severity == ERROR
    assert problem.message.startswith("no value ever enters this ring, so that it never starts: ")
    for name in ("2 (OR)", "3 (Agent)", "4 (Action)", "5 (Step)"):
        assert name in problem.message


def test_the_deadlock_of_a_trigger_that_comes_too_late(registry):
    class LateStepNode(Node):
        """Gives its reward only after the trigger, as an earlier Step did."""

        title = "Late Step"
        sim = In(ANY, "The simulation", kind=HELD)
        actions = In(ANY, "Actions")
        trigger = In(TRIGGER, "Releases")
        observations = Out(OBSERVATIONS, "Next", on_release=True)
        rewards = Out(ANY, "Too late", on_release=True)
        dones = Out(ANY, "At once")
        info = Out(ANY, "At once")

        def compute(self, sim: Any, actions: Any) -> Dict[str, Any]:
            return {}

        def release(self) -> Dict[str, Any]:
            return {}

        def infer(self, inputs):
            from runtime.specs import Spec

            return {"observations": Spec((64, 4), "float32", inputs["sim"].task), "rewards": Spec((64,))}

    registry = discover([nodes])
    registry.add(LateStepNode, "here")
    problem = the_problem(registry, reference(n5={"class_type": "LateStepNode"}))
    assert "deadlock after" in problem.message
    assert "node 5 (Step) waits at its input 'trigger' for node 6 (Trainer), port 'trigger'" in problem.message
    assert "node 6 (Trainer) waits at its input 'rewards' for node 5 (Step), port 'rewards'" in problem.message


def test_a_graph_that_needs_larger_queues_is_a_warning(registry):
    """A branch takes rewards every step and metrics every fourth: with two values per wire the rewards block Step."""

    class CompareNode(Node):
        """Takes rewards as they come, once there are metrics."""

        title = "Compare"
        rewards = In(ANY, "Each step")
        metrics = In(ANY, "Each iteration", kind=HELD)

        def compute(self, rewards: Any, metrics: Any) -> None: ...

    registry = discover([nodes])
    registry.add(CompareNode, "here")
    document = reference(
        n6={"horizon_length": 4},
        n7={"class_type": "CompareNode", "rewards": ["5", "rewards"], "metrics": ["6", "metrics"]},
    )
    problem = the_problem(registry, document)
    assert problem.severity == WARNING
    assert (
        "node 5 (Step) waits to write 'rewards': the queue of node 7 (Compare), port 'rewards', is full"
        in problem.message
    )
    assert problem.message.endswith("A branch that holds values back may need more room than 2 per wire.")
    assert problem.remedy == "run it with a larger queue size"


def test_a_node_that_never_fires_is_a_warning_with_its_port(registry):
    class QuietNode(Node):
        """Never gives anything."""

        title = "Quiet"
        trigger_in = In(TRIGGER, "Releases")
        output = Out(ANY, "Only when triggered", on_release=True)

        def compute(self) -> None: ...

        def release(self) -> Dict[str, Any]:
            return {"output": 1}

    class NeverNode(Node):
        """Has an output that is never emitted."""

        title = "Never"
        value = In(ANY, "A value")
        output = Out(ANY, "Nothing comes")

        def emits_every(self, port: str) -> int:
            return 0

        def compute(self, value: Any) -> None: ...

    registry = discover([nodes])
    registry.add(NeverNode, "here")
    document = reference(
        n7={"class_type": "NeverNode", "value": ["5", "rewards"]},
        n8={"class_type": "PrintNode", "value": ["7", "output"]},
    )
    problem = the_problem(registry, document)
    assert (problem.severity, problem.node_id, problem.port) == (WARNING, "8", "value")
    assert problem.message == (
        "the node never fires: node 8 (Print) waits at its input 'value' for node 7 (Never), port 'output', which "
        "sends nothing there"
    )
    build_graph(workflow_from_dict(document), registry)


# Checks of a stranger's node type


@pytest.mark.parametrize("method", ["infer", "check"])
def test_a_node_type_whose_check_fails_is_a_problem_and_not_a_crash(method):
    class FailingNode(Node):
        """Fails."""

        title = "Failing"
        value = In(ANY, "A value")
        output = Out(ANY, "A value")
        gain: float = param(1.0, doc="Gain")

        def compute(self, value: Any) -> None: ...

    setattr(FailingNode, method, lambda self, inputs: inputs["value"].shape[7])
    registry = discover([nodes])
    registry.add(FailingNode, "here")
    problem = the_problem(registry, reference(n7={"class_type": "FailingNode", "value": ["5", "rewards"]}))
    assert problem.text == (
        "node 7 (Failing): its sizes cannot be checked: IndexError: tuple index out of range; mend the node type"
    )


def test_a_type_that_did_not_load_says_why(tmp_path):
    (tmp_path / "mine.py").write_text("import no_such_library")
    registry = discover([nodes], [tmp_path])
    problem = the_problem(registry, reference(n7={"class_type": "MineNode"}))
    assert "not loaded: " in problem.message and "No module named 'no_such_library'" in problem.message


def test_an_empty_workflow(registry):
    problem = the_problem(registry, {"dnne_workflow": 1, "nodes": {}})
    assert problem.text == "workflow: it has no nodes; add an environment, an agent and a trainer"


def test_parameters_may_be_adjusted_before_sizes_are_checked(registry):
    def adjust(graph):
        graph.nodes["3"].set_parameter("input_size", 9)
        return [Problem("", "", "no node 'x'")]

    _, found = check_workflow(workflow_from_dict(EXAMPLE), registry, adjust)
    assert [(problem.node_id, problem.port) for problem in found] == [("", ""), ("3", "input_size")]


def test_the_document_is_not_changed(registry):
    document = reference(n6={"gamma": 7})
    workflow = workflow_from_dict(document)
    before = copy.deepcopy(workflow)
    validate(workflow, registry)
    assert workflow == before


def test_a_step_that_does_not_wait_for_the_trainer_is_a_warning(registry):
    problem = the_problem(registry, reference(n5={"trigger": None}))
    assert (problem.severity, problem.node_id, problem.port) == (WARNING, "5", "trigger")
    assert (
        "it does not wait for node 6 (Trainer): the policy may act on weights that are about to change"
        in problem.message
    )
    assert problem.remedy == "link the trigger of node 6 (Trainer)"
