"""Node classes are checked when they are created; instances take checked parameters."""

import textwrap
from typing import Any, Dict, List

import pytest
import torch

from runtime.context import RunContext
from runtime.errors import NodeDefinitionError, ParameterError
from runtime.node import Node, held_inputs, stream_inputs
from runtime.parameters import param
from runtime.ports import ANY, FLOAT, HELD, TENSOR, TRIGGER, In, Out  # noqa: F401 - used by the declarations below


class Gae(Node):
    """Advantages."""

    title, category = "GAE", "RL"
    replaces = ("OldGae",)
    rewards = In(TENSOR, "r_t. Shape: (N,)", replaces=("reward",))
    model = In(ANY, "A model", kind=HELD)
    advantages = Out(TENSOR, "A_t. Shape: (T, N)", every="horizon")
    gamma: float = param(0.99, low=0.0, high=1.0, doc="Discount per step", live=True)
    horizon: int = param(16, low=1, doc="Steps")
    sizes: List[int] = param([64, 64], doc="Sizes")

    def compute(self, rewards: Any, model: Any) -> Dict[str, Any]:
        return {"advantages": rewards}


def define(body: str, header: str = "class Bad(Node):", **names: Any) -> type:
    """Create a class from its body, so that each test shows one mistake only."""
    scope = {
        name: value for name, value in globals().items() if name[0] != "_" and not name.startswith("test_")
    }  # fmt: skip
    scope.update(names)
    code = header + "\n" + textwrap.indent(textwrap.dedent(body), "    ")
    exec(compile(code, "<declaration>", "exec"), scope)
    return scope["Bad"]


GOOD = '''
"""Fine."""
title = "Bad"
value = In(ANY, "A value")
output = Out(ANY, "A value")
gain: float = param(1.0, low=0.0, doc="Gain")
def compute(self, value):
    return {"output": value}
'''


def test_the_template_of_these_tests_is_fine():
    assert define(GOOD).title == "Bad"


IN, OUT, TITLE, COMPUTE = 'In(ANY, "A value")', 'Out(ANY, "A value")', 'title = "Bad"', "def compute(self, value)"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (TITLE, "", "it has no title"),
        ('"""Fine."""', "", "it has no docstring"),
        ('"""Fine."""', '"""  """', "it has no docstring"),
        (IN, 'In(ANY, "")', "port 'value' has no doc"),
        (OUT, 'Out(ANY, "")', "port 'output' has no doc"),
        ('doc="Gain"', 'doc=""', "parameter 'gain' has no doc"),
        ("gain: float =", "gain =", "parameter 'gain' has no type annotation"),
        (
            "gain: float =",
            "gain: list =",
            "parameter 'gain' has the annotation <class 'list'>; supported are float, int",
        ),
        ("gain: float =", "gain: bytes =", "supported are float, int, bool, str, Any and List"),
        ("param(1.0", "param(-1.0", "the default of parameter 'gain': -1.0 is out of range; allowed: at least 0"),
        ("param(1.0", "param('one'", "the default of parameter 'gain': 'one' is not a number; allowed: at least 0"),
        (COMPUTE, "def compute(self)", "compute does not take the input 'value'"),
        (COMPUTE, "def compute(self, value, other)", "compute takes 'other', which is no stream or held"),
        (COMPUTE, "def calculate(self, value)", "it has no compute method"),
        (IN, IN[:-1] + ", optional=True)", "the optional input 'value' has no default in compute"),
        (IN, IN[:-1] + ', kind="steam")', "input 'value' is of kind 'steam'; expected one of stream"),
        (TITLE, 'title = "Bad"; fires_on = "some"', "fires_on is 'some'; expected 'all' or 'any'"),
        (TITLE, 'title = "Bad"; fires_on = "any"', "the node fires on any input, so that 'value' needs a default"),
        (OUT, OUT[:-1] + ', same_as="valve")', "is the same as 'valve', which is no input"),
        (OUT, OUT[:-1] + ', on_input="valve")', "is emitted on 'valve', which is no input"),
        (OUT, OUT[:-1] + ', on_input="value")', "is no input of a node that fires on any"),
        (OUT, OUT[:-1] + ', every="gains")', "emitted every 'gains' firings, which is no parameter"),
        (OUT, OUT[:-1] + ', every="gain")', "every 'gain' firings, which must be a whole number"),
        (OUT, OUT[:-1] + ", every=0)", "is emitted every 0 firings; expected a number from 1"),
        (OUT, OUT[:-1] + ", every=True)", "is emitted every True firings"),
        (OUT, OUT[:-1] + ", every=1.5)", "is emitted every 1.5 firings"),
        (OUT, OUT[:-1] + ", on_release=True)", "emitted on release, but the node has no trigger"),
        (OUT, OUT[:-1] + ", initially=True)", "but the node has no method initial"),
        ("output =", 'go = In(TRIGGER, "Releases")\noutput =', "it has a trigger port but no release method"),
        ("output =", "label = Out(ANY, 'A value')\noutput =", "the name 'label' belongs to every node; choose another"),
        ("gain:", "check: int = param(1, doc='A doc')\ngain:", "the name 'check' belongs to every node"),
        (
            IN,
            IN[:-1] + ', replaces=("x",))\nw = In(ANY, "W", replaces=("x",), optional=True)',
            "'w' replaces 'x', which is a name of 'value'",
        ),
        (OUT, OUT[:-1] + ', replaces="other")\nother = Out(ANY, "Other")', "which is a name of 'other'"),
    ],
)
def test_each_mistake_is_named(old, new, text):
    assert old in GOOD
    with pytest.raises(NodeDefinitionError) as caught:
        define(GOOD.replace(old, new, 1))
    assert str(caught.value).startswith("Node type Bad is not well declared: ")
    assert text in str(caught.value)


