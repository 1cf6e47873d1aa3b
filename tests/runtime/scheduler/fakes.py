"""Small nodes without any physics or networks, and a way to wire and run them."""

import asyncio
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from runtime.context import RunContext
from runtime.events import Event, EventBus
from runtime.graph import Graph
from runtime.node import ANY_INPUT, Node
from runtime.parameters import param
from runtime.ports import ANY, HELD, TRIGGER, In, Out
from runtime.scheduler.control import RunControl
from runtime.scheduler.engine import Engine
from runtime.scheduler.machine import DEFAULT_QUEUE_SIZE, Link


class Fake(Node):
    """A node that writes down what it computed, in a list that the whole graph may share."""

    category = "Test"

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.trace: List[Tuple[str, Any]] = []

    def note(self, value: Any) -> Any:
        """Remember a value and hand it on."""
        self.trace.append((self.id, value))
        return value


class Source(Fake):
    """Gives a value, once."""

    title = "Source"
    output = Out(ANY, "The value")
    value: Any = param(0, doc="The value")

    def compute(self) -> Dict[str, Any]:
        return {"output": self.note(self.value)}


class Ticker(Fake):
    """Counts by the clock, up to a number, then asks for the end of the run."""

    title = "Ticker"
    output = Out(ANY, "1, 2, 3, …")
    seconds: float = param(0.001, low=0.0, doc="Seconds between two values")
    last: int = param(5, low=1, doc="The run ends after this value")

    def setup(self) -> None:
        self.count = 0

    def interval(self) -> Optional[float]:
        return self.seconds

    def compute(self) -> Dict[str, Any]:
        self.count += 1
        if self.count >= self.last:
            self.context.request_stop(f"{self.last} ticks")
        return {"output": self.note(self.count)}


class Relay(Fake):
    """Adds a number to what it is given."""

    title = "Relay"
    value = In(ANY, "Any number")
    output = Out(ANY, "The sum")
    plus: int = param(0, doc="What is added", live=True)
    fixed: int = param(0, doc="Not live")

    def compute(self, value: Any) -> Dict[str, Any]:
        return {"output": self.note(value + self.plus)}


class Mix(Fake):
    """A number that depends on the order and the values of its inputs."""

    title = "Mix"
    first = In(ANY, "Any number")
    second = In(ANY, "Any number")
    output = Out(ANY, "A mixture")

    def compute(self, first: Any, second: Any) -> Dict[str, Any]:
        return {"output": self.note((31 * first + 17 * second + 1) % 1_000_003)}


class HeldMix(Fake):
    """Mixes a stream with a held value."""

    title = "Held Mix"
    value = In(ANY, "Any number")
    held = In(ANY, "Keeps its last value", kind=HELD)
    output = Out(ANY, "A mixture")

    def compute(self, value: Any, held: Any) -> Dict[str, Any]:
        return {"output": self.note((31 * value + 17 * held + 1) % 1_000_003)}


class Join(Fake):
    """Fires on any of its inputs."""

    title = "Join"
    fires_on = ANY_INPUT
    input_a = In(ANY, "First", optional=True)
    input_b = In(ANY, "Second", optional=True)
    input_c = In(ANY, "Third", optional=True)
    output = Out(ANY, "What arrived", same_as="input_a")

    def compute(self, **inputs: Any) -> Dict[str, Any]:
        (value,) = inputs.values()
        return {"output": self.note(value)}


class Every(Fake):
    """Sums its input and gives the sum of every few values."""

    title = "Every"
    value = In(ANY, "Any number")
    output = Out(ANY, "The sum so far", every="period")
    period: int = param(3, low=1, doc="Values to one sum")

    def setup(self) -> None:
        self.count = self.sum = 0

    def compute(self, value: Any) -> Dict[str, Any]:
        self.count, self.sum = self.count + 1, self.sum + value
        self.note(self.sum)
        return {"output": self.sum} if self.count % self.period == 0 else {}


class Filter(Fake):
    """Passes even numbers on: its rate depends on data."""

    title = "Filter"
    value = In(ANY, "Any number")
    output = Out(ANY, "Even numbers", every=None)

    def compute(self, value: Any) -> Dict[str, Any]:
        self.note(value)
        return {"output": value} if value % 2 == 0 else {}


class Split(Fake):
    """Fires on any input; each output belongs to one of them."""

    title = "Split"
    fires_on = ANY_INPUT
    left = In(ANY, "Any number")
    right = In(ANY, "Any number")
    left_output = Out(ANY, "left", on_input="left")
    right_output = Out(ANY, "-right", on_input="right")

    def compute(self, left: Any = None, right: Any = None) -> Dict[str, Any]:
        if left is not None:
            return {"left_output": self.note(left)}
        return {"right_output": self.note(-right)}


