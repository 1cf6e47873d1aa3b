"""What a run has come to, gathered from its events: for the progress display, the summary and ``run.json``."""

import math
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..atomic import PathLike
from ..duration import format_duration
from ..events import Event, Failed, Finished, LogMessage, Metrics, NodeStatistics, NodeStats, RunStarted

MEAN_REWARD = "episode/mean_reward"
EVALUATION = "eval/"


class RunTally:
    """A sink that keeps the last state of a run.

    Attributes:
        started: The event that began this process's part of the run.
        time: Seconds since this process started the run; what is logged after its end, as of a video, does not count.
        step, iteration: Counts from the run's beginning, across resumes.
        mean_reward: The last reported mean reward of episodes; NaN before there is one.
        best_mean_reward: The highest one that this process reported.
        evaluation: The eval/* metrics of an inference, or of a training's last evaluation, without their prefix.
        nodes: The last statistics of every node.
        finished, failure: The event that ended the run.
    """

    def __init__(self) -> None:
        self.started: Optional[RunStarted] = None
        self.time = 0.0
        self.step = 0
        self.iteration = 0
        self.mean_reward = math.nan
        self.best_mean_reward = math.nan
        self.evaluation: Dict[str, float] = {}
        self.nodes: Tuple[NodeStats, ...] = ()
        self.finished: Optional[Finished] = None
        self.failure: Optional[Failed] = None

    def __call__(self, event: Event) -> None:
        """Take one event into account."""
        if self.finished is None or not isinstance(event, LogMessage):
            self.time = max(self.time, event.time)
        if isinstance(event, Metrics):
            self._add_metrics(event)
        elif isinstance(event, NodeStatistics):
            self.step, self.nodes = event.step, event.nodes
        elif isinstance(event, RunStarted):
            self.started, self.step, self.iteration = event, event.step, event.iteration
        elif isinstance(event, Finished):
            self.finished, self.step, self.iteration = event, event.step, event.iteration
        elif isinstance(event, Failed):
            self.failure = event
            self.step = max(self.step, event.step)

    @property
    def reason(self) -> str:
        """Why the run ended; empty while it goes on."""
        if self.failure is not None:
            return "failed"
        return self.finished.reason if self.finished is not None else ""

    @property
    def trains(self) -> bool:
        """Whether this is a training: an inference has no iterations."""
        return self.iteration > 0 or not self.evaluation

    @property
    def steps_here(self) -> int:
        """Environment steps of this process."""
        return self.step - (self.started.step if self.started is not None else 0)

    @property
    def running_time(self) -> float:
        """Seconds since this process fired the first node; its set-up is left out."""
        return self.time - (self.started.time if self.started is not None else 0.0)

    @property
    def steps_per_second(self) -> float:
        """Environment steps per second of this process."""
        return self.steps_here / self.running_time if self.running_time > 0 else 0.0

    def as_dict(self) -> Dict[str, Any]:
        """The summary as plain values; rewards that were never reported are ``None``."""
        return {
            "reason": self.reason,
            "error": self.failure.error if self.failure is not None else None,
            "steps": self.step,
            "iterations": self.iteration,
            "seconds": self.time,
            "steps_per_second": self.steps_per_second,
            "mean_reward": _or_none(self.mean_reward),
            "best_mean_reward": _or_none(self.best_mean_reward),
            **({"evaluation": dict(self.evaluation)} if self.evaluation else {}),
        }

    def _add_metrics(self, event: Metrics) -> None:
        self.step, self.iteration = event.step, event.iteration
        found = {name: value for name, value in event.values.items() if name.startswith(EVALUATION)}
        self.evaluation.update({name[len(EVALUATION) :]: float(value) for name, value in found.items()})
        reward = float(event.values.get(MEAN_REWARD, math.nan))
        if not math.isnan(reward):
            self.mean_reward = reward
            self.best_mean_reward = reward if math.isnan(self.best_mean_reward) else max(self.best_mean_reward, reward)


def summary_lines(tally: RunTally, places: Optional[Mapping[str, PathLike]] = None) -> List[str]:
    """Return the block of lines that ends a run: what came of it, and where it lies.

    Args:
        tally: Has seen all events of the run.
        places: What was written, and where: ``{"checkpoints": "runs/…/checkpoints"}``.
    """
    here = f" ({tally.steps_here:,} since the resume)" if tally.steps_here != tally.step else ""
    rows = {
        "environment steps": f"{tally.step:,}{here}",
        **({"iterations": f"{tally.iteration:,}"} if tally.trains else {}),
        "time": format_duration(tally.time) if tally.time >= 1 else f"{tally.time:.2f} s",
        "speed": f"{tally.steps_per_second:,.0f} steps/s",
    }
    if not math.isnan(tally.mean_reward):
        rows["mean episode reward"] = f"{tally.mean_reward:.2f} (best {tally.best_mean_reward:.2f})"
    rows.update(_last_evaluation(tally.evaluation) if tally.trains else _evaluation_rows(tally.evaluation))
    rows.update({what: str(where) for what, where in (places or {}).items()})
    width = max(map(len, rows))
    return [_verdict(tally)] + [f"  {name:<{width}}  {value}" for name, value in rows.items()]


def _last_evaluation(figures: Mapping[str, float]) -> Dict[str, str]:
    if "mean_reward" not in figures:
        return {}
    spread = ", ".join(f"{name} {figures[f'{name}_reward']:.2f}" for name in ("std", "min", "max"))
    return {"last evaluation": f"{figures['mean_reward']:.2f} ({spread}; {figures['episodes']:,.0f} episodes)"}


def _evaluation_rows(figures: Mapping[str, float]) -> Dict[str, str]:
    rows = {"episodes": _episodes(figures)} if "episodes" in figures else {}
    if "mean_reward" in figures:
        spread = ", ".join(f"{name} {figures[f'{name}_reward']:.2f}" for name in ("std", "min", "max"))
        rows["mean episode reward"] = f"{figures['mean_reward']:.2f} ({spread})"
        rows["mean episode length"] = f"{figures['mean_length']:.1f} steps"
    return rows


def _episodes(figures: Mapping[str, float]) -> str:
    count, ended = figures["episodes"], figures.get("ended_episodes", 0.0)
    last = f", the last of {ended:,.0f} that ended; --episodes N counts N, evenly over the environments"
    return f"{count:,.0f}{last if ended > count else ''}"


def _verdict(tally: RunTally) -> str:
    if tally.failure is not None:
        where = f" in node {tally.failure.node_id} ({tally.failure.label})" if tally.failure.node_id else ""
        return f"Failed{where}"
    return f"Finished: {tally.finished.reason}" if tally.finished is not None else "Ended before it finished"


def _or_none(value: float) -> Optional[float]:
    return None if math.isnan(value) else value
