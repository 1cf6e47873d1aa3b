"""r' = clip(scale · (r + Σ (w_c − 1) · r_c) + offset), by hand."""

import pytest
import torch

from nodes.rl.reward_shaper import RewardShaperNode
from runtime.spaces import Box
from runtime.specs import Spec, TaskSpec
from tests.nodes.running import findings, numbers, prepare

TASK = TaskSpec("Walker", 3, Box((4,)), Box((1,)), reward_components=("alive", "effort"))
INFO = {"reward_components": {"alive": numbers(1.0, 1.0, 0.0), "effort": numbers(-0.5, -0.25, -1.0)}}
REWARDS = numbers(0.5, 0.75, -1.0)


def shaped(**values):
    node = prepare(RewardShaperNode("7", values), connected=("info",))
    return node.compute(REWARDS, INFO)["shaped"].tolist()


def test_without_settings_nothing_changes():
    assert shaped() == [0.5, 0.75, -1.0]


def test_scale_and_offset():
    assert shaped(scale=2.0, offset=0.25) == [1.25, 1.75, -1.75], "the offset comes after the scale"


def test_the_limits_hold_for_what_comes_out():
    assert shaped(scale=2.0, offset=0.25, clip=[-1.0, 1.5]) == [1.25, 1.5, -1.0]


def test_weights_replace_the_weight_of_a_component():
    assert shaped(weights={"effort": 3.0}) == [0.5 + 2 * -0.5, 0.75 + 2 * -0.25, -1.0 + 2 * -1.0]
    assert shaped(weights={"effort": 0.0}) == [1.0, 1.0, 0.0], "as if the component were not there"
    assert shaped(weights={"effort": 1.0}) == [0.5, 0.75, -1.0]


def test_all_together():
    weights = {"alive": 2.0, "effort": 0.0}
    assert shaped(weights=weights, scale=0.5, offset=-0.25, clip=[-0.5, 0.5]) == [0.5, 0.5, -0.25]
    # 0.5·(0.5 + 1 + 0.5) − 0.25 = 0.75 → 0.5;  0.5·(0.75 + 1 + 0.25) − 0.25 = 0.75 → 0.5;  0.5·(−1 + 0 + 1) − 0.25


def test_the_given_rewards_are_left_alone():
    given = REWARDS.clone()
    prepare(RewardShaperNode("7", {"scale": 3.0}), connected=("info",)).compute(given, INFO)
    assert torch.equal(given, REWARDS)


def test_info_is_not_needed_without_weights():
    node = prepare(RewardShaperNode("7", {"scale": 2.0}))
    assert node.compute(REWARDS)["shaped"].tolist() == [1.0, 1.5, -2.0]


NO_LIMIT = "give [smallest, largest], or [] for no limit"


@pytest.mark.parametrize(
    ("values", "connected", "expected"),
    [
        ({}, ("info",), []),
        ({"clip": [1.0, -1.0]}, ("info",), [("clip", "[1.0, -1.0] is no range", NO_LIMIT)]),
        ({"clip": [1.0]}, ("info",), [("clip", "[1.0] is no range", NO_LIMIT)]),
        ({"weights": {"alive": 2.0}}, (),
         [("info", "weights need the reward components", "link the info output of Step")]),
        ({"weights": {"style": 2.0}}, ("info",),
         [("weights", "Walker has no reward component 'style'", "it has alive, effort")]),
    ],
)  # fmt: skip
def test_checks(values, connected, expected):
    inputs = {"rewards": Spec((3,), "float32", TASK), "info": Spec(None, "", TASK)}
    node = RewardShaperNode("7", values)
    node.connected = frozenset(connected)
    assert list(node.check(inputs)) == expected
    assert node.infer(inputs) == {"shaped": inputs["rewards"]}


def test_nothing_is_found_where_the_task_is_not_known():
    assert findings(RewardShaperNode("7", {"weights": {"x": 1.0}}), {"info": Spec()}) == []