class Waiter(Fake):
    """Like Step: reports at once, and holds the next number until it is triggered."""

    title = "Waiter"
    value = In(ANY, "Any number")
    trigger = In(TRIGGER, "Releases the oldest number")
    following = Out(ANY, "The number after", on_release=True)
    report = Out(ANY, "Something about the number")

    def setup(self) -> None:
        self.held: List[Any] = []

    def compute(self, value: Any) -> Dict[str, Any]:
        following = (7 * value + 3) % 1_000_003
        outputs = {"report": self.note(value % 11)}
        if "trigger" in self.connected:
            self.held.append(following)
        else:
            outputs["following"] = following
        return outputs

    def release(self) -> Dict[str, Any]:
        return {"following": self.note(self.held.pop(0))}


class Learner(Fake):
    """Like the trainer: triggers once per pair, and gives a figure every few of them."""

    title = "Learner"
    state = In(ANY, "Any number")
    report = In(ANY, "Any number")
    trigger = Out(TRIGGER, "Once per pair")
    figure = Out(ANY, "A figure of the last pairs", every="period")
    period: int = param(4, low=1, doc="Pairs to one figure")

    def setup(self) -> None:
        self.count = self.sum = 0

    def compute(self, state: Any, report: Any) -> Dict[str, Any]:
        self.count += 1
        self.sum = self.note((self.sum * 13 + state + report) % 1_000_003)
        if self.count % self.period:
            return {"trigger": True}
        return {"trigger": True, "figure": self.sum}


class AsyncRelay(Fake):
    """Really waits before it passes a value on."""

    title = "Async Relay"
    value = In(ANY, "Any number")
    output = Out(ANY, "The same number")
    seconds: float = param(0.001, low=0.0, doc="How long it waits")

    async def compute(self, value: Any) -> Dict[str, Any]:  # type: ignore[override]
        await asyncio.sleep(self.seconds)
        return {"output": self.note(value)}


class Sink(Fake):
    """Takes a number and may ask for the end of the run."""

    title = "Sink"
    value = In(ANY, "Any number")
    last: int = param(0, low=0, doc="The run ends after so many values; 0 for never")

    def setup(self) -> None:
        self.count = 0

    def compute(self, value: Any) -> None:
        self.note(value)
        self.count += 1
        if self.count == self.last:
            self.context.request_stop(f"{self.last} values")


class Broken(Fake):
    """Raises when it is given a certain number."""

    title = "Broken"
    value = In(ANY, "Any number")
    output = Out(ANY, "The same number")
    at: int = param(0, doc="The number that it cannot stand")

    def compute(self, value: Any) -> Dict[str, Any]:
        if value == self.at:
            raise ValueError(f"I cannot stand {value}")
        return {"output": value}


def links(*wires: str) -> List[Link]:
    """Links from ``"source.port > target.port"``."""
    ends = [wire.replace(" ", "").split(">") for wire in wires]
    return [Link(*source.split("."), *target.split(".")) for source, target in ends]


def graph_of(nodes: Sequence[Node], *wires: str) -> Graph:
    """A graph of nodes that share one trace."""
    graph = Graph({node.id: node for node in nodes}, links(*wires))
    graph.wire()
    trace: List[Tuple[str, Any]] = []
    for node in nodes:
        node.trace = trace  # type: ignore[attr-defined]
    return graph


class Bench:
    """A graph with an engine, its events and its trace."""

    def __init__(
        self,
        nodes: Sequence[Node],
        *wires: str,
        scheduler: str = "auto",
        queue_size: int = DEFAULT_QUEUE_SIZE,
        at_safe_point: Optional[Callable[[], Optional[str]]] = None,
        context: Optional[RunContext] = None,
    ):
        self.graph = graph_of(nodes, *wires)
        self.nodes = list(nodes)
        self.events: List[Event] = []
        self.context = context or RunContext()
        self.context.emit = EventBus([self.events.append])
        self.control = RunControl()
        for node in nodes:
            node.context = self.context
        for node in nodes:
            node.setup()
        self.engine = Engine(
            self.nodes, self.graph.links, self.context, self.control, queue_size, scheduler, at_safe_point
        )

    def run(self) -> str:
        """Prepare and run to the end."""
        self.engine.prepare()
        return self.engine.run()

    @property
    def trace(self) -> List[Tuple[str, Any]]:
        """(node id, value) in the order of computation."""
        return self.nodes[0].trace  # type: ignore[attr-defined, no-any-return]

    def values(self, node_id: str) -> List[Any]:
        """What one node computed."""
        return [value for who, value in self.trace if who == node_id]

    def of(self, kind: type) -> List[Any]:
        """Events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def firings(self) -> Dict[str, int]:
        """Firings by node id."""
        return {unit.node.id: unit.firings for unit in self.engine.machine.units}


def both_ways(make: Callable[[], Tuple[Iterable[Node], Sequence[str]]], **options: Any) -> Tuple[Bench, Bench]:
    """The same graph by static schedule and by queues, run to the end."""
    benches = []
    for scheduler in ("static", "queues"):
        nodes, wires = make()
        bench = Bench(list(nodes), *wires, scheduler=scheduler, **options)
        bench.reason = bench.run()  # type: ignore[attr-defined]
        benches.append(bench)
    return benches[0], benches[1]
