"""What a sweep has come to: a table of its runs, one of its groups, and pictures."""

import csv
import io
import math
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import torch

from runtime.atomic import write_bytes, write_json, write_text
from runtime.errors import DnneError
from runtime.evaluation.statistics import interquartile_mean
from runtime.recording.csv_metrics import read_metrics
from runtime.recording.tally import MEAN_REWARD

from .sweep import Trial, run_info

PICTURE = "learning_curves.png"
FIGURES = ("result", "iterations", "steps", "seconds", "mean_reward", "best_mean_reward")


def trial_rows(folder: Path, trials: Sequence[Trial]) -> List[Dict[str, Any]]:
    """One row per trial: its values and what its run.json says."""
    rows = []
    for trial in trials:
        info = run_info(folder, trial) or {}
        summary = info.get("summary") or {}
        result = {"result": info.get("result") or ("killed" if info else "not started")}
        rows.append({"run": trial.name, **trial.values, **{n: summary.get(n) for n in FIGURES[1:]}, **result})
    return rows


def group_rows(rows: Sequence[Dict[str, Any]], trials: Sequence[Trial]) -> List[Dict[str, Any]]:
    """One row per combination without its seeds: how many finished, and the statistics of their last mean reward."""
    found = []
    for group in dict.fromkeys(trial.group for trial in trials):
        own = [row for row, trial in zip(rows, trials) if trial.group == group]
        finished = [row for row in own if row["result"] == "finished"]
        rewards = [float(row["mean_reward"]) for row in finished if row["mean_reward"] is not None]
        found.append({"group": group, "runs": len(own), "finished": len(finished), **_statistics(rewards)})
    return found


def _statistics(rewards: Sequence[float]) -> Dict[str, Any]:
    if not rewards:
        return {"mean": None, "std": None, "iqm": None}
    values = torch.tensor(rewards, dtype=torch.float64)
    return {
        "mean": float(values.mean()),
        "std": math.sqrt(float(values.var(unbiased=False))),
        "iqm": float(interquartile_mean(values)),
    }


def write_results(folder: Path, trials: Sequence[Trial]) -> List[Dict[str, Any]]:
    """Write results.csv, results.json and the learning curves; the rows of the groups."""
    rows = trial_rows(folder, trials)
    groups = group_rows(rows, trials)
    table = io.StringIO()
    writer = csv.DictWriter(table, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / "results.csv", table.getvalue())
    write_json(folder / "results.json", {"runs": rows, "groups": groups})
    curves = [(trial.group, _curve(folder / trial.name / "metrics.csv")) for trial in trials]
    if any(curve for _, curve in curves):
        write_bytes(folder / PICTURE, _draw([each for each in curves if each[1]]))
    return groups


def _curve(path: Path) -> List[Any]:
    """(step, mean reward) pairs; none where the run has reported none."""
    try:
        columns = read_metrics(path)
    except DnneError:
        return []
    pairs = zip(columns.get("step", []), columns.get(MEAN_REWARD, []))
    return [pair for pair in pairs if math.isfinite(pair[1])]


def _draw(curves: Sequence[Tuple[str, List[Any]]]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 5.5), dpi=120, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    groups = list(dict.fromkeys(group for group, _ in curves))
    for group, curve in curves:
        colour = f"C{groups.index(group) % 10}"
        axes.plot([step for step, _ in curve], [reward for _, reward in curve], color=colour, linewidth=0.9, alpha=0.6)
    for index, group in enumerate(groups):
        axes.plot([], [], color=f"C{index % 10}", label=group)
    axes.set_xlabel("environment steps")
    axes.set_ylabel("mean episode reward")
    axes.grid(color="#e4e4e4")
    axes.legend(fontsize="small")
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
