"""Train a workflow, or go on with an earlier run."""

import argparse
from pathlib import Path

from runtime.command.launch import run_command
from runtime.command.options import add_run_options, add_training_options
from runtime.errors import RunError

from .common import add_nodes_dir, file_source


def add_options(parser: argparse.ArgumentParser) -> None:
    """The workflow and the options of training."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="workflow; with --resume, the run's own by default")
    add_nodes_dir(parser)
    add_run_options(parser)
    add_training_options(parser)


def run(args: argparse.Namespace) -> int:
    """Train."""
    path = args.file
    if path is None and args.resume:
        path = str(Path(args.resume) / "workflow.json")
    if path is None:
        raise RunError("which workflow? Give its file: dnne train FILE")
    return run_command(file_source(path, args), args, inference=False)