def test_every_mistake_is_named_at_once():
    with pytest.raises(NodeDefinitionError) as caught:
        define('value = In(ANY, "")\ngain: float = param("x", doc="")\ndef compute(self): pass')
    text = str(caught.value)
    for part in (
        "no title",
        "no docstring",
        "'value' has no doc",
        "'gain' has no doc",
        "the default of",
        "does not take",
    ):
        assert part in text


def test_a_trigger_without_release_is_noticed_whatever_compute_takes():
    with pytest.raises(NodeDefinitionError, match="no release method"):
        define('"""Fine."""\ntitle = "Bad"\ngo = In(TRIGGER, "Releases")\ndef compute(self, **inputs): pass')


def test_two_triggers_are_refused():
    with pytest.raises(NodeDefinitionError, match="it has the trigger ports go, run; one is the most"):
        define(
            '"""Fine."""\ntitle = "Bad"\ngo = In(TRIGGER, "Releases")\nrun = In(TRIGGER, "Releases")\n'
            "def compute(self): pass\ndef release(self): pass"
        )


def test_an_annotation_that_cannot_be_evaluated_is_named():
    with pytest.raises(
        NodeDefinitionError, match=r"Bad: an annotation cannot be evaluated on Python 3\.\d+ \(NameError"
    ):
        define(GOOD.replace("gain: float", "gain: 'Flaot'"))


def test_a_base_without_compute_and_title_is_left_alone():
    base = define('gain: float = param(1.0, doc="Gain")')
    assert list(base.parameters) == ["gain"]


def test_ports_parameters_and_docs_are_inherited_in_order():
    class Child(Gae):
        title = "Child"
        extra = In(FLOAT, "One more", optional=True)
        more: float = param(1.0, doc="More")

        def compute(self, rewards: Any, model: Any, extra: float = 0.0) -> Dict[str, Any]:
            return {}

    assert list(Child.inputs) == ["rewards", "model", "extra"]
    assert list(Child.parameters) == ["gamma", "horizon", "sizes", "more"]
    assert list(Gae.inputs) == ["rewards", "model"], "the parent is left alone"
    assert Child.replaces == (), "earlier names belong to the class that they were given to"
    assert Gae.replaces == ("OldGae",)
    assert Child.description() == "Advantages."


