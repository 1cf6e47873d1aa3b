"""The earlier Cartpole PPO, in both forms of its files, becomes the reference graph."""

from pathlib import Path

import pytest

import nodes
from runtime.importing import import_workflow
from runtime.registry import discover
from runtime.validation import validate
from runtime.workflow import load_workflow, save_workflow

FIXTURES = Path(__file__).parents[2] / "fixtures" / "earlier_dnne"

CLASSES = {
    "1": "IsaacGymEnvNode",
    "2": "ORNode",
    "3": "PPOAgentNode",
    "4": "CartpoleActionNode",
    "5": "IsaacGymStepNode",
    "6": "PPOTrainerNode",
}
WIRES = {
    ("2", "input_a"): ["1", "observations"],
    ("2", "input_b"): ["5", "observations"],
    ("3", "observations"): ["2", "output"],
    ("4", "policy_output"): ["3", "policy_output"],
    ("5", "sim"): ["1", "sim"],
    ("5", "actions"): ["4", "actions"],
    ("5", "trigger"): ["6", "trigger"],
    ("6", "states"): ["2", "output"],
    ("6", "policy_outputs"): ["3", "policy_output"],
    ("6", "rewards"): ["5", "rewards"],
    ("6", "dones"): ["5", "dones"],
    ("6", "model"): ["3", "model"],
}
TRAINER = {
    "horizon_length": 16, "num_epochs": 4, "minibatch_size": 32, "gamma": 0.99, "gae_lambda": 0.95, "clip_param": 0.2,
    "value_coef": 0.5, "entropy_coef": 0.01, "learning_rate": 0.0003, "max_grad_norm": 0.5,
    "checkpoint_enabled": True, "checkpoint_trigger_type": "epoch", "checkpoint_trigger_value": "10",
}  # fmt: skip


def read(name):
    return import_workflow((FIXTURES / name).read_text(encoding="utf-8"), "Cartpole")


def wires(workflow):
    return {
        (node.id, name): value
        for node in workflow.nodes.values()
        for name, value in node.inputs.items()
        if isinstance(value, list) and all(isinstance(item, str) for item in value)
    }


def parameters(workflow, node_id):
    return {
        name: value for name, value in workflow.nodes[node_id].inputs.items() if (node_id, name) not in wires(workflow)
    }


def notes_of(result, node_id, name):
    return [note for note in result.notes if (note.node_id, note.name) == (node_id, name)]


@pytest.mark.parametrize("name", ["cartpole_ppo_api.json", "cartpole_ppo_ui.json"])
class TestBothForms:
    def test_wiring_is_the_reference_graph(self, name):
        workflow = read(name).workflow
        assert {node.id: node.class_type for node in workflow.nodes.values()} == CLASSES
        assert wires(workflow) == WIRES

    def test_parameters_come_over(self, name):
        workflow = read(name).workflow
        assert parameters(workflow, "6") == TRAINER
        assert parameters(workflow, "1") == {"task": "Cartpole", "num_envs": 64}
        agent = parameters(workflow, "3")
        assert (agent["hidden_sizes"], agent["activation"], agent["output_size"]) == ([64, 64], "elu", 1)

    def test_settings_of_the_run_are_noted_with_their_flag(self, name):
        result = read(name)
        assert "--device cuda" in notes_of(result, "1", "device")[0].remedy
        assert notes_of(result, "1", "headless")
        assert notes_of(result, "1", "physics_engine")[0].remedy == ""

    def test_result_survives_a_save(self, name, tmp_path):
        workflow = read(name).workflow
        save_workflow(workflow, tmp_path / "imported.json")
        assert load_workflow(tmp_path / "imported.json").nodes == workflow.nodes

    def test_result_is_valid(self, name):
        assert validate(read(name).workflow, discover([nodes])) == []


def test_weak_push_is_noted():
    (note,) = notes_of(read("cartpole_ppo_api.json"), "4", "max_push_effort")
    assert "2.5 %" in note.message
    assert "400" in note.remedy
    assert notes_of(read("cartpole_ppo_ui.json"), "4", "max_push_effort") == []


def test_visual_run_is_noted_only_where_it_was_one():
    assert notes_of(read("cartpole_ppo_api.json"), "1", "headless")[0].remedy == ""
    assert "--visual" in notes_of(read("cartpole_ppo_ui.json"), "1", "headless")[0].remedy


def test_learning_rate_of_the_agent_that_differs_is_noted():
    (same,) = notes_of(read("cartpole_ppo_api.json"), "3", "learning_rate")
    assert same.remedy == ""
    (other,) = notes_of(read("cartpole_ppo_ui.json"), "3", "learning_rate")
    assert "0.001" in other.message
    assert "0.0003" in other.message
    assert other.remedy


