"""Ways to run single nodes and whole workflows in tests."""

import copy
import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import torch

import nodes
from runtime.context import RunContext
from runtime.events import Event, EventBus, LogMessage, Metrics, is_clock_metric
from runtime.graph import Graph
from runtime.node import Node
from runtime.registry import discover
from runtime.run import Run, RunSettings
from runtime.specs import Spec, Specs
from runtime.validation import build_graph
from runtime.workflow import workflow_from_dict

TESTS = Path(__file__).parents[1]
EXAMPLE = TESTS.parent / "examples" / "cartpole_ppo.json"
WORKFLOWS = TESTS / "fixtures" / "workflows"
REGISTRY = discover([nodes])
SMALL = {
    "1": {"num_envs": 8},
    "3": {"hidden_sizes": [8]},
    "6": {"horizon_length": 4, "num_epochs": 2, "num_minibatches": 2},
}


def prepare(node: Node, inputs: Optional[Dict[str, Spec]] = None, connected: Sequence[str] = (), **context: Any) -> Any:
    """A node that is ready for its first firing, in a run of its own; its events are in ``node.events``."""
    events: List[Event] = []
    node.context = RunContext(emit=EventBus([events.append]), **context)
    node.input_specs = Specs(inputs or {})
    node.connected = frozenset(connected) | frozenset(inputs or ())
    node.events = events  # type: ignore[attr-defined]
    node.setup()
    return node


def findings(
    node: Node, inputs: Optional[Dict[str, Spec]] = None, connected: Sequence[str] = ()
) -> List[Tuple[str, str, str]]:
    """What the node finds wrong with these inputs."""
    node.connected = frozenset(connected) | frozenset(inputs or ())
    return list(node.check(Specs(inputs or {})))


def messages(node: Any) -> List[str]:
    """What a node wrote to the log."""
    return [event.message for event in node.events if isinstance(event, LogMessage)]


def numbers(*values: float) -> torch.Tensor:
    """A float32 tensor."""
    return torch.tensor(values, dtype=torch.float32)


def workflow_document(name: str = "", **changes: Dict[str, Any]) -> Dict[str, Any]:
    """The small reference workflow, or one of the fixtures, with inputs changed: ``n6={"gamma": 0.9}``."""
    path = WORKFLOWS / f"{name}.json" if name else EXAMPLE
    document = json.loads(path.read_text(encoding="utf-8"))
    for node_id, inputs in SMALL.items():
        document["nodes"][node_id]["inputs"].update(copy.deepcopy(inputs))
    for key, inputs in changes.items():
        for port, value in inputs.items():
            if value is None:
                del document["nodes"][key[1:]]["inputs"][port]
            else:
                document["nodes"][key[1:]]["inputs"][port] = value
    return document


def without_clock(metrics: Mapping[str, float]) -> Dict[str, float]:
    """Metrics that two equal runs share."""
    return {name: value for name, value in metrics.items() if not is_clock_metric(name)}


class Session:
    """One run of a workflow and what came out of it."""

    def __init__(self, document: Dict[str, Any], adapt: Optional[Callable[[Graph], None]] = None, **options: Any):
        run_options = {
            name: options.pop(name) for name in ("resume_store", "resume_state", "run_dir") if name in options
        }
        self.graph = build_graph(workflow_from_dict(document), REGISTRY)
        if adapt is not None:
            adapt(self.graph)
        self.events: List[Event] = []
        settings = RunSettings(**{"device": "cpu", **options})
        self.run = Run(self.graph, settings, sinks=[self.events.append], **run_options)
        self.result = self.run.execute()

    @property
    def metrics(self) -> List[Tuple[int, int, Dict[str, float]]]:
        """(step, iteration, metrics that do not depend on the clock) of every iteration."""
        found = [event for event in self.events if isinstance(event, Metrics)]
        return [(event.step, event.iteration, without_clock(event.values)) for event in found]

    @property
    def parameters(self) -> List[torch.Tensor]:
        """Everything that the agent has learnt."""
        return [tensor.clone() for tensor in self.graph.nodes["3"].network.state_dict().values()]  # type: ignore[attr-defined]

    @property
    def schedule(self) -> str:
        """``static`` or ``queues``."""
        return "static" if self.run.engine is not None and self.run.engine.schedule is not None else "queues"


def assert_same_bits(first: Session, second: Session) -> None:
    """Equal metrics, to the last bit, and equal parameters."""
    assert len(first.metrics) == len(second.metrics) > 0
    for one, other in zip(first.metrics, second.metrics):
        assert one == other
    assert all(torch.equal(one, other) for one, other in zip(first.parameters, second.parameters))
