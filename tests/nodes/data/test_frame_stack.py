"""A short memory of observations, with episode ends, by hand."""

import pytest
import torch

from nodes.data.frame_stack import FrameStackNode
from runtime.errors import DnneError
from runtime.simulators.interface import Dones
from runtime.specs import Spec
from tests.nodes.running import findings, numbers, prepare


def column(*values):
    """One number per environment. Shape: (N, 1)."""
    return numbers(*values).unsqueeze(1)


def dones(terminated, truncated, final):
    return Dones(torch.tensor(terminated), torch.tensor(truncated), final)


def stack(frames=3):
    return prepare(FrameStackNode("7", {"frames": frames}))


def test_the_first_observation_fills_the_stack():
    assert stack().compute(observations=column(1, 2))["stacked"].tolist() == [[1, 1, 1], [2, 2, 2]]


def test_the_newest_comes_last():
    node = stack()
    node.compute(observations=column(1, 2))
    node.compute(dones=dones([False, False], [False, False], column(3, 4)))
    assert node.compute(observations=column(3, 4))["stacked"].tolist() == [[1, 1, 3], [2, 2, 4]]
    node.compute(dones=dones([False, False], [False, False], column(5, 6)))
    assert node.compute(observations=column(5, 6))["stacked"].tolist() == [[1, 3, 5], [2, 4, 6]]


def test_where_an_episode_ended_the_stack_starts_anew_and_final_observations_belong_to_the_old_one():
    node = stack()
    node.compute(observations=column(1, 2, 3))
    out = node.compute(dones=dones([True, False, False], [False, True, False], column(4, 5, 6)))["stacked_dones"]
    assert out.final_observations.tolist() == [[1, 1, 4], [2, 2, 5], [3, 3, 6]]
    assert out.terminated.tolist() == [True, False, False] and out.truncated.tolist() == [False, True, False]
    stacked = node.compute(observations=column(7, 8, 6))["stacked"]
    assert stacked.tolist() == [[7, 7, 7], [8, 8, 8], [3, 3, 6]]


def test_where_no_episode_ended_the_final_observation_is_the_next_observation():
    node = stack()
    node.compute(observations=column(1, 2))
    out = node.compute(dones=dones([False, True], [False, False], column(3, 4)))["stacked_dones"]
    following = node.compute(observations=column(3, 9))["stacked"]
    assert out.final_observations[0].tolist() == following[0].tolist()


def test_vectors_and_images_are_joined_along_their_first_axis():
    node = stack(2)
    assert node.compute(observations=numbers(1, 2).view(1, 2))["stacked"].tolist() == [[1, 2, 1, 2]]
    image = torch.arange(2 * 3 * 2 * 2, dtype=torch.uint8).view(2, 3, 2, 2)
    node = stack(2)
    first = node.compute(observations=image)["stacked"]
    assert first.shape == (2, 6, 2, 2) and first.dtype == torch.uint8
    node.compute(dones=dones([True, False], [False, False], image + 1))
    second = node.compute(observations=image + 1)["stacked"]
    assert torch.equal(second[0], torch.cat([image[0] + 1, image[0] + 1]))
    assert torch.equal(second[1], torch.cat([image[1], image[1] + 1]))


def test_one_frame_passes_through():
    node = stack(1)
    assert node.compute(observations=column(1))["stacked"].tolist() == [[1]]
    assert node.compute(dones=dones([True], [False], column(2)))["stacked_dones"].final_observations.tolist() == [[2]]


def test_what_went_out_never_changes():
    node = stack()
    given = column(1, 2)
    first = node.compute(observations=given)["stacked"]
    kept = first.clone()
    node.compute(dones=dones([True, False], [False, False], column(3, 4)))
    node.compute(observations=column(5, 4))
    assert torch.equal(first, kept) and torch.equal(given, column(1, 2))


def test_out_of_turn_is_an_error_that_says_how_to_wire():
    node = stack()
    with pytest.raises(
        DnneError, match="Frame Stack: observations and dones did not arrive in turn; wire both from the"
    ):
        node.compute(dones=dones([False], [False], column(1)))
    node.compute(observations=column(1))
    with pytest.raises(DnneError, match="did not arrive in turn"):
        node.compute(observations=column(2))
    node.compute(dones=dones([False], [False], column(2)))
    with pytest.raises(DnneError, match="did not arrive in turn"):
        node.compute(dones=dones([False], [False], column(3)))


@pytest.mark.parametrize("between", [False, True], ids=["before dones", "between dones and observations"])
def test_it_goes_on_from_a_saved_state(between):
    node, again = stack(), stack()
    node.compute(observations=column(1, 2))
    node.compute(dones=dones([False, False], [False, False], column(3, 4)))
    node.compute(observations=column(3, 4))
    ends = dones([True, False], [False, False], column(5, 6))
    if between:
        node.compute(dones=ends)
    again.load_state_dict(node.state_dict())
    for one in (node, again):
        if not between:
            one.compute(dones=ends)
    assert node.compute(observations=column(7, 6))["stacked"].tolist() == [[7, 7, 7], [2, 4, 6]]
    assert again.compute(observations=column(7, 6))["stacked"].tolist() == [[7, 7, 7], [2, 4, 6]]


def test_specs():
    node = FrameStackNode("7", {"frames": 3})
    specs = node.infer({"observations": Spec((8, 4), "float32"), "dones": Spec()})
    assert specs["stacked"] == Spec((8, 12), "float32", None, ("FrameStackNode 7",))
    assert specs["stacked_dones"] == Spec(transformed=("FrameStackNode 7",))
    assert node.infer({"observations": Spec((8, None, 5, 5))})["stacked"].shape == (8, None, 5, 5)
    assert node.infer({}) == {}


def test_checks():
    good = {"observations": Spec((8, 4)), "dones": Spec()}
    assert findings(FrameStackNode("7"), good) == []
    assert findings(FrameStackNode("7"), {"observations": Spec((8, 4))}) == [
        ("dones", "the input is not connected", "a transform takes observations and dones")
    ]
    assert findings(FrameStackNode("7"), {"observations": Spec((8,), "float32"), "dones": Spec()}) == [
        ("observations", "they are float32 (8,)", "link observations (N, D) or (N, C, H, W)")
    ]
    (finding,) = findings(FrameStackNode("7"), {"observations": Spec((8, 4), transformed=("X 1",)), "dones": Spec()})
    assert finding[0] == "dones" and "the observations went through X 1" in finding[1]
