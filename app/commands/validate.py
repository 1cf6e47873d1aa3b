"""List everything that is wrong with a workflow."""

import argparse
import json

from runtime.validation import ERROR
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
    problems = find_problems(load_workflow(args.file), load_registry(args))
    if args.json:
        print(json.dumps([vars(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            print(f"{problem.severity}: {problem.text}")
        if not problems:
            print(f"{args.file}: no problems")
    return 2 if any(problem.severity == ERROR for problem in problems) else 0
