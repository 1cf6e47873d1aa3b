"""Inputs of earlier files that have no place any more."""

import json

import pytest

from runtime.importing import import_workflow


@pytest.mark.parametrize("value", [True, False])
def test_loading_on_start_is_left_out_with_what_to_do(value):
    trainer = {"class_type": "PPOTrainerNode", "inputs": {"gamma": 0.9, "checkpoint_load_on_start": value}}
    result = import_workflow(json.dumps({"6": trainer}), "Test")
    assert result.workflow.nodes["6"].inputs["gamma"] == 0.9
    assert "checkpoint_load_on_start" not in result.workflow.nodes["6"].inputs
    (said,) = [note.text for note in result.notes if note.name == "checkpoint_load_on_start"]
    assert f"{value} was left out: loading is a switch of the run" in said
    assert value == ("--load-checkpoint-dir DIR" in said)
