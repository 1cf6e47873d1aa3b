"""Port types fit where they should, and ports keep what they were declared with."""

import re

import pytest

from runtime import ports
from runtime.ports import ANY, HELD, PORT_TYPES, STREAM, TRIGGER, TRIGGERED, In, Out


@pytest.mark.parametrize(
    ("given", "taken", "fits"),
    [
        (ports.OBSERVATIONS, ports.OBSERVATIONS, True),
        (ports.OBSERVATIONS, ports.TENSOR, True),
        (ports.TENSOR, ports.OBSERVATIONS, True),
        (ports.OBSERVATIONS, ports.REWARDS, False),
        (ports.REWARDS, ports.ACTIONS, False),
        (ports.INT, ports.FLOAT, True),
        (ports.FLOAT, ports.INT, True),
        (ports.FLOAT, ports.TENSOR, False),
        (ports.DONES, ports.TENSOR, False),
        (ports.MODEL, ANY, True),
        (ANY, ports.MODEL, True),
        (ports.STRING, ports.BOOL, False),
    ],
)
def test_which_types_fit(given, taken, fits):
    assert given.fits(taken) is fits


def test_is_a_follows_the_parents_and_not_the_children():
    assert ports.ACTIONS.is_a(ports.TENSOR) and ports.ACTIONS.is_a(ports.ACTIONS)
    assert not ports.TENSOR.is_a(ports.ACTIONS)


def test_every_type_has_a_name_a_colour_and_a_doc_of_its_own():
    assert len({kind.name for kind in PORT_TYPES}) == len({kind.colour for kind in PORT_TYPES}) == len(PORT_TYPES)
    for kind in PORT_TYPES:
        assert re.fullmatch("#[0-9a-f]{6}", kind.colour) and kind.doc
    declared = {value for value in vars(ports).values() if isinstance(value, ports.PortType)}
    assert declared == set(PORT_TYPES)


def test_a_port_of_type_trigger_is_a_trigger_and_never_gates():
    port = In(TRIGGER, "Releases")
    assert (port.kind, port.optional) == (TRIGGERED, True)
    assert In(ANY, "A value").kind == STREAM
    assert In(ANY, "A value", kind=HELD).optional is False


def test_one_earlier_name_may_be_given_without_a_tuple():
    assert In(ANY, "A value", replaces="old").replaces == ("old",)
    assert Out(ANY, "A value", replaces=("old", "older")).replaces == ("old", "older")
