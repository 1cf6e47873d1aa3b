import pytest
import torch

from runtime.rl.objective import (
    bounds_excess,
    bounds_loss,
    surrogate_gradient,
    surrogate_terms,
    value_gradient,
    value_loss,
)

CLIP = 0.2


def autograd(function, values):
    values = values.clone().requires_grad_()
    function(values).mean().backward()
    return values.grad


def test_surrogate_by_hand():
    # ratio 1.5 and 0.5 with advantages ±1: min(r A, clip(r) A)
    log_ratio = torch.tensor([1.5, 1.5, 0.5, 0.5, 1.1]).log()
    advantages = torch.tensor([1.0, -1.0, 1.0, -1.0, 2.0])
    expected = torch.tensor([-1.2, 1.5, -0.5, 0.8, -2.2])
    torch.testing.assert_close(surrogate_terms(log_ratio, -advantages / 5, CLIP), expected / 5)
    # clipped where that is the smaller: first and fourth
    gradient = surrogate_gradient(log_ratio, -advantages / 5, CLIP)
    torch.testing.assert_close(gradient, torch.tensor([0.0, 1.5, -0.5, 0.0, -2.2]) / 5)


def test_surrogate_gradient_equals_autograd(kit):
    log_ratio, weights = torch.randn(2, 200, generator=kit.generator()).mul_(torch.tensor([[0.3], [1.0]]))
    expected = autograd(lambda values: 200 * surrogate_terms(values, weights, CLIP), log_ratio)
    torch.testing.assert_close(surrogate_gradient(log_ratio, weights, CLIP), expected)


def test_clipped_value_loss_by_hand():
    values, old, returns = torch.tensor([1.0, 1.0, 0.1]), torch.tensor([0.0, 0.0, 0.0]), torch.tensor([2.0, 0.5, 1.0])
    # clipped predictions 0.2, 0.2, 0.1: max(1, 3.24), max(0.25, 0.09), max(0.81, 0.81)
    torch.testing.assert_close(value_loss(values, returns, old, CLIP), torch.tensor([3.24, 0.25, 0.81]))
    gradient = value_gradient(values, returns, old, CLIP, weight=3.0)
    torch.testing.assert_close(gradient, 3.0 / 3 * 2 * torch.tensor([0.0, 0.5, -0.9]))


@pytest.mark.parametrize("clipped", [False, True])
def test_value_gradient_equals_autograd(kit, clipped):
    values, returns, old = torch.randn(3, 200, generator=kit.generator())
    old = old if clipped else None
    expected = autograd(lambda v: 2.5 * value_loss(v, returns, old, CLIP), values)
    torch.testing.assert_close(value_gradient(values, returns, old, CLIP, 2.5), expected)


def test_bounds_by_hand():
    mean = torch.tensor([[1.5, -1.3], [0.3, 1.1]])
    torch.testing.assert_close(bounds_excess(mean, 1.1), torch.tensor([[0.4, -0.2], [0.0, 0.0]]))
    torch.testing.assert_close(bounds_loss(mean, 1.1), torch.tensor([0.16 + 0.04, 0.0]))


def test_nan_is_not_hidden_by_clipping():
    log_ratio = torch.tensor([float("nan"), 0.0])
    assert surrogate_gradient(log_ratio, torch.ones(2), CLIP).isnan()[0]
    old, returns = torch.zeros(2), torch.ones(2)
    assert value_gradient(log_ratio, returns, old, CLIP, 1.0).isnan()[0]
