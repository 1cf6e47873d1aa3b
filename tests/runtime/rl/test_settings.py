import dataclasses

import pytest

from runtime.errors import ParameterError
from runtime.rl.settings import PPOSettings


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("gamma", 1.1), ("clip_param", -0.1), ("num_epochs", 0), ("learning_rate", float("nan")), ("amp", "fp8"),
        ("learning_rate_schedule", "cosine"), ("target_kl", -1.0), ("minibatch_size", -1),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named(setting, value):
    with pytest.raises(ParameterError, match=setting):
        dataclasses.replace(PPOSettings(), **{setting: value})


def test_rows_per_minibatch():
    assert PPOSettings(horizon_length=16, num_minibatches=4).rows_per_minibatch(64) == 256
    assert PPOSettings(horizon_length=16, minibatch_size=128).rows_per_minibatch(64) == 128


def test_an_uneven_division_suggests_one_that_fits():
    with pytest.raises(ParameterError, match="10 transitions does not divide into 4 equal minibatches; 5 would fit"):
        PPOSettings(horizon_length=10, num_minibatches=4).rows_per_minibatch(1)
    with pytest.raises(ParameterError, match="does not divide into minibatches of 8192; 1024 would fit"):
        PPOSettings(minibatch_size=8192).rows_per_minibatch(64)