def test_titles_and_positions_are_kept():
    workflow = read("cartpole_ppo_ui.json").workflow
    assert workflow.nodes["5"].title == "Step"
    assert workflow.nodes["1"].position == (-269.75, -271.5)
    assert workflow.nodes["2"].position == (60, -90)
    assert read("cartpole_ppo_api.json").workflow.nodes["3"].title == "Agent"


def test_nodes_without_positions_do_not_lie_on_each_other():
    entries = read("cartpole_ppo_api.json").workflow.nodes.values()
    assert len({entry.position for entry in entries}) == len(entries)
    columns = [entry.position[0] for entry in entries]
    assert columns == sorted(columns)


def test_canvas_details_that_are_left_out_are_listed():
    result = read("cartpole_ppo_ui.json")
    assert "color, flags, order, properties, size" in notes_of(result, "", "nodes")[0].message
    assert "config, extra, last_link_id" in notes_of(result, "", "")[0].message


def test_groups_keep_title_colour_and_place():
    (group,) = read("cartpole_ppo_ui.json").workflow.groups
    assert (group["title"], group["colour"], group["bounding"]) == ("Policy", "#3f789e", [320, -130, 640, 260])


def test_comment_is_listed_with_its_text():
    result = read("cartpole_ppo_ui.json")
    assert "7" not in result.workflow.nodes
    assert "Lower the learning rate if the reward collapses." in notes_of(result, "7", "")[0].message


class TestRewardNode:
    """A workflow whose trainer reads CartpoleRewardNode, with a reroute, two constants and a muted print."""

    @pytest.fixture
    def result(self):
        return read("cartpole_reward_ui.json")

    def test_trainer_reads_the_step_node(self, result):
        assert result.workflow.nodes["17"].inputs["rewards"] == ["15", "rewards"]
        assert result.workflow.nodes["17"].inputs["dones"] == ["15", "dones"]
        (note,) = notes_of(result, "17", "reward")
        assert "16" in note.message
        assert "15" in note.message

    def test_reward_node_stays_as_a_placeholder(self, result):
        entry = result.workflow.nodes["16"]
        assert entry.class_type == "CartpoleRewardNode"
        assert entry.inputs == {"observations": ["15", "observations"], "reset_dist": 2, "invert_for_loss": True}
        assert "delete" in notes_of(result, "16", "")[0].remedy

    def test_reroute_keeps_its_place_on_the_wire(self, result):
        assert result.workflow.nodes["18"].class_type == "RerouteNode"
        assert result.workflow.nodes["18"].inputs == {"value": ["15", "observations"]}
        assert result.workflow.nodes["12"].inputs["input_b"] == ["18", "output"]

    def test_constants_are_written_into_the_parameters_that_they_fed(self, result):
        assert result.workflow.nodes["14"].inputs["max_push_effort"] == 200.0
        assert result.workflow.nodes["17"].inputs["gamma"] == 0.98
        assert "19" not in result.workflow.nodes
        assert result.workflow.nodes["20"].inputs == {"value": 0.98}
        assert any("link 16" in note.message for note in notes_of(result, "17", "gamma"))

    def test_muted_node_is_noted(self, result):
        assert "muted" in notes_of(result, "21", "mode")[0].message

    def test_loss_is_noted_where_it_became_metrics(self, result):
        assert result.workflow.nodes["21"].inputs["value"] == ["17", "metrics"]
        assert "metrics" in notes_of(result, "21", "value")[0].message

    def test_given_paths_are_noted(self, result):
        assert "/opt/isaacgym" in notes_of(result, "11", "isaac_gym_path")[0].message

    def test_only_the_placeholder_keeps_it_from_being_valid(self, result):
        problems = validate(result.workflow, discover([nodes]))
        assert [problem.node_id for problem in problems if problem.severity == "error"] == ["16"]


def test_supervised_nodes_stay_as_placeholders():
    result = read("mnist_ui.json")
    entries = result.workflow.nodes
    assert entries["42"].class_type == "LinearLayer"
    assert entries["42"].inputs == {"input": ["56", "layers"], "output_size": 10, "activation": "none"}
    assert entries["66"].inputs == {"predictions": ["56", "output"], "labels": ["50", "labels"]}
    assert entries["70"].inputs == {"value": ["66", "accuracy"]}
    assert entries["62"].extra["widgets_values"] == [0.01, 0.9, 0]
    assert "[0.01, 0.9, 0]" in notes_of(result, "62", "widgets_values")[0].message
    listed = {note.node_id for note in result.notes if "placeholder" in note.message}
    assert listed == {"37", "65", "50", "56", "42", "66", "62"}
