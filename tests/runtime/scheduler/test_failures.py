"""A node that raises ends the run with its id, title and cause; so does one that returns something else than ports."""

import pytest

from runtime.errors import NodeFailure
from tests.runtime.scheduler.fakes import Bench, Broken, Relay, Sink, Source
from tests.runtime.scheduler.test_firing_rules import Starter, reference

BOTH = pytest.mark.parametrize("scheduler", ["static", "queues"])


@BOTH
def test_an_exception_names_the_node_and_keeps_its_cause(scheduler):
    bench = Bench(
        [Source("a", {"value": 3}), Broken("7", {"at": 3}, label="My node")], "a.output > 7.value", scheduler=scheduler
    )
    with pytest.raises(NodeFailure) as caught:
        bench.run()
    error = caught.value
    assert str(error) == "node 7 (My node): ValueError: I cannot stand 3"
    assert (error.node_id, error.label) == ("7", "My node")
    assert isinstance(error.__cause__, ValueError)
    assert error.__cause__.__traceback__ is not None


@BOTH
def test_an_exception_in_release_and_in_initial(scheduler):
    def fail():
        raise OSError("gone")

    nodes, wires = reference()
    nodes[4].release = fail
    with pytest.raises(NodeFailure, match=r"node 5 \(Waiter\): OSError: gone"):
        Bench(nodes, *wires, scheduler=scheduler).run()
    starter = Starter("s")
    starter.initial = fail
    with pytest.raises(NodeFailure, match=r"node s \(Starter\): OSError: gone"):
        Bench([starter, Sink("k")], "s.output > k.value", scheduler=scheduler).run()


@BOTH
@pytest.mark.parametrize(
    ("returned", "text"),
    [
        ({"output": 1, "outputs": 2}, "it returned values for outputs, but its outputs are output"),
        ([1], "it returned a list; expected a dictionary by output port, or None"),
        (7, "it returned a int; expected a dictionary by output port, or None"),
    ],
)
def test_what_compute_returns_is_checked(scheduler, returned, text):
    node = Relay("r")
    node.compute = lambda value: returned
    bench = Bench([Source("a"), node, Sink("k")], "a.output > r.value", "r.output > k.value", scheduler=scheduler)
    with pytest.raises(NodeFailure, match=f"node r .Relay.: DnneError: {text}"):
        bench.run()


@BOTH
def test_an_exception_is_not_a_keyboard_interrupt(scheduler):
    def interrupt(value):
        raise KeyboardInterrupt

    node = Relay("r")
    node.compute = interrupt
    with pytest.raises(KeyboardInterrupt):
        Bench([Source("a"), node], "a.output > r.value", scheduler=scheduler).run()


@BOTH
def test_an_exception_of_the_hosts_hook_passes_through(scheduler):
    nodes, wires = reference()

    def hook():
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        Bench(nodes, *wires, scheduler=scheduler, at_safe_point=hook).run()
