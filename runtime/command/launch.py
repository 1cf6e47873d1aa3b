"""From parsed options to a finished run and its exit code."""

from __future__ import annotations

import argparse
import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Callable, Optional, Sequence

from ..distributed.failures import raise_first
from ..distributed.modes import LAUNCH
from ..errors import DnneError
from ..graph import Graph
from ..validation import Adjust, check_graph, require_valid
from ..workflow import load_workflow
from .configure import configure
from .options import add_run_options
from .parser import CommandParser
from .processes import connect, leave, mode_of, start
from .session import EXIT_BAD_INPUT, Session, Source
from .signals import EXIT_CODES
from .words import take_words

LEFT_IN_ORDER = (0, EXIT_BAD_INPUT, *EXIT_CODES.values())


def run_command(
    source: Source,
    args: argparse.Namespace,
    inference: bool,
    publish: bool = False,
    command: Optional[Sequence[str]] = None,
) -> int:
    """Run a workflow as the options say and return the exit code: 0, 1 (failed), 2 (bad input), 130, 138, 141 or 143.

    Args:
        source: The workflow.
        args: Parsed options.
        inference: Nothing is trained.
        publish: Set the flags on `builtins` that exported runners have always set.
        command: A command line that does the same, to be started in several processes.
    """
    try:
        configuration = configure(args, inference, source.document.name)
        mode = mode_of(configuration.args, inference)
        if mode.kind == LAUNCH:
            return start(mode, command, configuration.args, source.document.name)
        team = connect(mode, configuration.args)
    except DnneError as error:
        return leave(bad_input(error))
    with contextlib.ExitStack() as stack:
        stack.callback(team.communicator.close)
        session: Optional[Session] = None
        problem: Optional[DnneError] = None
        try:
            session = Session(source, args, inference, publish, stack, team=team, configuration=configuration)
        except DnneError as error:
            problem = error
        try:
            raise_first(team.communicator, problem)
        except DnneError as error:
            problem = error
        if session is None or problem is not None:
            return leave(bad_input(problem) if team.communicator.rank == 0 else EXIT_BAD_INPUT)
        code = session.run()
        return leave(code) if code in LEFT_IN_ORDER else code


def bad_input(error: object) -> int:
    """Print an error on standard error; the exit code of bad input."""
    sys.stderr.write(f"error: {error}\n")
    return EXIT_BAD_INPUT


def main_runner(build: Callable[[], Graph], folder: Path, argv: Optional[Sequence[str]] = None) -> int:
    """The command line of an exported ``runner.py``.

    Args:
        build: Makes the graph from the generated node classes.
        folder: The export, with ``workflow.json``.
        argv: Arguments; those of the process by default.
    """
    parser = CommandParser(prog="runner.py", description=f"Runs the exported workflow in {folder}.")
    parser.add_argument("--inference", action="store_true", help="run the trained policy; nothing is trained")
    add_run_options(parser)
    arguments = list(sys.argv[1:] if argv is None else argv)
    args = take_words(parser, *parser.parse_known_args(arguments))
    try:
        document = load_workflow(folder / "workflow.json")
        source = Source(document, lambda adjust: _built(build, adjust))
        command = [sys.executable, str(folder / "runner.py"), *arguments]
        return run_command(source, args, args.inference, publish=True, command=command)
    except DnneError as error:
        return bad_input(error)


def _built(build: Callable[[], Graph], adjust: Adjust) -> Graph:
    graph = build()
    problems = adjust(graph)
    problems += check_graph(graph, problems)
    labels = {node_id: node.label for node_id, node in graph.nodes.items()}
    require_valid([replace(problem, label=labels.get(problem.node_id, "")) for problem in problems])
    return graph
