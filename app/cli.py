"""The ``dnne`` command. Imports no Qt; the editor is loaded only where it is opened."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import List, Optional, Sequence

from runtime import __version__
from runtime.command.parser import CommandParser
from runtime.command.words import take_words
from runtime.errors import DnneError
from runtime.simulators.isaacgym_first import import_isaacgym_first, release_isaacgym
from runtime.suggest import did_you_mean

from .commands import COMMANDS

DESCRIPTION = (
    "Wire a reinforcement-learning workflow, train it, export it. "
    "Without a command the editor opens: dnne [--nodes-dir DIR] [FILE]."
)
EDITOR_LIBRARIES = ("PySide6", "NodeGraphQt", "Qt", "shiboken6", "distutils", "setuptools")
INSTALL = 'pip install "dnne[editor]", or in the source tree: pip install -e ".[editor]"'


def build_parser(chosen: Optional[str] = None) -> CommandParser:
    """The parser of all subcommands; only the chosen one is imported and has its options."""
    parser = CommandParser(prog="dnne", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"dnne {__version__}")
    subcommands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (module_name, help_text) in COMMANDS.items():
        subparser = subcommands.add_parser(name, help=help_text)
        if name == chosen:
            module = import_module(f"{__package__}.commands.{module_name}")
            subparser.description = module.__doc__
            module.add_options(subparser)
            subparser.set_defaults(run=module.run, parser=subparser)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a command line and return its exit code. Bad input gives 2, a failed run 1, Ctrl-C 130, SIGTERM 143.

    Without a command the editor opens, with a file if one is given.
    """
    arguments: List[str] = list(sys.argv[1:] if argv is None else argv)
    code = _outcome(arguments)
    if argv is None and _editor_options(arguments) is not None and sys.version_info < (3, 9):
        _leave(code)
    return code


def _outcome(arguments: List[str]) -> int:
    """The exit code of a command line; expected errors become one line."""
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


def _editor_options(arguments: List[str]) -> Optional[argparse.Namespace]:
    """The options of ``dnne [--nodes-dir DIR] [FILE]``; ``None`` for the command line of another command."""
    if arguments and arguments[0] in COMMANDS:
        return None
    parser = argparse.ArgumentParser(prog="dnne", add_help=False, allow_abbrev=False)
    parser.add_argument("file", nargs="?", metavar="FILE")
    parser.add_argument("--nodes-dir", action="append", default=[], metavar="DIR")
    options, others = parser.parse_known_args(arguments)
    return None if others or options.file in COMMANDS else options


def _run(arguments: List[str]) -> int:
    options = _editor_options(arguments)
    if options is not None:
        return _edit(options.file, options.nodes_dir)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    if chosen in COMMANDS:
        import_isaacgym_first()
    parser = build_parser(chosen)
    args, rest = parser.parse_known_args(arguments)
    take_words(getattr(args, "parser", parser), args, rest)
    args.command_line = arguments
    if args.command is None:
        parser.print_help()
        return 2
    return int(args.run(args))


def _discard_output() -> None:
    """Nobody reads standard output any more: what Python flushes when it exits must not raise again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _edit(path: Optional[str], nodes_folders: Sequence[str]) -> int:
    """Open the editor, or say what is missing."""
    reason = _no_file(path) if path is not None else ""
    missing = next((folder for folder in nodes_folders if not Path(folder).is_dir()), None)
    if not reason and missing is not None:
        reason = f"--nodes-dir: there is no folder {missing}"
    if not reason and _has_no_display():
        reason = "the editor needs a display (DISPLAY or WAYLAND_DISPLAY); without one, use a command: dnne --help"
    if not reason:
        import_isaacgym_first()
        try:
            from .editor import open_editor
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in EDITOR_LIBRARIES:
                raise
            reason = f"the editor needs {error.name}, which is not installed: {INSTALL}"
    if reason:
        print(f"error: {reason}", file=sys.stderr)
        return 2
    return open_editor(path, nodes_folders)


def _no_file(path: str) -> str:
    if Path(path).is_file():
        return ""
    if Path(path).suffix or "/" in path:
        return f"there is no file {path}"
    return f"there is no command and no file {path!r}{did_you_mean(path, COMMANDS)}"


def _has_no_display() -> bool:
    """On Linux Qt aborts the process where there is none."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform.startswith("linux") and not any(os.environ.get(name) for name in names)


def _leave(code: int) -> None:
    """End the process at once: Python 3.8 with PySide6 6.6 crashes when the interpreter is taken down."""
    release_isaacgym()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
