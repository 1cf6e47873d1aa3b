"""The graph against the same work by hand, and against the same maths with autograd."""

from __future__ import annotations

from typing import Sequence

from .autograd_loop import AutogradLoop
from .hand_loop import HandLoop, loop_contender
from .reference_graph import graph_contender, reference_graph
from .report import Report, Target
from .turns import speed_ratio, started, take_turns

TARGETS = {16: 0.97, 64: 0.97, 512: 0.98, 4096: 0.99}


def run(quick: bool, num_envs: Sequence[int] = tuple(TARGETS), seconds: float = 90.0) -> Report:
    """Measure; ``seconds`` are per number of environments."""
    report = Report("loop", "the graph against a hand-written eager loop that does the same work, one thread")
    for number in num_envs:
        _add_row(report, number, 12.0 if quick else seconds)
    report.notes += [
        "× by hand: speed of the graph in units of the hand-written loop's, median over the rounds of the ratio of",
        "wall-clock times within a round; 95 %: interval of it; cpu: the same of the threads' processor time. Both end",
        "with the same bits (test_hand_loop.py). × autograd: against a plain loop of the same maths with",
        "nn.Sequential, autograd, clip_grad_norm_ and fused torch.optim.Adam, without our flat parameters and",
        "gradients by hand.",
    ]
    return report


def _add_row(report: Report, num_envs: int, seconds: float) -> None:
    graph = graph_contender("graph", num_envs)
    hand = loop_contender("hand", HandLoop, reference_graph(num_envs))
    autograd = loop_contender("autograd", AutogradLoop, reference_graph(num_envs))
    with started([graph, hand, autograd]) as contenders:
        take_turns(contenders, seconds)
    ratio = speed_ratio(graph, hand)
    target = TARGETS.get(num_envs)
    report.add(
        ratio.value,
        Target(target) if target else None,
        environments=num_envs,
        graph_ms=graph.median * 1e3,
        hand_ms=hand.median * 1e3,
        autograd_ms=autograd.median * 1e3,
        rounds=len(graph.laps),
        **{
            "× by hand": ratio.value,
            "95 %": f"{ratio.low:.3f}–{ratio.high:.3f}",
            "cpu": ratio.cpu,
            "× autograd": speed_ratio(graph, autograd).value,
        },
    )
