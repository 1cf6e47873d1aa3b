import math

import pytest
import torch

from runtime.errors import RunError
from runtime.evaluation.statistics import Episodes, bootstrap_interval, interquartile_mean, success_rate, summarize


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([8.0, 1.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0], 4.5),  # 3, 4, 5, 6
        ([100.0, 1.0, 2.0, 3.0, -50.0], 2.0),  # ⌊5/4⌋ = 1 off each end
        ([1.0, 2.0, 9.0], 4.0),  # ⌊3/4⌋ = 0
        ([5.0], 5.0),
    ],
)
def test_the_interquartile_mean_by_hand(values, mean):
    assert float(interquartile_mean(torch.tensor(values))) == mean


def test_the_interquartile_mean_against_a_second_implementation():
    generator = torch.Generator().manual_seed(0)
    for size in range(1, 40):
        values = torch.randn(size, generator=generator, dtype=torch.float64)
        ordered = sorted(values.tolist())
        kept = ordered[size // 4 : size - size // 4]
        assert math.isclose(float(interquartile_mean(values)), sum(kept) / len(kept), rel_tol=1e-12, abs_tol=1e-12)


def test_the_interval_of_equal_values_is_a_point_and_of_two_values_spans_them():
    assert bootstrap_interval([torch.full((10,), 3.0, dtype=torch.float64)]) == (3.0, 3.0)
    # Of two values a resample is (0, 0), (0, 1) or (1, 1) with 1/4, 1/2 and 1/4: both ends are within 95 %.
    assert bootstrap_interval([torch.tensor([0.0, 1.0], dtype=torch.float64)]) == (0.0, 1.0)


def test_resampling_stays_within_each_group():
    zeros, ones = torch.zeros(8, dtype=torch.float64), torch.ones(8, dtype=torch.float64)
    assert bootstrap_interval([zeros, ones]) == (0.5, 0.5)
    low, high = bootstrap_interval([torch.cat((zeros, ones))])
    assert low < 0.5 < high


def test_the_interval_covers_the_mean_of_a_known_distribution():
    generator = torch.Generator().manual_seed(1)
    covered = 0
    for _ in range(100):
        low, high = bootstrap_interval([torch.randn(60, generator=generator, dtype=torch.float64)], resamples=300)
        covered += low <= 0.0 <= high
    assert 86 <= covered <= 100  # 95 ± 4 standard deviations


def test_a_summary_by_hand():
    first, second = Episodes([1.0, 2.0], [10, 20], 3.0), Episodes([3.0, 6.0], [30, 40], 3.0)
    figures = summarize([first, second])
    assert (figures["episodes"], figures["mean"], figures["min"], figures["max"]) == (4, 3.0, 1.0, 6.0)
    assert figures["std"] == math.sqrt((4 + 1 + 0 + 9) / 4)
    assert figures["iqm"] == 2.5
    assert figures["mean_length"] == 25.0
    assert figures["success_rate"] == 0.5


def test_success_is_only_where_the_task_defines_it():
    assert success_rate(torch.tensor([1.0]), None) is None
    assert success_rate(torch.tensor([474.9, 475.0, 480.0, 10.0]), 475.0) == 0.5


@pytest.mark.parametrize(("returns", "message"), [([], "no episode has ended"), ([1.0, math.nan], "NaN or infinite")])
def test_what_is_no_evaluation_is_refused(returns, message):
    with pytest.raises(RunError, match=message):
        summarize([Episodes(returns, [1] * len(returns))])
