"""OR, Reroute and the cart's push."""

import pytest
import torch

from nodes.control.cartpole_action import CartpoleActionNode
from nodes.control.or_node import ORNode
from nodes.control.reroute import RerouteNode
from runtime.rl.types import PolicyOutput
from runtime.specs import Spec
from tests.nodes.running import findings, numbers, prepare


def output(*actions):
    values = numbers(*actions).unsqueeze(1)
    return PolicyOutput(values, values[:, 0], values[:, 0], values)


def test_actions_are_limited_and_nothing_else_by_default():
    node = prepare(CartpoleActionNode("4"))
    assert node.compute(output(0.5, -3.0, 1.5, 0.0))["actions"].tolist() == [[0.5], [-1.0], [1.0], [0.0]]


def test_a_weaker_push_scales_what_was_limited():
    node = prepare(CartpoleActionNode("4", {"max_push_effort": 100.0}))
    assert node.compute(output(0.5, -3.0))["actions"].tolist() == [[0.125], [-0.25]], "100 N of the task's 400 N"


def test_every_environment_gets_its_own_action_and_nan_is_not_hidden():
    actions = prepare(CartpoleActionNode("4")).compute(output(0.1, float("nan"), 0.3))["actions"]
    assert actions.shape == (3, 1) and torch.isnan(actions[1]) and actions[2].item() == pytest.approx(0.3)


def test_the_policys_actions_are_left_alone():
    given = output(2.0)
    prepare(CartpoleActionNode("4", {"max_push_effort": 100.0})).compute(given)
    assert given.actions.tolist() == [[2.0]]


@pytest.mark.parametrize("shape", [(64,), (64, 2), (64, 1, 1)])
def test_actions_of_another_shape_are_found_before_the_run(shape):
    (finding,) = findings(CartpoleActionNode("4"), {"policy_output": Spec(shape, "float32")})
    assert finding[0] == "policy_output" and finding[2] == "Cartpole takes (N, 1)"
    assert findings(CartpoleActionNode("4"), {"policy_output": Spec((64, 1), "float32")}) == []


def test_or_passes_on_the_very_value_that_arrived():
    node, value = prepare(ORNode("2")), object()
    for port in ("input_a", "input_b", "input_c", "input_d"):
        assert node.compute(**{port: value}) == {"output": value}


def test_or_infers_from_any_known_input():
    known = Spec((64, 4), "float32")
    assert ORNode("2").infer({"input_a": Spec(), "input_b": known}) == {"output": known}
    assert ORNode("2").infer({}) == {}


def test_or_joins_values_of_one_shape_and_history_only():
    first, other = Spec((64, 4), "float32"), Spec((64, 8), "float32")
    assert findings(ORNode("2"), {"input_a": first, "input_b": first, "input_c": Spec()}) == []
    assert findings(ORNode("2"), {"input_a": first, "input_c": other}) == [
        ("input_c", "it is float32 (64, 8), but input_a is float32 (64, 4)", "join values of one shape")
    ]
    stacked = Spec((64, 4), "float32", None, ("FrameStackNode 7",))
    (finding,) = findings(ORNode("2"), {"input_a": first, "input_b": stacked})
    assert finding[:2] == ("input_b", "it went through FrameStackNode 7, but input_a went through no transform")


def test_reroute():
    node, value, spec = prepare(RerouteNode("2")), object(), Spec((3,))
    assert node.compute(value) == {"output": value}
    assert node.infer({"value": spec}) == {"output": spec}
    assert node.infer({}) == {}
