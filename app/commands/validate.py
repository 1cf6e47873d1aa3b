"""List everything that is wrong with a workflow."""

import argparse
import json
from typing import List

from runtime.errors import WorkflowError
from runtime.validation import ERROR, Problem
from runtime.validation import validate as find_problems
from runtime.workflow import load_workflow

from .common import add_nodes_dir, load_registry


def add_options(parser: argparse.ArgumentParser) -> None:
    """The workflow."""
    parser.add_argument("file", metavar="FILE", help="workflow")
    parser.add_argument("--json", action="store_true", help="problems as a JSON list")
    add_nodes_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Print every problem; exit code 2 if there is an error."""
    problems = _problems(args)
    if args.json:
        print(json.dumps([vars(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            print(f"{problem.severity}: {problem.text}")
        if not problems:
            print(f"{args.file}: no problems")
    return 2 if any(problem.severity == ERROR for problem in problems) else 0


def _problems(args: argparse.Namespace) -> List[Problem]:
    """What is wrong; with --json, a file that cannot be read is a problem like others, so that the output is JSON."""
    registry = load_registry(args)
    try:
        return find_problems(load_workflow(args.file), registry)
    except WorkflowError as error:
        if not args.json:
            raise
        return [Problem("", "", str(error))]
