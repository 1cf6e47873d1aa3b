"""What is known before a run: texts, agreement of shapes, settings of a task."""

import pytest

from runtime.spaces import Box
from runtime.specs import UNKNOWN, Spec, Specs, TaskSpec, check_task_parameters, shapes_agree


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        ((64, 4), (64, 4), True),
        ((64, 4), (64, 5), False),
        ((64, 4), (32, 4), False),
        ((64, 4), (64,), False),
        ((None, 4), (64, 4), True),
        ((None, 4), (64, None), True),
        ((None, 4), (64, 5), False),
        (None, (64, 4), True),
        (None, None, True),
        ((), (), True),
        ((), (1,), False),
    ],
)
def test_which_shapes_agree(first, second, agree):
    assert shapes_agree(first, second) is agree
    assert shapes_agree(second, first) is agree


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (Spec((64, 4), "float32"), "float32 (64, 4)"),
        (Spec((64,), "bool"), "bool (64,)"),
        (Spec((None, 4)), "(?, 4)"),
        (Spec((), "float32"), "float32 ()"),
        (Spec(None, "int64"), "int64"),
        (UNKNOWN, ""),
    ],
)
def test_texts(spec, text):
    assert spec.text == text


def test_another_shape_keeps_the_rest():
    spec = Spec((64, 4), "float32", None, ("stack",), ("a",))
    assert spec.with_shape((64, 8)) == Spec((64, 8), "float32", None, ("stack",), ("a",))


def test_nothing_is_known_of_ports_that_are_not_connected():
    specs = Specs({"a": Spec((3,))})
    assert specs["a"].shape == (3,) and specs["b"] is UNKNOWN
    assert "b" not in specs, "asking leaves no trace"


def test_settings_of_a_task():
    task = TaskSpec("Cartpole", 2, Box((4,)), Box((1,)), task_parameters=("pole_length", "pole_mass"))
    assert list(check_task_parameters(task, ["pole_length"], "p")) == []
    known = "it has pole_length, pole_mass"
    assert list(check_task_parameters(task, ["pole_lenght", "x"], "p")) == [
        ("p", "Cartpole has no task parameter 'pole_lenght'; did you mean 'pole_length'?", known),
        ("p", "Cartpole has no task parameter 'x'", known),
    ]
