import pytest
import torch

from runtime.rl.checks import NonFiniteError, all_finite, check_parameters, check_rollout, check_successors


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_the_place_is_named(value):
    observations = torch.zeros(4, 3, 2)
    observations[2, 1, 0] = value
    with pytest.raises(
        NonFiniteError, match=f"observations hold {value} at rollout step 2, environment 1, element \\(0,\\)"
    ):
        check_rollout({"actions": torch.zeros(4, 3, dtype=torch.int64), "observations": observations})


def test_two_infinities_do_not_cancel():
    rewards = torch.tensor([[float("inf"), float("-inf")]])
    with pytest.raises(NonFiniteError, match="rewards hold inf at rollout step 0, environment 0;"):
        check_rollout({"rewards": rewards})


def test_large_numbers_whose_sum_overflows_are_finite():
    tensors = {"values": torch.full((10, 10), 3e38)}
    assert all_finite(tensors)
    check_rollout(tensors)


def test_successors_are_named_by_step_and_environment():
    kept = {"last": torch.zeros(3, 2), "cut": torch.zeros(2, 2), "cut_index": torch.tensor([[1, 4], [0, 2]])}
    check_successors(kept, 8)
    kept["cut"][1, 0] = float("nan")
    with pytest.raises(NonFiniteError, match="final_observations hold nan at rollout step 4, environment 2"):
        check_successors(kept, 8)
    kept["last"][1, 0] = float("inf")
    with pytest.raises(NonFiniteError, match="inf at rollout step 7, environment 1"):
        check_successors(kept, 8)


def test_parameters_are_named():
    with pytest.raises(NonFiniteError, match=r"parameter head.bias holds nan at \(1,\)"):
        check_parameters({"head.weight": torch.zeros(2, 2), "head.bias": torch.tensor([0.0, float("nan")])})
