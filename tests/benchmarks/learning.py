"""Does the example learn? Steps to a standing pole, and how well it stands in the end, for several seeds."""

from __future__ import annotations

import math
import tempfile
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from runtime.events import Event, Metrics
from runtime.graph import Graph
from runtime.run import Run, RunSettings

from .reference_graph import EXAMPLE, example_graph
from .report import Report, Target

NUM_ENVS, STEPS, WINDOW = 64, 300_000, 64
REACHED, EVALUATED = Target(475.0), Target(490.0)
REWARD = "episode/mean_reward"


class Outcome(NamedTuple):
    """One seed.

    Attributes:
        reached: Environment steps at which the mean of the last 64 episodes was first at least 475; NaN: never.
        final: Mean return of the last 64 training episodes.
        evaluated: Mean return of 64 whole episodes of the deterministic policy.
        seconds: For the training.
    """

    reached: float
    final: float
    evaluated: float
    seconds: float


def run(
    quick: bool, seeds: Optional[Sequence[int]] = None, steps: int = STEPS, assignments: Sequence[str] = ()
) -> Report:
    """Train and evaluate every seed."""
    seeds = range(1 if quick else 5) if seeds is None else seeds
    report = Report("learning", f"{NUM_ENVS} environments, {steps} steps of examples/cartpole_ppo.json")
    outcomes = {seed: train_and_evaluate(seed, steps, assignments) for seed in seeds}
    for seed, outcome in outcomes.items():
        report.add(
            outcome.final,
            REACHED,
            seed=seed,
            steps_to_475="never" if math.isnan(outcome.reached) else f"{outcome.reached:.0f}",
            seconds=outcome.seconds,
            figure="last 64 training episodes",
            mean_return=outcome.final,
        )
        report.add(
            outcome.evaluated,
            EVALUATED,
            seed=seed,
            steps_to_475="",
            seconds="",
            figure="evaluation of 64 episodes",
            mean_return=outcome.evaluated,
        )
    report.notes.append("Whole episodes only; at most 500 steps, reward at most 1 a step. Evaluation: deterministic.")
    return report


def train_and_evaluate(seed: int, steps: int, assignments: Sequence[str] = ()) -> Outcome:
    """One seed through the public `Run`, checkpoint and all."""
    with tempfile.TemporaryDirectory() as folder:
        published: List[Metrics] = []
        began = time.perf_counter()
        graph = example_graph(EXAMPLE.name, [f"Env.num_envs={NUM_ENVS}", f"Step.episode_window={WINDOW}", *assignments])
        _execute(graph, published, seed=seed, total_timesteps=steps, save_checkpoint_dir=folder)
        seconds = time.perf_counter() - began
        final = graph.find("Step").collect_metrics()
        evaluation: Dict[str, float] = {}
        settings = {"mode": "infer", "episodes": WINDOW, "load_checkpoint_dir": folder}
        _execute(
            example_graph(EXAMPLE.name, [f"Env.num_envs={NUM_ENVS}", *assignments]),
            [],
            evaluation,
            seed=seed + 1000,
            **settings,
        )
    reached = next((event.step for event in published if _mean_return(event.values) >= REACHED.limit), math.nan)
    return Outcome(reached, _mean_return(final), evaluation["eval/mean_reward"], seconds)


def _execute(graph: Graph, published: List[Metrics], final: Optional[Dict[str, float]] = None, **settings: Any) -> None:
    def on_event(event: Event) -> None:
        if isinstance(event, Metrics):
            published.append(event)

    result = Run(graph, RunSettings(**settings), sinks=[on_event]).execute()
    if final is not None:
        final.update(result.metrics)


def _mean_return(metrics: Mapping[str, float]) -> float:
    """Mean of the last 64 whole episodes; NaN while there are fewer."""
    return metrics[REWARD] if metrics.get("episode/count", 0.0) >= WINDOW else math.nan
