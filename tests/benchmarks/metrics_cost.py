"""What the shipped metrics cost: to compute them, and to write them down."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Dict, Sequence

import torch

from runtime.recording import ProgressDisplay, RunFolder
from runtime.rl.ppo import PPO
from runtime.rl.rollout import RolloutStorage

from .hand_loop import HandLoop, loop_contender
from .reference_graph import graph_contender, reference_graph
from .report import Report
from .turns import speed_ratio, started, take_turns


class PPOWithoutMetrics(PPO):
    """The same update to the last bit, without what is computed for metrics alone.

    Left in are the four means of the rollout, which are made together with the advantages.
    """

    @torch.no_grad()
    def update(self, storage: RolloutStorage, progress: float = 0.0) -> Dict[str, float]:
        """As `PPO.update`; returns no metrics."""
        self._attach()
        self._check_input(storage)
        self._begin(progress)
        batch, _ = self._prepare(storage)
        rows = self.settings.rows_per_minibatch(storage.num_envs)
        for epoch in range(self.settings.num_epochs):
            self._run_epoch(batch, rows, epoch, traced=False)
        self.updates += 1
        return {}


def run(quick: bool, num_envs: Sequence[int] = (16, 64, 512, 4096), seconds: float = 40.0) -> Report:
    """Measure; ``seconds`` are per number of environments."""
    report = Report("metrics", "what metrics cost, one thread")
    with tempfile.TemporaryDirectory() as folder:
        for number in num_envs[:3] if quick else num_envs:
            _add_row(report, number, 8.0 if quick else seconds, Path(folder))
    report.notes += [
        "computed: speed of the hand-written loop in units of the same loop without episode statistics and without",
        "anything that the update does for metrics alone (a subclass of PPO that leaves it out; four means stay in).",
        "recorded: speed of the graph that writes events.jsonl, metrics.csv and TensorBoard files and shows its",
        "progress, as `dnne train` does, in units of the graph without any of that.",
    ]
    return report


def _add_row(report: Report, num_envs: int, seconds: float, folder: Path) -> None:
    graph = reference_graph(num_envs)
    bare = loop_contender("without metrics", HandLoop, graph, ppo_type=PPOWithoutMetrics, track_episodes=False)
    hand = loop_contender("with metrics", HandLoop, graph)
    silent = graph_contender("not recorded", num_envs)
    with RunFolder.create(folder, f"{num_envs} environments") as run_folder, run_folder.recorders() as recorders:
        display = ProgressDisplay(io.StringIO())
        recorded = graph_contender("recorded", num_envs, sinks=[recorders, display])
        with started([bare, hand, silent, recorded]) as contenders:
            take_turns(contenders, seconds)
        display.close()
    computing, recording = speed_ratio(hand, bare), speed_ratio(recorded, silent)
    report.add(
        environments=num_envs,
        ms=silent.median * 1e3,
        computed=computing.value,
        computed_95=f"{computing.low:.3f}–{computing.high:.3f}",
        recorded=recording.value,
        recorded_95=f"{recording.low:.3f}–{recording.high:.3f}",
        rounds=len(hand.laps),
    )
