"""Draw the reward of finished runs.

python -m tests.benchmarks.curves PICTURE.png TITLE METRICS.csv…
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import List, Sequence, Tuple

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot


def draw(picture: Path, title: str, metrics: Sequence[Path]) -> None:
    """One line per run: the mean reward of its last episodes over environment steps."""
    figure, axes = pyplot.subplots(figsize=(4.2, 2.1))
    for file in metrics:
        steps, rewards = read_curve(file)
        axes.plot(steps, rewards, linewidth=1)
    axes.set_title(title, fontsize=8)
    axes.set_xlabel("thousand environment steps", fontsize=8)
    axes.set_ylabel("episode reward", fontsize=8)
    axes.tick_params(labelsize=8)
    figure.tight_layout()
    figure.savefig(picture, dpi=100)
    pyplot.close(figure)


def read_curve(file: Path) -> Tuple[List[float], List[float]]:
    """Thousands of environment steps, and the mean reward there, where episodes have ended."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row.get("episode/mean_reward")]
    return [float(row["step"]) / 1000 for row in rows], [float(row["episode/mean_reward"]) for row in rows]


if __name__ == "__main__":
    draw(Path(sys.argv[1]), sys.argv[2], [Path(name) for name in sys.argv[3:]])
