"""Wires, widgets and odds and ends of ComfyUI's form."""

import json

import pytest

from runtime.importing import import_workflow


def read(nodes, links=(), **more):
    return import_workflow(json.dumps({"nodes": nodes, "links": list(links), "version": 0.4, **more}), "Test")


def node(node_id, type, inputs=(), outputs=(), widgets=None, **more):
    entry = {"id": node_id, "type": type, "pos": [0, 0], "inputs": list(inputs), "outputs": list(outputs), **more}
    if widgets is not None:
        entry["widgets_values"] = widgets
    return entry


def takes(name, link=None, type="*", **more):
    return {"name": name, "type": type, "link": link, **more}


def gives(name, *links):
    return {"name": name, "type": "*", "links": list(links)}


def notes_of(result, node_id, name):
    return [note for note in result.notes if (note.node_id, note.name) == (node_id, name)]


STEP_OUTPUTS = [
    gives("observations"),
    gives("rewards", 1),
    gives("done", 2),
    gives("info"),
    gives("next_observations", 3),
]


def test_inputs_count_more_than_target_slots():
    step = node(5, "IsaacGymStepNode", outputs=STEP_OUTPUTS)
    trainer = node(6, "PPOTrainerNode", [takes("state"), takes("policy_output"), takes("reward", 1), takes("done", 2)])
    result = read([step, trainer], [[1, 5, 1, 6, 0, "T"], [2, 5, 2, 6, 0, "T"]])
    inputs = result.workflow.nodes["6"].inputs
    assert inputs["rewards"] == ["5", "rewards"]
    assert inputs["dones"] == ["5", "dones"]
    assert "states" not in inputs


def test_the_output_that_names_a_link_counts_more_than_its_slot():
    step = node(5, "IsaacGymStepNode", outputs=STEP_OUTPUTS)
    result = read([step, node(2, "ORNode", [takes("input_a", 3)])], [[3, 5, 0, 2, 0, "T"]])
    assert result.workflow.nodes["2"].inputs == {"input_a": ["5", "observations"]}
    result = read([step, node(6, "PPOTrainerNode", [takes("done", 2)])], [[2, 5, 0, 6, 0, "T"]])
    assert result.workflow.nodes["6"].inputs["dones"] == ["5", "dones"]


def test_a_name_counts_more_than_the_place_of_an_output():
    step = node(5, "IsaacGymStepNode", outputs=[gives("done", 2), gives("rewards")])
    result = read([step, node(6, "PPOTrainerNode", [takes("done", 2)])], [[2, 5, 0, 6, 0, "T"]])
    assert result.workflow.nodes["6"].inputs["dones"] == ["5", "dones"]


def test_unknown_output_name_falls_back_to_the_slot():
    step = node(5, "IsaacGymStepNode", outputs=[gives("TENSOR"), gives("REWARD", 1)])
    result = read([step, node(6, "PPOTrainerNode", [takes("reward", 1)])], [[1, 5, 1, 6, 0, "T"]])
    assert result.workflow.nodes["6"].inputs["rewards"] == ["5", "rewards"]


def test_link_that_only_the_nodes_know():
    step = node(5, "IsaacGymStepNode", outputs=STEP_OUTPUTS)
    result = read([step, node(6, "PPOTrainerNode", [takes("reward", 1)])])
    assert result.workflow.nodes["6"].inputs["rewards"] == ["5", "rewards"]


def test_unclaimed_links_go_by_slot_or_by_the_only_type_that_fits():
    agent = node(3, "PPOAgentNode", outputs=[gives("policy_output"), gives("model")])
    inputs = [takes("state", type="T"), takes("policy_output", type="P"), takes("model", type="MODEL")]
    result = read([agent, node(6, "PPOTrainerNode", inputs)], [[1, 3, 0, 6, 1, "P"], [2, 3, 1, 6, 0, "MODEL"]])
    inputs = result.workflow.nodes["6"].inputs
    assert inputs["policy_outputs"] == ["3", "policy_output"]
    assert inputs["model"] == ["3", "model"]
    assert "states" not in inputs
    assert notes_of(result, "6", "model")[0].remedy == "check it"


