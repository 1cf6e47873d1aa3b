"""What the document says of a parameter, and the changes that edit it; no widget takes part."""

import pytest

from app.document import Document
from app.panels.shared_parameters import in_sections, shared_parameters
from runtime.errors import ParameterError
from runtime.workflow import NodeEntry, Workflow


@pytest.fixture
def agents(registry):
    agent = registry.types["PPOAgentNode"]
    workflow = Workflow(
        nodes={
            "1": NodeEntry("1", "PPOAgentNode", {"hidden_sizes": [32, 32]}),
            "2": NodeEntry("2", "PPOAgentNode", {"init_log_std": -1, "input_size": "auto"}),
        }
    )
    shared = {parameter.name: parameter for parameter in shared_parameters({"1": agent, "2": agent})}
    return Document(workflow), shared


def edited(document, changes):
    document.edit("edit", changes)
    return {node_id: entry.inputs for node_id, entry in document.workflow.nodes.items()}


def test_different_values_are_mixed_and_changed(agents):
    document, shared = agents
    state = shared["hidden_sizes"].state(document.workflow)
    assert (state.value, state.is_mixed, state.is_changed) == ([32, 32], True, True)


def test_equal_values_are_not_mixed(agents):
    document, shared = agents
    state = shared["activation"].state(document.workflow)
    assert (state.value, state.is_mixed, state.is_changed) == ("elu", False, False)


def test_auto_in_the_file_is_the_default_zero(agents):
    document, shared = agents
    state = shared["input_size"].state(document.workflow)
    assert (state.value, state.is_mixed, state.is_changed) == (0, False, False)


def test_a_value_under_an_earlier_name_is_read_and_moves_when_it_is_edited(agents):
    document, shared = agents
    assert shared["initial_log_std"].state(document.workflow).is_mixed
    inputs = edited(document, shared["initial_log_std"].put(document.workflow, -0.5))
    assert inputs["2"] == {"input_size": "auto", "initial_log_std": -0.5}
    assert inputs["1"]["initial_log_std"] == -0.5
    document.undo()
    assert document.workflow.nodes["2"].inputs == {"init_log_std": -1, "input_size": "auto"}


def test_a_reset_removes_the_value_under_any_name(agents):
    document, shared = agents
    inputs = edited(document, shared["initial_log_std"].reset(document.workflow))
    assert inputs["2"] == {"input_size": "auto"}
    assert not shared["initial_log_std"].state(document.workflow).is_changed


def test_a_value_that_is_not_allowed_is_shown_as_it_is(registry):
    document = Workflow(nodes={"1": NodeEntry("1", "PPOAgentNode", {"hidden_sizes": "wide"})})
    shared = {p.name: p for p in shared_parameters({"1": registry.types["PPOAgentNode"]})}
    state = shared["hidden_sizes"].state(document)
    assert (state.value, state.is_changed) == ("wide", True)


def test_links_are_told_apart_from_lists(registry):
    inputs = {"value_coef": ["7", "output"], "gamma": 0.9}
    document = Workflow(nodes={"1": NodeEntry("1", "PPOTrainerNode", inputs)})
    shared = {p.name: p for p in shared_parameters({"1": registry.types["PPOTrainerNode"]})}
    assert shared["value_coef"].state(document).links == (("1", ["7", "output"]),)
    assert shared["gamma"].state(document).links == ()


def test_nodes_share_what_has_one_name_and_one_type(registry):
    types = registry.types
    both = shared_parameters({"1": types["PPOAgentNode"], "2": types["PPOTrainerNode"]})
    assert [parameter.name for parameter in both] == [
        "checkpoint_enabled", "checkpoint_trigger_type", "checkpoint_trigger_value", "checkpoint_keep_last",
    ]  # fmt: skip
    constants = shared_parameters({"1": types["FloatConstantNode"], "2": types["IntConstantNode"]})
    assert constants == []


def test_a_value_must_be_allowed_in_every_node(registry):
    types = registry.types
    (every,) = [
        p for p in shared_parameters({"1": types["PrintNode"], "2": types["ConsoleLoggerNode"]}) if p.name == "every"
    ]
    assert (every.declared.low, every.declared.high, every.declared.live) == (1, 1_000_000, True)
    every.declared.check(1_000_000)
    with pytest.raises(ParameterError, match="out of range; allowed: 1 to 1000000"):
        every.declared.check(2_000_000)
    assert types["PrintNode"].parameters["every"].high == 1_000_000_000


def test_advanced_parameters_stand_apart(registry):
    sections = in_sections(shared_parameters({"1": registry.types["PPOTrainerNode"]}))
    names = {title: [parameter.name for parameter in found] for title, found in sections.items()}
    assert names[""][:3] == ["horizon_length", "num_epochs", "num_minibatches"]
    assert "learning_rate" in names[""]
    assert "adam_epsilon" in names["Advanced"]
    assert all(name.startswith("checkpoint_") for name in names["Checkpoints"])
    assert sum(map(len, names.values())) == len(registry.types["PPOTrainerNode"].parameters)


def test_a_node_without_advanced_parameters_has_no_such_section(registry):
    sections = in_sections(shared_parameters({"1": registry.types["IsaacGymEnvNode"]}))
    assert sections["Advanced"] == []


@pytest.mark.parametrize(
    ("name", "label"), [("learning_rate", "Learning rate"), ("gae_lambda", "GAE lambda"), ("target_kl", "Target KL")]
)
def test_names_are_written_for_people(registry, name, label):
    shared = {p.name: p for p in shared_parameters({"1": registry.types["PPOTrainerNode"]})}
    assert shared[name].label == label
