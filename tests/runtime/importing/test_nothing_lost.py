"""Every input and wire of an earlier file is in the new workflow, or a note names it."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.importing import import_workflow

TYPES = [
    "IsaacGymEnvNode", "IsaacGymStepNode", "ORNode", "PPOAgentNode", "CartpoleActionNode", "CartpoleRewardNode",
    "PPOTrainerNode", "FloatConstant", "IntConstant", "StringConstant", "PrimitiveNode", "PrintValue", "Reroute",
    "Note", "LinearLayer", "Mystery",
]  # fmt: skip
RENAMED = {
    "env_name": "task", "sim_handle": "sim", "policy": "policy_output", "state": "states", "reward": "rewards",
    "policy_output": "policy_outputs", "done": "dones", "epochs": "num_epochs", "action_dim": "output_size",
    "init_log_std": "initial_log_std", "": "value",
}  # fmt: skip
INPUTS = [
    *RENAMED, "num_envs", "isaac_gym_path", "headless", "device", "physics_engine", "actions", "trigger", "input_a",
    "input_b", "observations", "hidden_sizes", "activation", "action_space", "learning_rate", "deterministic", "value",
    "max_push_effort", "states", "policy_outputs", "rewards", "dones", "model", "horizon_length", "num_epochs",
    "gamma", "checkpoint_enabled", "checkpoint_trigger_value", "checkpoint_load_on_start", "input_size", "anything",
]  # fmt: skip
IDS = ["1", "2", "3", "4", "5"]

names = st.sampled_from(INPUTS)
plain = st.sampled_from([0, 1, 64, 0.5, True, False, "", "64,64", "elu", "2", None, [8, 8], ["8"], {"a": 1}])
api_links = st.tuples(st.sampled_from([*IDS, "9"]), st.integers(0, 5) | st.sampled_from(["output", "loss", "x"]))
api_nodes = st.fixed_dictionaries(
    {"class_type": st.sampled_from(TYPES), "inputs": st.dictionaries(names, plain | api_links.map(list), max_size=5)}
)


def unaccounted(entry, names, notes):
    """Inputs that no note names and that have no place of their own in the new node."""
    places = set() if entry is None else set(entry.inputs)
    for name in names:
        if any(note.name == name for note in notes):
            continue
        place = next((candidate for candidate in (name, RENAMED.get(name)) if candidate in places), None)
        if place is None:
            yield name
        places.discard(place)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(IDS), api_nodes, min_size=1))
def test_inputs_of_the_api_form(document):
    result = import_workflow(json.dumps(document), "Test")
    for node_id, node in document.items():
        notes = [note for note in result.notes if note.node_id == node_id]
        if node["class_type"] == "Note":
            said = " ".join(note.text for note in notes)
            assert all(str(value) in said for value in node["inputs"].values() if isinstance(value, (int, str)))
        else:
            assert list(unaccounted(result.workflow.nodes.get(node_id), node["inputs"], notes)) == []


ui_inputs = st.lists(st.tuples(names, st.booleans()), max_size=5, unique_by=lambda item: item[0])
ui_nodes = st.lists(st.tuples(st.sampled_from(TYPES), ui_inputs, st.lists(plain, max_size=8)), min_size=1, max_size=5)
ui_links = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5), st.integers(1, 6), st.integers(0, 5)), max_size=8)


def ui_document(nodes, links):
    """A file in which some inputs name a link and others do not."""
    entries = []
    unclaimed = [(index, target) for index, (_, _, target, _) in enumerate(links)]
    for index, (node_type, inputs, widgets) in enumerate(nodes, 1):
        listed = []
        for name, linked in inputs:
            link = next((item for item in unclaimed if item[1] == index), None) if linked else None
            if link is not None:
                unclaimed.remove(link)
            listed.append({"name": name, "type": "*", "link": link[0] if link else None})
        entries.append({"id": index, "type": node_type, "inputs": listed, "widgets_values": widgets})
    wires = [[index, source, slot, target, to, "*"] for index, (source, slot, target, to) in enumerate(links)]
    return {"nodes": entries, "links": wires}


@settings(max_examples=400, deadline=None)
@given(ui_nodes, ui_links)
def test_wires_of_the_editors_form(nodes, links):
    document = ui_document(nodes, links)
    result = import_workflow(json.dumps(document), "Test")
    named = {name for note in result.notes for name in re.findall("link [0-9]+", f"{note.name} {note.message}")}
    for wire_id, source, _, target, _, _ in document["links"]:
        entry = result.workflow.nodes.get(str(target))
        values = entry.inputs.values() if entry is not None else ()
        wired = any(isinstance(value, list) and len(value) == 2 and value[0] == str(source) for value in values)
        assert wired or f"link {wire_id}" in named
    for index, _ in enumerate(nodes, 1):
        assert str(index) in result.workflow.nodes or any(note.node_id == str(index) for note in result.notes)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TYPES), st.lists(st.integers(1000, 9999), max_size=20, unique=True))
def test_widget_values_of_the_editors_form(node_type, widgets):
    document = {"nodes": [{"id": 1, "type": node_type, "widgets_values": widgets}]}
    result = import_workflow(json.dumps(document), "Test")
    entry = result.workflow.nodes.get("1")
    kept = [] if entry is None else [entry.inputs, entry.extra]
    said = json.dumps([kept, [note.text for note in result.notes if note.name != "widgets_values"]])
    assert all(str(value) in said for value in widgets)
