import torch

from runtime.checkpoints.matching import fitting


def test_what_has_the_name_and_the_shape_fits():
    own = {"a": torch.zeros(2, 3), "b": torch.zeros(4), "c": torch.zeros(2)}
    state = {"a": torch.ones(2, 3), "b": torch.ones(5), "d": torch.ones(1), "e": 3}
    fit = fitting(own, state)
    assert set(fit.loaded) == {"a"}
    assert fit.loaded["a"] is state["a"]
    assert fit.left_out == {"b": "(5,) is there, not (4,)", "c": "missing"}
    assert fit.elements == (6, 12)
    assert fit.text == "6 of 12 weights fitted (50.0 %); not b ((5,) is there, not (4,)), c (missing)"


def test_a_whole_fit_says_so():
    own = {"a": torch.zeros(2)}
    assert fitting(own, own).text == "2 of 2 weights fitted (100.0 %)"
