"""Links, values and names of the API form."""

import json

import pytest

from runtime.importing import import_workflow


def read(nodes):
    return import_workflow(json.dumps(nodes), "Test")


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def notes_of(result, node_id, name):
    return [note for note in result.notes if (note.node_id, note.name) == (node_id, name)]


def test_later_names_are_read_too():
    result = read(
        {
            "2": node("ORNode"),
            "3": node("PPOAgentNode", observations=["2", "output"], input_size=4, output_size=1, hidden_sizes=[64, 32]),
            "5": node("IsaacGymStepNode", sim=["1", "sim"]),
            "6": node("PPOTrainerNode", states=["2", 0], rewards=["5", "rewards"], dones=["5", "dones"], epochs=7),
        }
    )
    assert result.workflow.nodes["3"].inputs == {
        "observations": ["2", "output"],
        "hidden_sizes": [64, 32],
        "output_size": 1,
        "input_size": 4,
    }
    trainer = result.workflow.nodes["6"].inputs
    assert trainer == {"states": ["2", "output"], "rewards": ["5", "rewards"], "dones": ["5", "dones"], "num_epochs": 7}


def test_links_by_slot_and_by_name_are_the_same():
    by_slot = read({"5": node("IsaacGymStepNode"), "6": node("PPOTrainerNode", done=["5", 2])})
    by_name = read({"5": node("IsaacGymStepNode"), "6": node("PPOTrainerNode", done=["5", "done"])})
    assert by_slot.workflow.nodes["6"].inputs == by_name.workflow.nodes["6"].inputs == {"dones": ["5", "dones"]}


def test_both_observations_of_the_earlier_step_are_the_present_ones():
    result = read({"5": node("IsaacGymStepNode"), "2": node("ORNode", input_a=["5", 0], input_b=["5", 4])})
    assert result.workflow.nodes["2"].inputs == {"input_a": ["5", "observations"]}
    assert "second time" in notes_of(result, "2", "input_b")[0].message


@pytest.mark.parametrize(
    "value", [["from_or_node"], "from_or_node", None, 5, [], {"link": 1}, ["2", 0, 0], ["2", True]]
)
def test_what_is_no_link_on_a_port_is_noted(value):
    result = read({"2": node("ORNode"), "3": node("PPOAgentNode", observations=value)})
    assert result.workflow.nodes["3"].inputs == {}
    assert notes_of(result, "3", "observations")


@pytest.mark.parametrize("value", [["99", 0], ["2", 9], ["2", "nothing"], ["2", -1]])
def test_link_to_nowhere_is_noted(value):
    result = read({"2": node("ORNode"), "3": node("PPOAgentNode", observations=value)})
    assert result.workflow.nodes["3"].inputs == {}
    (note,) = notes_of(result, "3", "observations")
    assert note.remedy


def test_misspelt_name_is_noted_with_the_close_match():
    result = read({"3": node("PPOAgentNode", hidden_size="64")})
    assert "hidden_sizes" in notes_of(result, "3", "hidden_size")[0].message


@pytest.mark.parametrize(
    ("given", "expected"), [("64,64", [64, 64]), ("[128, 64]", [128, 64]), (["2", "2"], [2, 2]), (32, [32])]
)
def test_layer_sizes_are_a_list(given, expected):
    result = read({"2": node("ORNode"), "3": node("PPOAgentNode", hidden_sizes=given)})
    assert result.workflow.nodes["3"].inputs["hidden_sizes"] == expected


def test_value_of_the_wrong_type_is_noted_and_left_out():
    result = read({"1": node("IsaacGymEnvNode", num_envs="many", env_name=True)})
    assert result.workflow.nodes["1"].inputs == {}
    assert "'many'" in notes_of(result, "1", "num_envs")[0].message
    assert notes_of(result, "1", "env_name")


def test_discrete_action_space_has_something_to_do():
    (note,) = notes_of(read({"3": node("PPOAgentNode", action_space="discrete")}), "3", "action_space")
    assert "discrete" in note.remedy


def test_learning_rate_moves_to_the_trainer_that_sets_none():
    result = read(
        {
            "3": node("PPOAgentNode", learning_rate=0.002),
            "8": node("Reroute", **{"": ["3", 1]}),
            "6": node("PPOTrainerNode", model=["8", 0], gamma=0.9),
        }
    )
    assert result.workflow.nodes["6"].inputs == {"model": ["8", "output"], "gamma": 0.9, "learning_rate": 0.002}
    assert "learning_rate" not in result.workflow.nodes["3"].inputs
    assert "6" in notes_of(result, "3", "learning_rate")[0].message


def test_learning_rate_without_a_trainer_is_noted():
    assert notes_of(read({"3": node("PPOAgentNode", learning_rate=0.002)}), "3", "learning_rate")[0].remedy


def test_two_names_for_one_parameter_are_noted():
    result = read({"6": node("PPOTrainerNode", epochs=3, num_epochs=5)})
    assert result.workflow.nodes["6"].inputs == {"num_epochs": 3}
    assert notes_of(result, "6", "num_epochs")[0].remedy


