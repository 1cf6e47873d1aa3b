"""The README of an export: what is in the folder, and the commands."""

from __future__ import annotations

import argparse
import functools
from typing import Dict, List, Mapping, Sequence

from ..command.options import add_run_options
from ..node import Node
from .names import InstanceName
from .node_module import PACKAGE
from .source_text import join_lines, one_line

CHECKPOINTS = "checkpoints"
TRAIN = f"python runner.py --save-checkpoint-dir {CHECKPOINTS} --timeout 10m"
INFER = f"python runner.py --inference --load-checkpoint-dir {CHECKPOINTS}"
RESUME = "python runner.py --resume runs/NAME-OF-THE-RUN"
TORCHRUN = f"torchrun --standalone --nproc_per_node 2 runner.py --save-checkpoint-dir {CHECKPOINTS}"
SBATCH = "sbatch slurm.sbatch --total-timesteps 1000000"


def commands() -> Dict[str, str]:
    """The commands that a person wants first, by what they do."""
    return {"install": "python -m pip install -r requirements.txt", "train": TRAIN, "infer": INFER, "resume": RESUME}


def readme_text(title: str, nodes: Mapping[str, Node], names: Dict[str, InstanceName], version: str) -> str:
    """``README.md``."""
    sections = [
        _introduction(title, version),
        ["## Run it", ""] + _block([f"{command:<66} # {name}" for name, command in commands().items()]),
        _training(),
        _checkpoints(nodes),
        ["## Change it", ""] + _node_table(nodes, names),
        _cluster(),
        ["## All options", ""] + _block(options_text().splitlines(), "text"),
        _folder(),
    ]
    return join_lines("\n\n".join("\n".join(section) for section in sections).split("\n"))


def _block(lines: Sequence[str], language: str = "bash") -> List[str]:
    return [f"```{language}", *(line.rstrip() for line in lines), "```"]


def _introduction(title: str, version: str) -> List[str]:
    return [
        f"# {one_line(title)}",
        "",
        f"A workflow of DNNE {version} as a Python folder. It needs Python 3.8 or newer and PyTorch, but no DNNE.",
    ]


def _training() -> List[str]:
    return [
        "Each run makes a folder in `runs/` with its parameters, versions, events (`events.jsonl`), metrics",
        "(`metrics.csv`, TensorBoard where it is installed) and the states to resume from. A training ends at the",
        "first of `--timeout`, `--total-timesteps`, `--iterations`, `--stop-reward` and `--patience`, or with Ctrl-C,",
        "which saves first. The same seed gives the same metrics to the last bit on the same machine, device and build",
        "of torch, with the same numbers of processes and threads, also across a resume.",
    ]


def _checkpoints(nodes: Mapping[str, Node]) -> List[str]:
    savers = [node for node in nodes.values() if "checkpoint_enabled" in node.parameters]
    lines = ["## Checkpoints", ""]
    lines += ["A node saves with `--save-checkpoint-dir DIR` and with `checkpoint_enabled = True` in its module:", ""]
    for node in savers:
        enabled = "on" if node.parameter_values()["checkpoint_enabled"] else "off"
        lines.append(f"- node {node.id} ({one_line(node.label)}): {enabled}")
    if not savers:
        lines.append("- no node of this workflow has checkpoints")
    return [*lines, "", "`--load-checkpoint-dir DIR` loads all that DIR holds, whatever `checkpoint_enabled` says."]


def _node_table(nodes: Mapping[str, Node], names: Dict[str, InstanceName]) -> List[str]:
    lines = ["The values of each node stand in its module. `NODE.PARAM=VALUE` changes one for a single run.", ""]
    lines += ["| Node | Title | Module |", "|---|---|---|"]
    for node_id, node in nodes.items():
        cells = (node_id, node.label, f"`{PACKAGE}/{names[node_id].module}.py`")
        lines.append("| " + " | ".join(one_line(cell).replace("|", "\\|") for cell in cells) + " |")
    return [*lines, "", "The wires stand in `runner.py`. DNNE opens `workflow.json`, the workflow as it was exported."]


def _cluster() -> List[str]:
    return [
        "## On a cluster",
        "",
        *_block([SBATCH, TORCHRUN]),
        "",
        "`slurm.sbatch` asks for one node, passes its arguments on, and resumes after a time limit or requeue.",
        "`sbatch --nodes 4 slurm.sbatch` trains on four nodes, `NPROC=8 sbatch slurm.sbatch` in 8 processes on one.",
        "Each process has its own environments, as many as the workflow says. `--nproc N` starts N on this machine.",
    ]


def options_text() -> str:
    """``runner.py --help``, for reading."""
    formatter = functools.partial(argparse.HelpFormatter, width=110)
    parser = argparse.ArgumentParser("runner.py", usage=argparse.SUPPRESS, formatter_class=formatter, add_help=False)
    parser.add_argument("--inference", action="store_true", help="run the trained policy; nothing is trained")
    add_run_options(parser)
    return parser.format_help().strip("\n")


def _folder() -> List[str]:
    return [
        "## What is here",
        "",
        "| | |",
        "|---|---|",
        "| `runner.py` | nodes and wires; start this |",
        f"| `{PACKAGE}/` | one module per node, with its values |",
        "| `framework/` | what the nodes do; part of DNNE, under its licence |",
        "| `workflow.json` | the workflow, for DNNE |",
        "| `resources/models/` | the robots of the built-in tasks, where the workflow simulates |",
        "| `resources/presets/` | the sizes of `--preset` |",
        "| `requirements.txt` | what to install |",
        "| `slurm.sbatch` | a job for Slurm |",
        "| `export.json` | what was written, so that a new export can replace it |",
    ]
