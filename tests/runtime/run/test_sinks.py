import pytest

from runtime.errors import NodeFailure, StorageError
from runtime.events import Paused
from runtime.run.blame import blame, innermost
from runtime.run.sinks import Sinks

EVENT = Paused(1.0, 2)


class _Node:
    def __init__(self, id):
        self.id, self.label = id, f"Node {id}"


def test_sinks_are_called_in_order():
    heard = []
    Sinks([lambda event: heard.append(("a", event)), lambda event: heard.append(("b", event))])(EVENT)
    assert heard == [("a", EVENT), ("b", EVENT)]


def test_a_later_sink_hears_what_an_earlier_one_could_not_take():
    def refuse(event):
        raise StorageError("full")

    heard = []
    sinks = Sinks([refuse, heard.append])
    with pytest.raises(StorageError, match="full"):
        sinks(EVENT)
    assert heard == [EVENT]
    assert str(sinks.error) == "full"


def test_the_first_error_is_kept():
    errors = iter([StorageError("first"), StorageError("second")])

    def refuse(event):
        raise next(errors)

    sinks = Sinks([refuse])
    for _ in range(2):
        with pytest.raises(StorageError):
            sinks(EVENT)
    assert str(sinks.error) == "first"


def _failure(cause):
    with pytest.raises(NodeFailure) as raised, blame(_Node("6")):
        raise cause
    return raised.value


def test_a_node_is_innocent_of_what_a_sink_raised():
    sinks, error = Sinks([]), StorageError("full")
    sinks.error = error
    assert sinks.acquit(_failure(error)) is error
    own = _failure(StorageError("full"))
    assert sinks.acquit(own) is own
    assert sinks.acquit(error) is error


def test_blame_names_the_node_and_keeps_the_cause():
    cause = ZeroDivisionError("no luck")
    failure = _failure(cause)
    assert (failure.node_id, failure.label, str(failure)) == (
        "6",
        "Node 6",
        "node 6 (Node 6): ZeroDivisionError: no luck",
    )
    assert failure.__cause__ is cause


def test_the_innermost_node_is_the_one_that_raised():
    inner = _failure(ZeroDivisionError())
    assert innermost(_failure(inner)) is inner
    plain = StorageError()
    assert innermost(plain) is plain