def test_two_wires_for_one_port_are_noted():
    result = read({"5": node("IsaacGymStepNode"), "6": node("PPOTrainerNode", done=["5", 2], dones=["5", 2])})
    assert "already" in notes_of(result, "6", "dones")[0].message


def test_loss_into_a_typed_port_is_noted_and_left_out():
    result = read(
        {
            "6": node("PPOTrainerNode"),
            "8": node("Reroute", value=["6", 0]),
            "2": node("ORNode", input_a=["6", "loss"], input_b=["8", 0]),
        }
    )
    assert result.workflow.nodes["2"].inputs == {}
    assert "loss" in notes_of(result, "2", "input_a")[0].message
    assert notes_of(result, "2", "input_b")
    assert result.workflow.nodes["8"].inputs == {"value": ["6", "metrics"]}


def test_constants_and_print_have_their_present_names():
    result = read(
        {
            "1": node("FloatConstant", value=0.5),
            "2": node("IntConstant", value=2),
            "3": node("StringConstant", value="two"),
            "4": node("PrintValue", value=["2", 0]),
        }
    )
    nodes = result.workflow.nodes
    assert [entry.class_type for entry in nodes.values()] == [
        "FloatConstantNode",
        "IntConstantNode",
        "StringConstantNode",
        "PrintNode",
    ]
    assert nodes["4"].inputs == {"value": ["2", "output"]}
    assert result.notes == []


def test_wire_into_a_parameter_from_elsewhere_is_noted():
    result = read({"5": node("IsaacGymStepNode"), "6": node("PPOTrainerNode", gamma=["5", 3])})
    assert result.workflow.nodes["6"].inputs == {}
    (note,) = notes_of(result, "6", "gamma")
    assert note.remedy == "set gamma by hand"


def test_run_setting_that_came_by_wire_is_noted_with_its_value():
    result = read({"9": node("StringConstant", value="cuda:1"), "1": node("IsaacGymEnvNode", device=["9", 0])})
    assert any("--device cuda:1" in note.remedy for note in notes_of(result, "1", "device"))


def test_reward_node_without_a_step_node_is_noted():
    result = read({"7": node("CartpoleRewardNode"), "6": node("PPOTrainerNode", reward=["7", 0], done=["7", 1])})
    assert result.workflow.nodes["6"].inputs == {"rewards": ["7", "reward_or_loss"], "dones": ["7", "done"]}
    assert "step" in notes_of(result, "6", "reward")[0].remedy


def test_unknown_type_is_kept_unchanged():
    inputs = {"images": ["2", 0], "labels": ["8", 3], "pool": ["9", "labels"], "kernel": [3, 3], "sizes": {"a": 1}}
    result = read({"2": node("ORNode"), "8": node("Mystery", **inputs), "9": node("Mystery")})
    entry = result.workflow.nodes["8"]
    assert entry.class_type == "Mystery"
    assert entry.inputs == {
        "images": ["2", "output"],
        "labels": ["8", "slot_3"],
        "pool": ["9", "labels"],
        "kernel": [3, 3],
        "sizes": {"a": 1},
    }
    assert {note.node_id for note in result.notes} == {"8", "9"}


@pytest.mark.parametrize("value", [["99", 0], ["99", "images"]])
def test_link_of_an_unknown_type_to_nowhere_is_kept_and_noted(value):
    result = read({"8": node("Mystery", images=value)})
    assert result.workflow.nodes["8"].inputs == {"images": value}
    assert "no node of the file" in notes_of(result, "8", "images")[0].message


def test_link_of_an_unknown_type_to_a_missing_output_is_kept_and_noted():
    result = read({"2": node("ORNode"), "8": node("Mystery", images=["2", 7])})
    assert result.workflow.nodes["8"].inputs == {"images": ["2", "slot_7"]}
    assert "no output 'slot_7'" in notes_of(result, "8", "images")[0].message


def test_rings_of_reroutes_do_not_hang():
    result = read(
        {
            "1": node("Reroute", value=["2", 0]),
            "2": node("Reroute", value=["1", 0]),
            "6": node("PPOTrainerNode", gamma=["1", 0], model=["2", 0]),
            "3": node("PPOAgentNode", learning_rate=0.1),
        }
    )
    assert result.workflow.nodes["1"].inputs == {"value": ["2", "output"]}
    assert notes_of(result, "6", "gamma")
    assert notes_of(result, "3", "learning_rate")


def test_what_stands_beside_the_nodes_is_noted():
    document = {"prompt": {"2": node("ORNode"), "comment": "hello"}, "client_id": "x"}
    document["prompt"]["2"]["is_changed"] = ["x"]
    result = read(document)
    assert list(result.workflow.nodes) == ["2"]
    text = " ".join(note.text for note in result.notes)
    assert "client_id" in text
    assert "comment" in text
    assert "is_changed" in text


def test_note_says_where_what_and_what_to_do():
    (note,) = read({"3": node("PPOAgentNode", action_space="discrete")}).notes
    assert note.text.startswith("node 3 (PPOAgentNode), action_space: 'discrete' was left out: ")
    assert note.text.endswith("; check that the task takes discrete actions")
