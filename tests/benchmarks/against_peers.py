"""The graph against other libraries' PPO on the same task with the same hyperparameters."""

from __future__ import annotations

import warnings
from typing import List, Sequence

from .hand_loop import HandLoop, loop_contender
from .peers import PEERS, peer_contender, silenced
from .reference_graph import SAME_FOR_PEERS, graph_contender, reference_graph
from .report import Report, Target
from .turns import Contender, speed_ratio, started, take_turns

TARGET = Target(1.3)
WITH_TARGET = (16, 64, 512)


def run(quick: bool, num_envs: Sequence[int] = (16, 64, 512, 4096), seconds: float = 60.0) -> Report:
    """Measure; ``seconds`` are per number of environments."""
    report = Report("peers", "the graph against other libraries' PPO, same task and hyperparameters, one thread")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in num_envs[:-1] if quick else num_envs:
            _measure(report, number, 12.0 if quick else seconds)
    report.notes = list(dict.fromkeys(report.notes)) + [
        "× graph: speed of the graph in units of the peer's, median of the ratios within a round. All: our Cartpole",
        "on the CPU, two networks of [32, 32] with ELU, 16 steps, 8 epochs, 4 minibatches, γ 0.99, λ 0.95, learning",
        "rate 3e-4, clip 0.2, gradient norm 1, no normalisers, time-outs bootstrapped. Nobody writes logs, but each",
        "computes its own metrics. Their training loops and updates are their own; of rl_games, train_epoch without",
        "its loop around it.",
    ]
    return report


def _measure(report: Report, num_envs: int, seconds: float) -> None:
    graph = graph_contender("graph", num_envs, SAME_FOR_PEERS)
    hand = loop_contender("hand-written loop", HandLoop, reference_graph(num_envs, SAME_FOR_PEERS))
    failures: List[str] = []
    peers = _peers(num_envs, failures)
    with silenced(), started([graph, hand, *peers], failures) as contenders:
        take_turns(contenders, seconds)
    report.notes += failures
    if not graph.laps:
        return
    for contender in contenders:
        ratio = speed_ratio(graph, contender)
        wanted = TARGET if contender in peers and num_envs in WITH_TARGET else None
        report.add(
            ratio.value,
            wanted,
            environments=num_envs,
            library=contender.name,
            ms=contender.median * 1e3,
            steps_per_second=round(num_envs * 16 / contender.median),
            rounds=len(contender.laps),
            **{"× graph": ratio.value, "95 %": f"{ratio.low:.2f}–{ratio.high:.2f}", "cpu": ratio.cpu},
        )


def _peers(num_envs: int, failures: List[str]) -> List[Contender]:
    settings = reference_graph(num_envs, SAME_FOR_PEERS).find("Trainer").settings()
    contenders = []
    for name in PEERS:
        try:
            contenders.append(peer_contender(name, num_envs, settings))
        except ImportError as error:
            failures.append(f"{name} NOT MEASURED: not installed ({error}); see the extra 'bench'")
    return contenders