def test_a_plain_value_is_a_new_default():
    class Gae6(Gae):
        """The sixth."""

        type_name = "Gae"
        gamma = 0.9
        sizes: List[int] = (32, 32)

    assert (Gae6("1").gamma, Gae6("1").sizes, Gae6("1").horizon) == (0.9, [32, 32], 16)
    assert (Gae("1").gamma, Gae("1").sizes) == (0.99, [64, 64])
    assert Gae6.parameters["gamma"].high == 1.0
    assert (Gae6.type_name, Gae.type_name) == ("Gae", "Gae")


def test_a_plain_value_that_is_not_allowed_is_refused():
    for value, text in ((1.5, "1.5 is out of range; allowed: 0 to 1"), ("x", "'x' is not a number")):
        with pytest.raises(NodeDefinitionError, match=f"Bad.gamma: {text}"):
            define(f"gamma = {value!r}", "class Bad(Gae):")


def test_a_plain_value_in_place_of_a_port_is_refused():
    with pytest.raises(NodeDefinitionError, match="'rewards' is a port, but the class sets it to 3"):
        define("rewards = 3", "class Bad(Gae):")
    with pytest.raises(NodeDefinitionError, match="'advantages' is declared twice"):
        define("advantages: int = param(1, doc='A doc')", "class Bad(Gae):")


def test_instances_take_checked_values_of_their_own():
    node = Gae("6", {"gamma": 1, "sizes": (8,)}, label="My GAE")
    assert (node.id, node.label, node.gamma, node.sizes) == ("6", "My GAE", 1.0, [8])
    assert Gae("7").label == "GAE"
    assert node.parameter_values() == {"gamma": 1.0, "horizon": 16, "sizes": [8]}
    first, second = Gae("1"), Gae("2")
    first.sizes.append(3)
    assert second.sizes == [64, 64]


def test_unknown_parameters_and_wrong_values_are_refused():
    with pytest.raises(ParameterError, match="Gae has no parameter 'gama'; did you mean 'gamma'?"):
        Gae("1", {"gama": 1.0})
    with pytest.raises(ParameterError, match="2 is out of range"):
        Gae("1", {"gamma": 2})


def test_kinds_of_inputs():
    assert stream_inputs(Gae("1")) == ["rewards"]
    assert held_inputs(Gae("1")) == ["model"]


def test_rates():
    assert Gae("1", {"horizon": 5}).emits_every("advantages") == 5


def test_each_node_draws_from_a_generator_of_its_own():
    def draws(node_id: str, **options: Any) -> List[float]:
        node = Gae(node_id)
        node.context = RunContext(**options)
        return torch.rand(4, generator=node.generator).tolist()

    before = torch.get_rng_state()
    first = draws("1")
    assert first == draws("1")
    others = [draws("2"), draws("1", seed=1), draws("1", rank=1), draws("11"), draws("1", seed=2**63 - 1)]
    assert all(first != other for other in others)
    assert torch.equal(torch.get_rng_state(), before), "torch's global generator is left alone"


def test_the_state_of_the_generator_is_saved_only_where_it_was_used():
    node = Gae("1")
    node.context = RunContext()
    assert node.random_state is None
    node.random_state = None
    torch.rand(3, generator=node.generator)
    saved = node.random_state
    following = torch.rand(3, generator=node.generator)
    again = Gae("1")
    again.context = RunContext()
    again.random_state = saved
    assert torch.equal(torch.rand(3, generator=again.generator), following)


def test_a_trigger_port_without_a_class_method_says_so():
    with pytest.raises(NotImplementedError, match="Gae has a trigger port but no release method"):
        Gae("1").release()
