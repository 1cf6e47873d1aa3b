"""Static schedules: found from declared rates, refused where rates are not constant, and held to what they say."""

import pytest

from runtime.errors import DeadlockError, RateError
from runtime.scheduler.compiled import Compiler
from runtime.scheduler.machine import Machine
from runtime.scheduler.static_schedule import MAX_ACTIONS, NotStatic, derive
from tests.runtime.scheduler.fakes import (
    AsyncRelay,
    Bench,
    Every,
    Filter,
    Join,
    Learner,
    Relay,
    Sink,
    Source,
    Split,
    Ticker,
    graph_of,
)
from tests.runtime.scheduler.test_deadlock import earlier_design
from tests.runtime.scheduler.test_firing_rules import reference


def schedule_of(nodes, wires, queue_size=2):
    graph = graph_of(nodes, *wires)
    return derive(list(graph.nodes.values()), graph.links, queue_size)


def names(nodes, entries):
    return [nodes[entry.unit].id + ("!" if entry.kind == "release" else "") for entry in entries]


@pytest.mark.parametrize("queue_size", [1, 2, 8])
def test_the_reference_graph_repeats_after_one_cycle(queue_size):
    nodes, wires = reference()
    schedule = schedule_of(nodes, wires, queue_size)
    both = names(nodes, schedule.prologue + schedule.period)
    assert both[:6] == ["1", "2", "3", "4", "5", "6"]
    assert sorted(names(nodes, schedule.period)) == ["2", "3", "4", "5", "5!", "6"]
    safe = [entry for entry in schedule.period if entry.ready is not None]
    assert len(safe) == 1, "once per cycle"
    assert nodes[safe[0].unit].id == "6" and safe[0].ready == (4,), "Step may release"


def test_rates_of_wired_ports_lengthen_the_period_and_those_of_others_do_not():
    nodes, wires = reference(period=4)
    assert len(schedule_of(nodes, wires).period) == 6
    nodes, wires = reference(period=4)
    schedule = schedule_of([*nodes, Sink("k")], [*wires, "6.figure > k.value"])
    assert len(schedule.period) == 4 * 6 + 1
    assert names([*nodes, Sink("k")], schedule.period).count("k") == 1


def test_rates_in_a_row_multiply():
    nodes = [Source("a"), Join("j"), Relay("r"), Every("three"), Every("two", {"period": 2}), Sink("k")]
    wires = [
        "a.output > j.input_a", "r.output > j.input_b", "j.output > r.value", "j.output > three.value",
        "three.output > two.value", "two.output > k.value",
    ]  # fmt: skip
    schedule = schedule_of(nodes, wires)
    counts = {node.id: names(nodes, schedule.period).count(node.id) for node in nodes}
    assert counts == {"a": 0, "j": 6, "r": 6, "three": 6, "two": 2, "k": 1}


def test_on_input_ports_follow_the_input_that_fired():
    nodes = [Source("a"), Join("j"), Split("s"), Every("e", {"period": 2}), Sink("left"), Sink("right")]
    wires = [
        "a.output > j.input_a", "s.left_output > j.input_b", "j.output > s.left", "j.output > e.value",
        "e.output > s.right", "s.left_output > left.value", "s.right_output > right.value",
    ]  # fmt: skip
    schedule = schedule_of(nodes, wires)
    counts = {node.id: names(nodes, schedule.period).count(node.id) for node in nodes}
    cycles = counts["right"]
    assert cycles >= 1
    assert counts == {"a": 0, "j": 2 * cycles, "s": 3 * cycles, "e": 2 * cycles, "left": 2 * cycles, "right": cycles}


def test_a_graph_that_comes_to_an_end_has_an_empty_period():
    schedule = schedule_of([Source("a"), Relay("r")], ["a.output > r.value"])
    assert (len(schedule.prologue), schedule.period) == (2, ())
    assert schedule.text == "static schedule of 0 firings (2 before it)"


@pytest.mark.parametrize(
    ("nodes", "wires", "reason"),
    [
        ([Ticker("t"), Sink("k")], ["t.output > k.value"], r"node t \(Ticker\) fires by the clock"),
        ([Source("a"), AsyncRelay("r")], ["a.output > r.value"], r"node r \(Async Relay\) is asynchronous"),
        (
            [Source("a"), Filter("f"), Sink("k")],
            ["a.output > f.value", "f.output > k.value"],
            r"the rate of output 'output' of node f \(Filter\) depends on data",
        ),
    ],
)
def test_refused_with_a_reason_that_names_the_node(nodes, wires, reason):
    with pytest.raises(NotStatic, match=reason):
        schedule_of(nodes, wires)


def test_a_rate_that_depends_on_data_does_not_matter_where_nothing_is_wired():
    assert schedule_of([Source("a"), Filter("f")], ["a.output > f.value"]).period == ()


