"""Folders of node files are recorded with a run, named where they are missed, and never loaded unasked."""

import json

import pytest

from tests.commands import insert_node, small_workflow, write_json

NODE = """
from pathlib import Path
from runtime.node import Node
from runtime.ports import ANY, In, Out

with Path("loaded").open("a") as file:
    file.write("x")


class OwnNode(Node):
    '''Passes values on.'''

    title, category = "Own", "Test"
    value = In(ANY, "Anything")
    output = Out(ANY, "The same")

    def compute(self, value):
        return {"output": value}
"""


@pytest.fixture
def trained(dnne, folder):
    """A run with a node of the user's, made from another place; how often that was loaded is in a file."""
    (folder / "my nodes").mkdir()
    (folder / "my nodes/own.py").write_text(NODE)
    workflow = small_workflow()
    insert_node(workflow, "9", "OwnNode", "5.rewards", "6")
    write_json(folder / "w.json", workflow)
    words = ("--nodes-dir", "my nodes", "--iterations", 1, "--run-name", "a", "save_interval=1")
    outcome = dnne("train", "w.json", *words)
    assert outcome.code == 0, outcome.err
    (folder / "loaded").unlink()
    return folder / "runs/a"


COMMANDS = [
    ("train", "--resume", "runs/a", "--iterations", 2),
    ("train", "w.json", "--resume", "auto", "--iterations", 2),
    ("infer", "w.json", "--load-checkpoint-dir", "runs/a", "--episodes", 1),
    ("infer", "w.json", "--load-checkpoint-dir", "runs/a/checkpoints", "--episodes", 1),
    ("train", "w.json", "--pretrained-dir", "runs/a", "--iterations", 1),
    ("evaluate", "w.json", "--load-checkpoint-dir", "runs/a", "--episodes", 1),
    ("export-policy", "w.json", "--load-checkpoint-dir", "runs/a", "-o", "policy.pt"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: f"{words[0]} {words[-3]}")
def test_a_command_without_the_folder_names_it_and_loads_nothing(dnne, trained, folder, words):
    outcome = dnne(*words)
    assert outcome.code == 2
    assert "unknown node type 'OwnNode'" in outcome.err
    assert f"the run was made with the node files in {folder}/my nodes" in outcome.err
    assert f"add --nodes-dir '{folder}/my nodes'" in outcome.err
    assert not (folder / "loaded").exists(), "what a file names is not executed"


def test_a_folder_that_was_moved_is_named_and_the_new_one_counts(dnne, trained, folder):
    (folder / "my nodes").rename(folder / "moved")
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 2)
    assert outcome.code == 2
    assert f"node files in {folder}/my nodes, which is not there any more; name where they are now" in outcome.err
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 2, "--nodes-dir", "moved")
    assert outcome.code == 0, outcome.err
    info = json.loads((trained / "run.json").read_text())
    assert info["nodes_dirs"] == [str(folder / "moved")]
    assert info["earlier"][0]["nodes_dirs"] == [str(folder / "my nodes")]


@pytest.mark.parametrize("recorded", [None, "x", [3], {"a": 1}])
def test_records_that_are_no_folders_change_nothing(dnne, trained, recorded):
    info = json.loads((trained / "run.json").read_text())
    write_json(trained / "run.json", {**info, "nodes_dirs": recorded})
    outcome = dnne("train", "--resume", "runs/a", "--iterations", 2)
    assert outcome.code == 2
    assert "unknown node type 'OwnNode'" in outcome.err
    assert "the run was made" not in outcome.err
