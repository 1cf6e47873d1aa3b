"""TF32 is on while a run that wants it lasts, and only then."""

import pytest
import torch

from runtime.run.tf32 import tf32
from tests.commands import dnne, folder, insert_node, small_workflow, write_json

__all__ = ["dnne", "folder"]
READS_SWITCHES = """
import torch
from runtime.node import Node
from runtime.ports import REWARDS, In, Out


class SwitchesNode(Node):
    '''Logs torch's switches at its first firing.'''

    title = "Switches"
    value = In(REWARDS, "r")
    output = Out(REWARDS, "r")

    def setup(self):
        self.is_told = False

    def compute(self, value):
        if not self.is_told:
            switches = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
            where = "in the evaluation" if self.context.inference else "in the training"
            print(f"{where}: {switches}")
            self.is_told = True
        return {"output": value}
"""


def switches():
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.fixture
def workflow(folder):
    (folder / "nodes").mkdir()
    (folder / "nodes/switches.py").write_text(READS_SWITCHES)
    workflow = small_workflow()
    insert_node(workflow, "9", "SwitchesNode", "5.rewards", "6")
    return write_json(folder / "w.json", workflow)


@pytest.mark.parametrize(("words", "expected"), [((), False), (("--tf32",), True), (("tf32=true",), True)])
def test_the_option_switches_both_kinds_of_products_in_training_and_evaluation(dnne, workflow, words, expected):
    before = switches()
    options = ("--nodes-dir", "nodes", "--iterations", 1, "--eval-interval", 1, "--eval-episodes", 4)
    outcome = dnne("train", workflow, *options, *words)
    assert outcome.code == 0, outcome.err
    said = f"{(expected, expected)}"
    assert f"in the training: {said}" in outcome.out
    assert f"in the evaluation: {said}" in outcome.out
    assert switches() == before


def test_a_resumed_run_keeps_it(dnne, workflow):
    words = ("--nodes-dir", "nodes", "--tf32", "--iterations", 1, "--run-name", "a")
    assert dnne("train", workflow, *words).code == 0
    outcome = dnne("train", "--resume", "runs/a", "--nodes-dir", "nodes", "--iterations", 2)
    assert "in the training: (True, True)" in outcome.out


def fail_with(allowed):
    with tf32(allowed):
        assert switches() == (allowed, allowed)
        raise ValueError("boom")


@pytest.mark.parametrize("before", [False, True])
def test_the_switches_are_restored_after_an_error(before):
    kept = switches()
    try:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = before
        with pytest.raises(ValueError, match="boom"):
            fail_with(not before)
        assert switches() == (before, before)
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = kept
