import math

import pytest
import torch

from runtime.rl.metrics import explained_variance, finite_mean, to_floats


def test_explained_variance_by_hand():
    returns = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert float(explained_variance(returns, returns)) == 1.0
    assert float(explained_variance(torch.zeros(2, 2), returns)) == 0.0
    # residual 0, 0, 0, 4: variance 4 of 5/3
    values = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
    assert float(explained_variance(values, returns)) == pytest.approx(1 - 4 / (5 / 3))
    assert math.isnan(float(explained_variance(values, torch.ones(2, 2))))


def test_mean_of_what_is_finite():
    assert float(finite_mean(torch.tensor([1.0, math.inf, 3.0, math.nan]))) == 2.0


def test_to_floats_keeps_names_and_order():
    metrics = {"b": torch.tensor(1.5), "a": torch.tensor(2.0, dtype=torch.float64)}
    assert list(to_floats(metrics).items()) == [("b", 1.5), ("a", 2.0)]