def test_unclaimed_link_without_any_inputs_in_the_file_goes_by_the_known_slots():
    nodes = [{"id": 3, "type": "PPOAgentNode"}, {"id": 6, "type": "PPOTrainerNode"}]
    result = read(nodes, [[1, 3, 1, 6, 4, "MODEL"]])
    assert result.workflow.nodes["6"].inputs["model"] == ["3", "model"]


def test_second_unclaimed_link_into_one_input_is_noted():
    nodes = [{"id": 3, "type": "PPOAgentNode"}, {"id": 6, "type": "PPOTrainerNode"}]
    result = read(nodes, [[1, 3, 1, 6, 4, "M"], [2, 3, 0, 6, 4, "M"]])
    assert any("link 2" in note.message and "second wire" in note.message for note in notes_of(result, "6", "model"))


@pytest.mark.parametrize(
    ("links", "where"),
    [
        ([[1, 9, 0, 2, 0, "T"]], ("2", "input_a")),
        ([[7, 5, 0, 99, 0, "T"]], ("", "link 7")),
        ([[1, 5, 0]], ("", "links[0]")),
        (["1"], ("", "links[0]")),
        ([[1, 5, 0, 2, 0, "T"], [1, 5, 1, 2, 0, "T"]], ("", "links[1]")),
        ([], ("2", "input_a")),
    ],
)
def test_links_that_lead_nowhere_are_noted(links, where):
    nodes = [node(5, "IsaacGymStepNode"), node(2, "ORNode", [takes("input_a", 1)])]
    assert notes_of(read(nodes, links), *where)


def test_link_that_only_an_output_names_is_noted():
    assert notes_of(read([node(5, "IsaacGymStepNode", outputs=STEP_OUTPUTS)]), "5", "outputs[4]")


def test_input_that_is_none_is_noted():
    assert notes_of(read([node(2, "ORNode", [takes("input_a"), "input_b"])]), "2", "inputs[1]")


def test_links_as_objects_and_null_are_read():
    link = {"id": 1, "origin_id": 5, "origin_slot": 1, "target_id": 6, "target_slot": 2, "type": "T"}
    nodes = [node(5, "IsaacGymStepNode", outputs=STEP_OUTPUTS), node(6, "PPOTrainerNode", [takes("reward", 1)])]
    assert read(nodes, [None, link]).workflow.nodes["6"].inputs["rewards"] == ["5", "rewards"]


class TestWidgets:
    ENV = ["Ant", 128, "", "", True, "cpu", "physx"]

    def test_values_in_declared_order(self):
        assert read([node(1, "IsaacGymEnvNode", widgets=self.ENV)]).workflow.nodes["1"].inputs == {
            "task": "Ant",
            "num_envs": 128,
        }

    def test_values_by_name(self):
        result = read([node(1, "IsaacGymEnvNode", widgets={"num_envs": 8, "env_name": "Ant", "colour": "red"})])
        assert result.workflow.nodes["1"].inputs == {"task": "Ant", "num_envs": 8}
        assert notes_of(result, "1", "colour")

    def test_names_in_the_file_count_more_than_the_known_order(self):
        inputs = [takes(name, widget={"name": name}) for name in ("num_envs", "env_name")]
        result = read([node(1, "IsaacGymEnvNode", inputs, widgets=[8, "Ant"])])
        assert result.workflow.nodes["1"].inputs == {"task": "Ant", "num_envs": 8}

    def test_short_list_takes_the_earlier_defaults(self):
        result = read([node(6, "PPOTrainerNode", widgets=[32, 5])])
        inputs = result.workflow.nodes["6"].inputs
        assert (inputs["horizon_length"], inputs["num_epochs"], inputs["minibatch_size"]) == (32, 5, 32)
        assert inputs["max_grad_norm"] == 0.5
        assert "minibatch_size = 32" in notes_of(result, "6", "widgets_values")[0].message

    def test_long_list_is_noted(self):
        result = read([node(4, "CartpoleActionNode", widgets=[400, "surplus"])])
        assert result.workflow.nodes["4"].inputs == {"max_push_effort": 400}
        assert "'surplus'" in notes_of(result, "4", "widgets_values[1]")[0].message

    @pytest.mark.parametrize("widgets", ["text", 5, True])
    def test_what_is_no_list_is_noted(self, widgets):
        notes = notes_of(read([node(4, "CartpoleActionNode", widgets=widgets)]), "4", "widgets_values")
        assert any("no list" in note.message for note in notes)

    def test_value_of_an_unknown_type_that_reads_as_a_wire_is_noted(self):
        result = read([node(2, "ORNode"), node(8, "Mystery", widgets={"choices": ["2", "output"]})])
        assert "reads as a wire" in notes_of(result, "8", "choices")[0].message

    def test_converted_widget_keeps_its_value_where_the_wire_gives_none(self):
        step = node(5, "IsaacGymStepNode", outputs=[gives("rewards", 1)])
        action = node(4, "CartpoleActionNode", [takes("effort", 1, widget={"name": "max_push_effort"})], widgets=[300])
        result = read([step, action], [[1, 5, 1, 4, 1, "T"]])
        assert result.workflow.nodes["4"].inputs == {"max_push_effort": 300}
        assert any("link 1" in note.message for note in notes_of(result, "4", "max_push_effort"))


