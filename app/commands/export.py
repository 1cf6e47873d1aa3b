"""Write a workflow as a folder that runs with ``python runner.py``, with torch alone."""

import argparse

from runtime.export import export_workflow
from runtime.workflow import load_workflow

from .common import add_nodes_dir, load_registry


def add_options(parser: argparse.ArgumentParser) -> None:
    """The workflow and the folder."""
    parser.add_argument("file", metavar="FILE", help="workflow")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--force", action="store_true", help="write into a folder that holds something else")
    add_nodes_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Export and print the commands to run it."""
    report = export_workflow(load_workflow(args.file), load_registry(args), args.output, force=args.force)
    print(report.text)
    return 0