def test_a_period_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr("runtime.scheduler.static_schedule.MAX_ACTIONS", 1000)
    nodes, wires = reference(period=400)
    with pytest.raises(NotStatic, match="did not repeat within 1000 firings"):
        schedule_of([*nodes, Sink("k")], [*wires, "6.figure > k.value"])
    assert MAX_ACTIONS > 1000


def test_a_deadlock_is_found_without_running_anything():
    nodes, wires = earlier_design()
    with pytest.raises(DeadlockError, match=r"node 6 \(Trainer\) waits at its input 'report'"):
        schedule_of(nodes, wires)


def test_nodes_that_never_fire_are_listed_with_their_port():
    nodes = [Source("a"), Sink("k"), Join("j"), Relay("r")]
    schedule = schedule_of(nodes, ["a.output > k.value", "j.output > r.value", "r.output > j.input_a"])
    assert [(wait.unit.node.id, wait.port) for wait in schedule.starving] == [("j", "input_a"), ("r", "value")]


def test_a_graph_that_is_never_quiet_may_stop_after_any_firing_once_a_cycle_has_passed():
    nodes, wires = reference(trigger=False)
    graph = graph_of(nodes, *wires)
    schedule = derive(nodes, graph.links, 2)
    assert all(entry.ready is not None for entry in schedule.period)
    first = [entry.ready is not None for entry in schedule.prologue].index(True)
    assert first == Machine(nodes, graph.links).cycle_length - 1 == 6


def test_equal_actions_share_a_closure():
    nodes, wires = reference(period=4)
    bench = Bench([*nodes, Sink("k")], *wires, "6.figure > k.value")
    bench.engine.prepare()
    steps = [
        step
        for section in Compiler(bench.engine.machine).sections(bench.engine.schedule.period)
        for step in section.steps
    ]
    assert len(steps) == 25 and len(set(steps)) == 8, "six actions, a learner that gives its figure, a sink"


class Lazy(Every):
    """Says every third, and gives every second."""

    title = "Lazy"

    def compute(self, value):
        self.count += 1
        return {"output": value} if self.count % 2 == 0 else {}


class Mute(Relay):
    """Gives nothing at all."""

    title = "Mute"

    def compute(self, value):
        return None


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (
            Lazy("n"),
            r"node n \(Lazy\) emitted output at fire 2, against the declared rates; declare the port with every",
        ),
        (Mute("n"), r"node n \(Mute\) did not emit output at fire 1, against the declared rates"),
    ],
)
def test_a_node_that_breaks_its_declared_rate_ends_the_run(node, text):
    nodes, wires = reference()
    bench = Bench([*nodes, node, Sink("k")], *wires, "2.output > n.value", "n.output > k.value", scheduler="static")
    with pytest.raises(RateError, match=text):
        bench.run()


def test_an_output_on_release_must_not_come_from_compute():
    nodes, wires = reference()
    step = nodes[4]
    compute = step.compute
    step.compute = lambda value: dict(compute(value), following=1)
    with pytest.raises(RateError, match=r"node 5 \(Waiter\) emitted following at fire 1"):
        Bench(nodes, *wires, scheduler="static").run()


def test_a_missing_trigger_is_noticed():
    nodes, wires = reference()
    nodes[5].compute = lambda state, report: {}
    with pytest.raises(RateError, match=r"node 6 \(Learner\) did not emit trigger at fire 1"):
        Bench(nodes, *wires, scheduler="static").run()


def test_static_is_refused_where_it_was_asked_for_but_impossible():
    with pytest.raises(NotStatic):
        Bench([Source("a"), AsyncRelay("r")], "a.output > r.value", scheduler="static").run()


def test_the_choice_of_a_schedule_is_explained():
    nodes, wires = reference()
    bench = Bench(nodes, *wires)
    bench.engine.prepare()
    assert bench.engine.schedule_reason == "static schedule of 6 firings (2 before it)"
    bench = Bench([Source("a"), Sink("k")], "a.output > k.value", scheduler="queues")
    bench.engine.prepare()
    assert bench.engine.schedule_reason == "queues were asked for"


def test_inference_may_change_rates():
    class Trainer(Learner):
        """Gives no figures in inference."""

        title = "Trainer"

        def emits_every(self, port):
            return 0 if port == "figure" else super().emits_every(port)

        def compute(self, state, report):
            return {"trigger": True}

    nodes, wires = reference()
    nodes = [*nodes[:5], Trainer("6"), Sink("k")]
    bench = Bench(nodes, *wires, "6.figure > k.value", scheduler="static")
    bench.engine.prepare()
    assert len(bench.engine.schedule.period) == 6
    assert [wait.unit.node.id for wait in bench.engine.schedule.starving] == ["k"]
