import pytest
import torch

from runtime.errors import CheckpointError
from runtime.rl.types import PolicyOutput
from runtime.run.values import decode, encode
from runtime.simulators.interface import Dones

CPU = torch.device("cpu")


def _same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


@pytest.mark.parametrize(
    "value",
    [
        torch.arange(3.0), 1, 2.5, True, None, "text", [1, torch.ones(2)], (1, (2,)), {"a": {"b": torch.zeros(1)}},
        Dones(torch.tensor([True]), torch.tensor([False]), torch.ones(1, 4)),
        PolicyOutput(*(torch.full((2,), float(index)) for index in range(len(PolicyOutput._fields)))),
        [Dones(torch.tensor([True]), torch.tensor([False]), torch.ones(1, 4), torch.ones(1, 2))],
    ],
)  # fmt: skip
def test_values_on_wires_come_back_as_they_were(value):
    assert _same(decode(encode(value, "here"), CPU), value)


@pytest.mark.parametrize("value", [object(), {1, 2}, [lambda: None], {"a": b"bytes"}])
def test_other_values_are_refused_with_the_wire(value):
    with pytest.raises(CheckpointError, match="waits on the wire 1.a>2.b and cannot be saved"):
        encode(value, "on the wire 1.a>2.b")
