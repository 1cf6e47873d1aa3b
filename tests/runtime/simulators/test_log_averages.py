import pytest
import torch

from runtime.simulators.log_averages import LogAverages


def test_means_are_taken_over_the_steps_that_gave_the_figure():
    averages = LogAverages()
    averages.add({"height": 1.0, "/robot/speed": torch.tensor(4.0)})
    averages.add({"height": 2.0})
    averages.add({"height": 6.0, "/robot/speed": torch.tensor([2.0])})
    assert averages.take() == {"env/height": 3.0, "env/robot/speed": 3.0}
    assert averages.take() == {}, "the next iteration begins anew"


def test_half_an_iteration_survives_a_stop():
    averages, again = LogAverages(), LogAverages()
    averages.add({"height": 1.0, "speed": torch.tensor(2.0)})
    again.load_state_dict(averages.state_dict())
    again.add({"height": 2.0, "speed": 3})
    assert again.take() == {"env/height": 1.5, "env/speed": 2.5}


def test_a_figure_of_several_elements_is_an_error():
    averages = LogAverages()
    averages.add({"heights": torch.ones(3)})
    with pytest.raises(RuntimeError, match="shape"):
        averages.take()
