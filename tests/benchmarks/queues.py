"""The reference graph by queues against its static schedule."""

from __future__ import annotations

from typing import Sequence

from .reference_graph import graph_contender
from .report import Report
from .turns import speed_ratio, started, take_turns


def run(quick: bool, num_envs: Sequence[int] = (16, 64, 512), seconds: float = 30.0) -> Report:
    """Measure; ``seconds`` are per number of environments."""
    report = Report("scheduler", "the reference graph run by queues, in units of its static schedule's speed")
    for number in num_envs:
        static = graph_contender("static", number, scheduler="static")
        queues = graph_contender("queues", number, scheduler="queues")
        with started([static, queues]) as contenders:
            take_turns(contenders, 6.0 if quick else seconds)
        ratio = speed_ratio(queues, static)
        report.add(
            environments=number,
            static_ms=static.median * 1e3,
            queues_ms=queues.median * 1e3,
            rounds=len(static.laps),
            **{"× static": ratio.value, "95 %": f"{ratio.low:.3f}–{ratio.high:.3f}", "cpu": ratio.cpu},
        )
    return report
