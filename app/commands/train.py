"""Train a workflow, or go on with an earlier run."""

import argparse

from runtime.command.launch import run_command
from runtime.command.options import add_run_options
from runtime.command.resuming import AUTO
from runtime.errors import RunError
from runtime.recording import RunFolder

from ..child_command import child_command
from .common import add_nodes_dir, file_source


def add_options(parser: argparse.ArgumentParser) -> None:
    """The workflow and the options of training."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="workflow; with --resume, the run's own by default")
    add_nodes_dir(parser)
    add_run_options(parser, infer=False)


def run(args: argparse.Namespace) -> int:
    """Train."""
    if args.file is None and args.resume in (None, AUTO):
        raise RunError("which workflow? Give its file: dnne train FILE")
    path = args.file or RunFolder.open(args.resume, lock=False).workflow_file
    command = child_command(args.command_line)
    return run_command(file_source(path, args), args, inference=False, command=command)
