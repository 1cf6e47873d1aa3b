"""Constants, Print, and the nodes that save and load checkpoints."""

import math

import pytest
import torch

from nodes.utility.bool_constant import BoolConstantNode
from nodes.utility.checkpoint_loader import CheckpointLoaderNode
from nodes.utility.checkpoint_saver import CheckpointSaverNode
from nodes.utility.float_constant import FloatConstantNode
from nodes.utility.int_constant import IntConstantNode
from nodes.utility.print import PrintNode, describe
from nodes.utility.string_constant import StringConstantNode
from runtime.rl.types import PolicyOutput
from runtime.specs import Spec
from tests.nodes.running import findings, messages, numbers, prepare


@pytest.mark.parametrize(
    ("node_class", "value", "default"),
    [
        (BoolConstantNode, True, False),
        (FloatConstantNode, 0.5, 0.0),
        (IntConstantNode, 7, 0),
        (StringConstantNode, "text", ""),
    ],
)
def test_constants_give_their_value_also_after_a_resume(node_class, value, default):
    node = prepare(node_class("7", {"value": value}))
    assert node.compute() == node.held_outputs() == {"output": value}
    assert prepare(node_class("7")).compute() == {"output": default}
    assert node_class.__name__[:-4] in node_class.replaces, "the earlier name opens"


# Print


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (numbers(1, 2, 6).view(3, 1), "float32 (3, 1) min 1 mean 3 max 6"),
        (torch.tensor([1, 2]), "int64 (2,) min 1 mean 1.5 max 2"),
        (torch.tensor([True, False, True]), "bool (3,) 2 true"),
        (numbers(), "float32 (0,)"),
        (numbers(1.0, math.nan, -math.inf, 3.0), "float32 (4,) min 1 mean 2 max 3 (2 not finite)"),
        (numbers(math.nan), "float32 (1,) (1 not finite)"),
        (torch.tensor(2.5), "float32 () min 2.5 mean 2.5 max 2.5"),
        ({"a": torch.tensor([1]), "b": "x"}, "{a: int64 (1,) min 1 mean 1 max 1, b: 'x'}"),
        ((1, 2), "(1, 2)"),
        (None, "None"),
    ],
)
def test_what_is_printed(value, text):
    assert describe(value) == text


def test_named_tuples_are_printed_field_by_field():
    output = PolicyOutput(numbers(1.0), numbers(2.0), numbers(3.0), numbers(4.0))
    assert describe(output).startswith("{actions: float32 (1,) min 1 mean 1 max 1, log_probs: ")
    assert describe(output).endswith("critic_observations: None}")


def test_every_nth_value_is_printed_and_all_pass():
    node = prepare(PrintNode("7", {"every": 3}, label="Watch"))
    for value in range(1, 8):
        assert node.compute(value) == {"output": value}
    assert messages(node) == ["Watch #3: 3", "Watch #6: 6"]
    assert node.events[0].node_id == "7"


def test_a_prefix_and_counting_on_after_a_resume():
    node, again = prepare(PrintNode("7", {"every": 3})), prepare(PrintNode("7", {"every": 3, "prefix": "obs"}))
    node.compute(1)
    node.compute(2)
    again.load_state_dict(node.state_dict())
    again.compute(3)
    assert messages(again) == ["obs #3: 3"]


def test_printing_leaves_values_and_gradients_alone():
    value = numbers(1.0, 2.0).requires_grad_()
    assert prepare(PrintNode("7", {"every": 1})).compute(value)["output"] is value
    assert value.grad is None


# Checkpoints


def test_a_saver_saves_the_node_that_gives_the_model_unless_it_is_switched_off():
    assert CheckpointSaverNode("7").saves_state_of({"model": "3"}) == "3"
    assert CheckpointSaverNode("7", {"checkpoint_enabled": False}).saves_state_of({"model": "3"}) is None
    assert CheckpointSaverNode("7").saves_state_of({}) is None
    assert prepare(CheckpointSaverNode("7")).compute(object()) is None


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        ("epoch", "5", False),
        ("epoch", "0", True),
        ("epoch", "often", True),
        ("time", "1h30m", False),
        ("time", "5mXYZ", True),
        ("time", "0s", True),
        ("best_metric", "max", False),
        ("best_metric", "min:train/value_loss", False),
        ("best_metric", "largest", True),
    ],
)
def test_triggers_are_checked_before_the_run(kind, value, wrong):
    node = CheckpointSaverNode("7", {"checkpoint_trigger_type": kind, "checkpoint_trigger_value": value})
    found = findings(node)
    assert [port for port, *_ in found] == (["checkpoint_trigger_value"] if wrong else [])


def test_a_loader_passes_the_model_on():
    model, spec = object(), Spec()
    node = prepare(CheckpointLoaderNode("7", {"source_node": "12"}))
    assert node.compute(model) == {"loaded": model}
    assert node.infer({"model": spec}) == {"loaded": spec}
    assert node.saves_state_of({"model": "3"}) is None
