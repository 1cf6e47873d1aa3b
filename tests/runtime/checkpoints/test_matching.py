import pytest
import torch

from runtime.checkpoints import check_state_fits, state_shapes
from runtime.errors import CheckpointError


def test_a_state_that_fits():
    layer = torch.nn.Linear(3, 2)
    check_state_fits(layer.state_dict(), {"weight": torch.ones(2, 3), "bias": torch.ones(2)})
    check_state_fits(state_shapes({"a": [layer.state_dict()]}), {"a": [layer.state_dict()], "lr": 1})


def test_every_misfit_is_listed_with_expected_and_found():
    expected = {"a": (2, 3), "b": [4], "c": torch.ones(5), "scalar": ()}
    found = {"a": torch.ones(3, 2), "c": torch.ones(5), "d": torch.ones(1), "scalar": torch.ones(1)}
    with pytest.raises(CheckpointError) as caught:
        check_state_fits(expected, found, node_id="3", path="dir/node_3/model.pt")
    assert str(caught.value).splitlines() == [
        "node 3: dir/node_3/model.pt does not fit; it is of another workflow, or of other sizes:",
        "  a: expected shape (2, 3), found (3, 2)",
        "  scalar: expected shape (), found (1,)",
        "  b: expected shape (4,), found nothing",
        "  d: expected nothing, found shape (1,)",
    ]


def test_a_long_list_of_misfits_is_cut():
    expected = {f"layer{number}": (2,) for number in range(20)}
    with pytest.raises(CheckpointError) as caught:
        check_state_fits(expected, {})
    lines = str(caught.value).splitlines()
    assert len(lines) == 8
    assert lines[1:2] + lines[-1:] == ["  layer0: expected shape (2,), found nothing", "  and 14 more"]


def test_an_empty_state_does_not_fit_a_network():
    with pytest.raises(CheckpointError, match="the checkpoint does not fit.*other sizes:\n  weight"):
        check_state_fits({"weight": (1,)}, {})
