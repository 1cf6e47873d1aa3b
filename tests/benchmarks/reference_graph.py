"""The reference graph, as `examples/cartpole_ppo.json` has it, with another number of environments."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Sequence

import nodes
from runtime.command.overrides import apply_overrides, parse_assignment
from runtime.events import Event, Metrics, Sink
from runtime.graph import Graph
from runtime.registry import NodeRegistry, discover
from runtime.run import Run, RunSettings
from runtime.scheduler.control import RunControl
from runtime.validation import build_graph
from runtime.workflow import load_workflow

from .turns import Contender, Done

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"
SAME_FOR_PEERS = ("Agent.initial_log_std=0.0", "Trainer.learning_rate=3e-4")
"""What the example tunes, set to what all libraries are compared with."""


@lru_cache(maxsize=None)
def _registry() -> NodeRegistry:
    return discover([nodes])


def reference_graph(num_envs: int, assignments: Sequence[str] = ()) -> Graph:
    """A fresh graph on the built-in torch task, with the fixed learning rate that all loops are compared at.

    Args:
        num_envs: Parallel environments.
        assignments: As ``--set`` takes them.
    """
    same = ["Env.simulator=torch", f"Env.num_envs={num_envs}", "Trainer.learning_rate_schedule=fixed"]
    return example_graph(EXAMPLE.name, [*same, *assignments])


def example_graph(file: str, assignments: Sequence[str] = ()) -> Graph:
    """A fresh graph of an example.

    Args:
        file: Its name in ``examples``.
        assignments: As ``--set`` takes them.
    """
    wanted = [parse_assignment(text) for text in assignments]
    workflow = load_workflow(ROOT / "examples" / file)
    return build_graph(workflow, _registry(), lambda graph: apply_overrides(graph, wanted))


def graph_contender(
    name: str, num_envs: int, assignments: Sequence[str] = (), scheduler: str = "auto", sinks: Sequence[Sink] = ()
) -> Contender:
    """The graph as a host runs it. An iteration ends where its metrics are published."""

    def train(done: Done) -> None:
        control = RunControl()

        def on_event(event: Event) -> None:
            if isinstance(event, Metrics) and not done():
                control.stop("enough")

        settings = RunSettings(scheduler=scheduler)
        Run(reference_graph(num_envs, assignments), settings, sinks=[*sinks, on_event], control=control).execute()

    return Contender(name, train)
