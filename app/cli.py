"""The ``dnne`` command. Imports no Qt; the editor is loaded only where it is opened."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import List, Optional, Sequence

from runtime import __version__
from runtime.errors import DnneError

from .commands import COMMANDS


def build_parser(chosen: Optional[str] = None) -> argparse.ArgumentParser:
    """The parser of all subcommands; only the chosen one is imported and has its options."""
    parser = argparse.ArgumentParser(
        prog="dnne", description="Wire a reinforcement-learning workflow, train it, export it.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"dnne {__version__}")
    subcommands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (module_name, help_text) in COMMANDS.items():
        subparser = subcommands.add_parser(name, help=help_text, allow_abbrev=False)
        if name == chosen:
            module = import_module(f"{__package__}.commands.{module_name}")
            subparser.description = module.__doc__
            module.add_options(subparser)
            subparser.set_defaults(run=module.run)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a command line and return its exit code. Bad input gives 2, a failed run 1, Ctrl-C 130, SIGTERM 143."""
    arguments: List[str] = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except DnneError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _discard_output()
        return 141
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run(arguments: List[str]) -> int:
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    parser = build_parser(chosen)
    args = parser.parse_args(arguments)
    if args.command is None:
        parser.print_help()
        print("\nThe editor is not part of this version; train a workflow with: dnne train FILE", file=sys.stderr)
        return 2
    return int(args.run(args))


def _discard_output() -> None:
    """Nobody reads standard output any more: what Python flushes when it exits must not raise again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
