"""Declarations of tasks and the check of task parameters."""

import math

import pytest

from runtime.errors import ParameterError
from runtime.simulators.tasks import TASKS
from runtime.simulators.tasks.cartpole import Cartpole


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_declarations_agree(task):
    names = [parameter.name for parameter in task.parameters]
    assert len(set(names)) == len(names)
    for parameter in task.parameters:
        assert parameter.name.isidentifier()
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.unit
        assert parameter.doc
    assert len(task.action_effort) == task.action_space.shape[0]


def test_the_spec_needs_no_instance():
    spec = Cartpole.spec(7)
    assert (spec.name, spec.num_envs, spec.max_episode_length) == ("Cartpole", 7, 500)
    assert spec.observation_space.shape == (4,)
    assert spec.action_space.shape == (1,)
    assert spec.action_effort == (400.0,)
    assert "pole_length" in spec.task_parameters
    assert spec.reward_components == ("upright", "cart_velocity", "pole_velocity", "failure")


def test_values_at_both_ends_of_the_range_are_accepted():
    Cartpole.check_parameters({"start_position_range": 0, "push_effort": 2000.0})


def test_a_misspelt_name_is_answered_with_the_close_one():
    with pytest.raises(
        ParameterError, match=r"Cartpole has no task parameter 'pole_lenght'; did you mean 'pole_length'\?"
    ):
        Cartpole.check_parameters({"pole_lenght": 1.0})


@pytest.mark.parametrize("value", [-0.1, 1.6, math.nan, math.inf, "0.1", None, True])
def test_values_out_of_range_are_refused(value):
    with pytest.raises(ParameterError, match=r"'start_position_range' must be a number from 0 to 1.5 \(m and rad\)"):
        Cartpole.check_parameters({"start_position_range": value})
