"""What the scheduler costs: a cycle of six nodes wired as the reference graph, which do nothing."""

import statistics
import time
from typing import Any, Dict, List, Optional

from runtime.context import RunContext
from runtime.graph import Graph
from runtime.node import ANY_INPUT, Node
from runtime.ports import ANY, HELD, TRIGGER, In, Out
from runtime.scheduler.engine import Engine
from runtime.scheduler.machine import Link

from .report import Report, Target

CYCLES = 20_000
TARGET = Target(20.0, at_least=False)
"""Unit: µs."""


class EmptyEnv(Node):
    """Gives the first value."""

    title = "Env"
    sim = Out(ANY, "Nothing")
    observations = Out(ANY, "Nothing")

    def compute(self) -> Dict[str, Any]:
        return {"sim": 0, "observations": 0}


class EmptyOr(Node):
    """Lets the first value in, and what comes round."""

    title = "OR"
    fires_on = ANY_INPUT
    input_a = In(ANY, "Nothing", optional=True)
    input_b = In(ANY, "Nothing", optional=True)
    output = Out(ANY, "Nothing")

    def compute(self, **inputs: Any) -> Dict[str, Any]:
        (value,) = inputs.values()
        return {"output": value}


class EmptyAgent(Node):
    """Stands for the policy."""

    title = "Agent"
    observations = In(ANY, "Nothing")
    policy_output = Out(ANY, "Nothing")
    model = Out(ANY, "Nothing")

    def compute(self, observations: Any) -> Dict[str, Any]:
        return {"policy_output": 0, "model": 0}


class EmptyAction(Node):
    """Stands for the action."""

    title = "Action"
    policy_output = In(ANY, "Nothing")
    actions = Out(ANY, "Nothing")

    def compute(self, policy_output: Any) -> Dict[str, Any]:
        return {"actions": 0}


class EmptyStep(Node):
    """Stands for the physics."""

    title = "Step"
    sim = In(ANY, "Nothing", kind=HELD)
    actions = In(ANY, "Nothing")
    trigger = In(TRIGGER, "Releases")
    observations = Out(ANY, "Nothing", on_release=True)
    rewards = Out(ANY, "Nothing")
    dones = Out(ANY, "Nothing")
    info = Out(ANY, "Nothing")

    def compute(self, sim: Any, actions: Any) -> Dict[str, Any]:
        return {"rewards": 0, "dones": 0, "info": 0}

    def release(self) -> Dict[str, Any]:
        return {"observations": 0}


class EmptyTrainer(Node):
    """Stands for the update."""

    title = "Trainer"
    states = In(ANY, "Nothing")
    policy_outputs = In(ANY, "Nothing")
    rewards = In(ANY, "Nothing")
    dones = In(ANY, "Nothing")
    model = In(ANY, "Nothing", kind=HELD)
    trigger = Out(TRIGGER, "Once per transition")
    metrics = Out(ANY, "Nothing", every=16)

    def setup(self) -> None:
        self.turns = 0

    def compute(self, states: Any, policy_outputs: Any, rewards: Any, dones: Any, model: Any) -> Dict[str, Any]:
        self.turns += 1
        return {"trigger": True} if self.turns % 16 else {"trigger": True, "metrics": 0}


WIRES = (
    Link("1", "observations", "2", "input_a"),
    Link("5", "observations", "2", "input_b"),
    Link("2", "output", "3", "observations"),
    Link("3", "policy_output", "4", "policy_output"),
    Link("1", "sim", "5", "sim"),
    Link("4", "actions", "5", "actions"),
    Link("6", "trigger", "5", "trigger"),
    Link("2", "output", "6", "states"),
    Link("3", "policy_output", "6", "policy_outputs"),
    Link("5", "rewards", "6", "rewards"),
    Link("5", "dones", "6", "dones"),
    Link("3", "model", "6", "model"),
)


def microseconds_per_cycle(scheduler: str, cycles: int = CYCLES) -> float:
    """Processor time of one turn of the empty graph, in µs."""
    types = (EmptyEnv, EmptyOr, EmptyAgent, EmptyAction, EmptyStep, EmptyTrainer)
    graph = Graph({str(index): kind(str(index)) for index, kind in enumerate(types, 1)}, list(WIRES))
    graph.wire()
    trainer = graph.nodes["6"]
    trainer.setup()

    def enough() -> Optional[str]:
        return "enough" if trainer.turns >= cycles else None

    engine = Engine(list(graph.nodes.values()), graph.links, RunContext(), scheduler=scheduler, at_safe_point=enough)
    engine.prepare()
    began = time.process_time()
    engine.run()
    return (time.process_time() - began) / cycles * 1e6


def run(quick: bool, cycles: int = CYCLES, repetitions: int = 9) -> Report:
    """Measure both ways of scheduling, interleaved."""
    figures: Dict[str, List[float]] = {"static": [], "queues": []}
    for _ in range(3 if quick else repetitions):
        for scheduler, times in figures.items():
            times.append(microseconds_per_cycle(scheduler, cycles))
    report = Report("cycle", "one turn of the reference graph's six nodes, which do nothing, in µs of processor time")
    for scheduler, times in figures.items():
        median = statistics.median(times)
        target = TARGET if scheduler == "static" else None
        report.add(median, target, schedule=scheduler, median=median, best=min(times), repetitions=len(times))
    return report
