"""Run a trained workflow without training it."""

import argparse

from runtime.command.launch import run_command
from runtime.command.options import add_run_options

from .common import add_nodes_dir, file_source


def add_options(parser: argparse.ArgumentParser) -> None:
    """The workflow and the options of inference."""
    parser.add_argument("file", metavar="FILE", help="workflow")
    add_nodes_dir(parser)
    add_run_options(parser, train=False)


def run(args: argparse.Namespace) -> int:
    """Infer."""
    return run_command(file_source(args.file, args), args, inference=True)
