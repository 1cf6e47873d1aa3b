"""Words of a command line that are no options: the workflow's file, and ``KEY=VALUE``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Sequence

from .parser import CommandParser


def is_override(word: str) -> bool:
    """Whether a word of the command line is ``KEY=VALUE`` and no option."""
    return not word.startswith("-") and "=" in word[1:]


def take_words(parser: CommandParser, args: argparse.Namespace, rest: Sequence[str]) -> argparse.Namespace:
    """Give words that stand between options to where they belong: argparse takes those of one place only.

    Args:
        parser: That of the command; it reports what belongs nowhere, and ends the process.
        args: What `parse_known_args` made; changed in place.
        rest: What it left.
    """
    if not hasattr(args, "overrides"):
        if rest:
            parser.refuse(rest)
        return args
    words = [*args.overrides, *rest]
    file = getattr(args, "file", None)
    if file is not None and is_override(file) and not Path(file).exists():
        words, args.file = [file, *words], None
    if hasattr(args, "file") and args.file is None:
        args.file = next((word for word in words if not word.startswith("-") and not is_override(word)), None)
        words = [word for word in words if word != args.file]
    unknown = [word for word in words if not is_override(word)]
    if unknown:
        parser.refuse(unknown)
    args.overrides = words
    return args
