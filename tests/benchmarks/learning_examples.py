"""Do the examples on physics engines learn? Steps and seconds to a reward, and the mean of the last episodes."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from runtime.events import Event, Metrics
from runtime.run import Run, RunSettings

from .reference_graph import example_graph
from .report import Report, Target

REWARD = "episode/mean_reward"


class Training(NamedTuple):
    """An example with its limits.

    Attributes:
        example: File in ``examples``.
        assignments: Parameters, as ``--set`` takes them.
        steps: Environment steps.
        target: What the mean reward of the last 64 episodes should reach at some time of the training.
        seeds: One training each; the first alone with ``--quick``.
    """

    example: str
    assignments: Tuple[str, ...]
    steps: int
    target: float
    seeds: Tuple[int, ...] = (0,)


MUJOCO = ("Env.simulator=mujoco", "Env.simulation_threads=1")
TRAININGS: Dict[str, Training] = {
    "cartpole_mujoco": Training("cartpole_ppo.json", MUJOCO, 120_000, 475.0),
    "gym_cartpole": Training("gym_cartpole.json", (), 100_000, 475.0),
    "pendulum": Training("pendulum_ppo.json", (), 150_000, -200.0),
    "halfcheetah": Training("halfcheetah_ppo.json", (), 1_000_000, 1443.0, (0, 1, 2)),
    "ant": Training("ant_ppo.json", MUJOCO, 3_500_000, 1000.0),
    "humanoid": Training("humanoid_ppo.json", MUJOCO, 2_000_000, 200.0),
}


class Outcome(NamedTuple):
    """One seed.

    Attributes:
        steps, seconds: When the mean reward of the last episodes first reached the target; NaN: never.
        best, final: Greatest and last of these means.
        total_seconds: For the training.
    """

    steps: float
    seconds: float
    best: float
    final: float
    total_seconds: float


def benchmarks() -> Dict[str, Callable[[bool], Report]]:
    """One benchmark per example, ``learning_ant`` and so on."""
    return {f"learning_{name}": partial(run, name) for name in TRAININGS}


def run(name: str, quick: bool, steps: Optional[int] = None, assignments: Tuple[str, ...] = ()) -> Report:
    """Train every seed of an example; ``steps`` and ``assignments`` shorten it for a test."""
    training = TRAININGS[name]
    training = training._replace(steps=steps or training.steps, assignments=training.assignments + assignments)
    report = Report(f"learning_{name}", f"{training.steps} steps of examples/{training.example}")
    for seed in training.seeds[: 1 if quick else None]:
        outcome = train(training, seed)
        report.add(
            outcome.best,
            Target(training.target),
            seed=seed,
            best=outcome.best,
            final=outcome.final,
            steps_to_target="never" if math.isnan(outcome.steps) else f"{outcome.steps:.0f}",
            seconds_to_target=outcome.seconds,
            seconds=outcome.total_seconds,
        )
    report.notes.append("best, final: mean reward of the last 64 training episodes, the policy's noise included.")
    return report


def train(training: Training, seed: int) -> Outcome:
    """One seed through the public `Run`."""
    began = time.perf_counter()
    rewards: List[Tuple[int, float, float]] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Metrics) and REWARD in event.values:
            rewards.append((event.step, time.perf_counter() - began, event.values[REWARD]))

    settings = RunSettings(seed=seed, total_timesteps=training.steps)
    Run(example_graph(training.example, training.assignments), settings, sinks=[on_event]).execute()
    total = time.perf_counter() - began
    reached = next((row for row in rewards if row[2] >= training.target), (math.nan, math.nan, math.nan))
    values = [reward for _, _, reward in rewards] or [math.nan]
    return Outcome(reached[0], reached[1], max(values), values[-1], total)
