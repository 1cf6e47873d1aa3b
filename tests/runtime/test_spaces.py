import math

import pytest

from runtime.spaces import Box, Discrete, MultiDiscrete, flat_size, policy_outputs


@pytest.mark.parametrize(
    ("space", "shape", "size", "outputs"),
    [
        (Box((3,)), (3,), 3, 3),
        (Box((2, 4)), (2, 4), 8, 8),
        (Discrete(5), (), 1, 5),
        (MultiDiscrete((2, 3)), (2,), 2, 5),
    ],
)
def test_sizes(space, shape, size, outputs):
    assert (space.shape, flat_size(space), policy_outputs(space)) == (shape, size, outputs)


def test_bounds_are_one_for_all_or_one_each():
    assert Box((2,)).low == -math.inf
    assert Box([2], low=[-1, -2], high=1.0) == Box((2,), low=(-1.0, -2.0), high=1.0)
    with pytest.raises(ValueError, match="low has 3 values"):
        Box((2,), low=(0, 0, 0))


@pytest.mark.parametrize(
    "make", [lambda: Box((0,)), lambda: Discrete(0), lambda: MultiDiscrete(()), lambda: MultiDiscrete((2, 0))]
)
def test_empty_spaces_are_refused(make):
    with pytest.raises(ValueError, match="at least 1"):
        make()
