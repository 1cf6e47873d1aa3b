"""Measure trained agents over whole episodes: deterministic actions, statistics per checkpoint and seed.

The interquartile mean (IQM) has a 95 % bootstrap interval: Agarwal et al. 2021, arXiv:2108.13264. The result does not
depend on the number of processes.
"""

import argparse
import sys
from typing import Any, Dict, List, Optional, Sequence

from runtime.atomic import write_json
from runtime.command.configure import configure
from runtime.command.options import add_configuration_options, whole_number
from runtime.evaluation.statistics import Episodes
from runtime.workflow import load_workflow

from ..evaluation import Key, as_json, evaluate, result_rows
from ..ranges import parse_seeds
from .common import add_nodes_dir

DEFAULT_EPISODES = 100
COLUMNS = ("checkpoint", "seed", "episodes", "mean", "std", "IQM [95 %]", "min", "max", "length", "success")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to evaluate, and how often."""
    positive = whole_number(1)
    parser.add_argument("file", metavar="FILE", help="workflow")
    parser.add_argument(
        "--load-checkpoint-dir", required=True, metavar="DIR[,DIR]", help="folders of checkpoints, or of runs with them"
    )
    parser.add_argument("--best", action="store_true", help="take the best checkpoint of each folder, not the latest")
    parser.add_argument(
        "--episodes", type=positive, metavar="N", help=f"per checkpoint and seed (default {DEFAULT_EPISODES})"
    )
    parser.add_argument(
        "--longest-episode", type=positive, metavar="N",
        help="give up an episode that has not ended after N steps (default 100000 or the task's limit)",
    )  # fmt: skip
    parser.add_argument("--seeds", type=parse_seeds, metavar="LIST", help="such as 0..4 or 0,3,7 (default 0)")
    parser.add_argument("--parallel", type=positive, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument(
        "--json", metavar="FILE", help="write statistics and every episode to FILE, or - for standard output"
    )
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:N or auto (default cpu)")
    parser.add_argument(
        "--num-envs", type=positive, metavar="N", help="parallel environments, in place of the workflow's"
    )
    add_nodes_dir(parser)
    add_configuration_options(parser.add_argument_group("configuration"))


def run(args: argparse.Namespace) -> int:
    """Evaluate, and print a table or JSON."""
    configuration = configure(args, inference=True, workflow_name=load_workflow(args.file).name)
    folders = [folder.strip() for folder in args.load_checkpoint_dir.split(",") if folder.strip()]
    seeds = args.seeds if args.seeds is not None else [0]
    episodes = configuration.args.episodes or DEFAULT_EPISODES
    results = evaluate(args.file, configuration, folders, seeds, episodes, args.parallel, args.best)
    _tell_what_is_left_out(results)
    rows = result_rows(results)
    documents = as_json(rows, results)
    if args.json == "-":
        _print_json(documents)
        return 0
    if args.json is not None:
        write_json(args.json, documents)
    _print_table(rows)
    return 0


def _tell_what_is_left_out(results: Dict[Key, Episodes]) -> None:
    for (folder, seed), episodes in results.items():
        if episodes.left_out:
            print(f"warning: {folder}, seed {seed}: {episodes.left_out}", file=sys.stderr)


def _print_json(documents: Sequence[Dict[str, Any]]) -> None:
    import json

    json.dump(documents, sys.stdout, indent=2)
    print()


def _print_table(rows: Sequence[Dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "checkpoint" else "right", overflow="fold")
    for row in rows:
        table.add_row(*_cells(row), style="bold" if row["seed"] is None else "")
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _cells(row: Dict[str, Any]) -> List[str]:
    figures = [f"{row[name]:.2f}" for name in ("mean", "std")]
    interval = f"{row['iqm']:.2f} [{row['iqm_low']:.2f}, {row['iqm_high']:.2f}]"
    ends = [f"{row[name]:.2f}" for name in ("min", "max")]
    seed = "all" if row["seed"] is None else str(row["seed"])
    last = [f"{row['mean_length']:.1f}", _percent(row["success_rate"])]
    return [str(row["checkpoint"]), seed, str(row["episodes"]), *figures, interval, *ends, *last]


def _percent(share: Optional[float]) -> str:
    return "" if share is None else f"{100.0 * share:.0f} %"
