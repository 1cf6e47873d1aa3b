"""The learning rate, against arithmetic done by hand."""

import pytest

from runtime.rl.learning_rate import adapted_rate, scheduled_rate
from runtime.rl.settings import PPOSettings


@pytest.mark.parametrize(
    ("schedule", "progress", "expected"),
    [("fixed", 0.5, 8e-4), ("linear", 0.25, 6e-4), ("linear", 1.5, 0.0), ("adaptive", 0.5, 5e-4)],
)
def test_an_update_begins_with_the_rate_of_its_schedule(schedule, progress, expected):
    settings = PPOSettings(learning_rate=8e-4, learning_rate_schedule=schedule)
    assert scheduled_rate(5e-4, progress, settings) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kl", "expected"), [(0.021, 4e-4), (0.02, 6e-4), (0.005, 6e-4), (0.0049, 9e-4), (1.0, 4e-4), (0.0, 9e-4)]
)
def test_the_adapted_rate_falls_where_the_policy_moves_too_far_and_grows_where_it_hardly_moves(kl, expected):
    assert adapted_rate(6e-4, kl, PPOSettings(desired_kl=0.01)) == pytest.approx(expected)


def test_the_adapted_rate_stays_between_its_limits():
    settings = PPOSettings(desired_kl=0.01, learning_rate_low=5e-4, learning_rate_high=7e-4)
    assert (adapted_rate(6e-4, 1.0, settings), adapted_rate(6e-4, 0.0, settings)) == (5e-4, 7e-4)
