import collections
import enum
import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from runtime.checkpoints.state_codec import flatten_state, named_tensors, pointer, restore_state
from runtime.errors import CheckpointError

plain_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(blacklist_categories=["Cs"]))
)
tensors = st.lists(st.floats(width=32), max_size=3).map(torch.tensor)
keys = st.text(alphabet="ab/~.0", max_size=4) | st.integers(10, 20)
states = st.recursive(
    plain_values | tensors,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)


def same(left, right):
    if isinstance(left, torch.Tensor):
        return left.dtype == right.dtype and left.numpy().tobytes() == right.numpy().tobytes()
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and math.isnan(left):
        return math.isnan(right)
    return left == right and repr(left) == repr(right)


@given(st.dictionaries(keys, states, max_size=4))
def test_a_state_comes_back_with_its_types(state):
    flat, outline = flatten_state(state)
    through_json = json.loads(json.dumps(outline, allow_nan=False))
    assert same(restore_state(flat, through_json), state)
    assert [name for name, _ in named_tensors(state)] == list(flat)


def test_names_are_json_pointers():
    weight = torch.ones(2)
    state = {"policy": {"0.weight": weight}, "a/b": {"~": [weight, (weight,)]}}
    flat, _ = flatten_state(state)
    assert list(flat) == ["policy/0.weight", "a~1b/~0/0", "a~1b/~0/1/0"]
    assert pointer(["a/b", 3, "~"]) == "a~1b/3/~0"


def test_an_optimiser_state_survives():
    layer = torch.nn.Linear(2, 2)
    optimiser = torch.optim.Adam(layer.parameters(), lr=1e-3)
    layer(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    flat, outline = flatten_state({"optimiser": optimiser.state_dict()})
    restored = restore_state(flat, json.loads(json.dumps(outline)))["optimiser"]
    assert restored["param_groups"] == optimiser.state_dict()["param_groups"]
    assert torch.equal(restored["state"][0]["exp_avg"], optimiser.state_dict()["state"][0]["exp_avg"])
    torch.optim.Adam(layer.parameters()).load_state_dict(restored)


def test_tensors_are_stored_without_graph_and_without_the_rest_of_their_storage():
    parameter = torch.nn.Parameter(torch.ones(3))
    whole = torch.arange(1000)
    flat, _ = flatten_state(collections.OrderedDict(p=parameter, view=whole[3:5], transposed=torch.ones(2, 3).t()))
    assert type(flat["p"]) is torch.Tensor
    assert not flat["p"].requires_grad
    assert flat["view"].untyped_storage().nbytes() == 2 * 8
    assert flat["view"].tolist() == [3, 4]
    assert flat["transposed"].shape == (3, 2)


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (object(), "builtins.object"),
        ({1, 2}, "builtins.set"),
        (b"bytes", "builtins.bytes"),
        (Colour.RED, "Colour"),
        (torch.float32, "torch.dtype"),
        (lambda: None, "function"),
        (1j, "complex"),
        (torch.ones(2).to_sparse(), "sparse"),
        (torch.ones(2, device="meta"), "meta"),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_path(value, kind):
    with pytest.raises(CheckpointError, match="'agent/parts/1'") as caught:
        flatten_state({"agent": {"parts": [torch.ones(1), value]}})
    assert kind in str(caught.value)


@pytest.mark.parametrize("key", [None, 1.5, True, ("a",)])
def test_keys_are_strings_or_ints(key):
    with pytest.raises(CheckpointError, match=r"'agent' has the key .* keys are strings or ints"):
        flatten_state({"agent": {key: 1}})


def test_two_entries_of_one_name():
    with pytest.raises(CheckpointError, match="two entries of the state have the name 'a/0'"):
        flatten_state({"a": {0: torch.ones(1), "0": torch.ones(1)}})


def test_a_state_that_holds_itself():
    state = {}
    state["again"] = state
    with pytest.raises(CheckpointError, match="nested more than 64 deep"):
        flatten_state(state)


@pytest.mark.parametrize(
    "outline",
    [
        [],
        {},
        {"tensor": "x"},
        {"tensor": ["x"]},
        {"tensor": None},
        {"dict": {"a": 1}},
        {"dict": [["a"]]},
        {"dict": [[None, 1]]},
        {"dict": [[["a"], 1]]},
        {"list": 3},
        {"float": "1"},
        {"float": ["nan"]},
        {"object": 1},
        {"list": [], "tuple": []},
    ],
)
def test_a_malformed_outline(outline):
    with pytest.raises(CheckpointError, match="outline"):
        restore_state({}, {"dict": [["key", outline]]})