class TestConstantOfTheEditor:
    @pytest.mark.parametrize(
        ("value", "class_type"),
        [(3, "IntConstantNode"), (0.5, "FloatConstantNode"), ("a", "StringConstantNode"), (True, "BoolConstantNode")],
    )
    def test_becomes_a_constant_where_it_feeds_a_port(self, value, class_type):
        nodes = [node(1, "PrimitiveNode", outputs=[gives("X", 1)], widgets=[value, "fixed"])]
        nodes.append(node(2, "PrintValue", [takes("value", 1)]))
        result = read(nodes, [[1, 1, 0, 2, 0, "X"]])
        assert result.workflow.nodes["1"].class_type == class_type
        assert result.workflow.nodes["1"].inputs == {"value": value}
        assert result.workflow.nodes["2"].inputs == {"value": ["1", "output"]}

    def test_is_written_into_an_unknown_node(self):
        nodes = [node(1, "PrimitiveNode", outputs=[gives("INT", 1)], widgets=[7, "fixed"])]
        nodes.append(node(2, "Mystery", [takes("seed", 1, widget={"name": "seed"})], widgets=[0]))
        result = read(nodes, [[1, 1, 0, 2, 0, "INT"]])
        assert result.workflow.nodes["2"].inputs == {"seed": 7}
        assert "1" not in result.workflow.nodes
        assert "7" in notes_of(result, "2", "seed")[0].message

    def test_without_a_value_stays_as_a_placeholder(self):
        nodes = [node(1, "PrimitiveNode", outputs=[gives("X", 1)]), node(2, "PrintValue", [takes("value", 1)])]
        result = read(nodes, [[1, 1, 0, 2, 0, "X"]])
        assert result.workflow.nodes["1"].class_type == "PrimitiveNode"
        assert notes_of(result, "1", "value")[0].remedy


@pytest.mark.parametrize(
    ("mode", "word"), [(2, "muted"), (4, "bypassed"), (1, "event"), (9, "unknown"), ("x", "unknown")]
)
def test_modes_are_noted(mode, word):
    assert word in notes_of(read([node(2, "ORNode", mode=mode)]), "2", "mode")[0].message


@pytest.mark.parametrize("mode", [0, None])
def test_a_node_that_takes_part_is_not_noted(mode):
    assert notes_of(read([node(2, "ORNode", mode=mode)]), "2", "mode") == []


def test_group_without_a_place_is_noted():
    result = read([], groups=[{"title": "Lost"}, {"title": "Kept", "bounding": [0, 0, 1, 1]}])
    assert [group["title"] for group in result.workflow.groups] == ["Kept"]
    assert "Lost" in notes_of(result, "", "groups")[0].message


def test_subgraphs_are_noted_with_what_to_do():
    result = read([], definitions={"subgraphs": [{}]})
    assert any("definitions" in note.message and "subgraphs" in note.remedy for note in result.notes)


@pytest.mark.parametrize("position", [None, "left", [1], [True, 2], {"0": 1}, [1, None]])
def test_node_without_a_usable_position_gets_a_place(position):
    entry = {"id": 1, "type": "ORNode", "pos": position}
    assert read([entry]).workflow.nodes["1"].position == (0.0, 0.0)
