"""A parser of command lines that says in one line what is wrong."""

from __future__ import annotations

import argparse
from typing import NoReturn, Sequence

from ..suggest import did_you_mean

EXIT_BAD_INPUT = 2


class CommandParser(argparse.ArgumentParser):
    """Reports bad input as every other part does, and not below a screen of options; never guesses an abbreviation."""

    def __init__(self, *args: object, **options: object):
        options.setdefault("allow_abbrev", False)
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """End the process with the exit code of bad input."""
        self.exit(EXIT_BAD_INPUT, f"error: {message}\nAll options: {self.prog} --help\n")

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """End the process because of words that belong nowhere."""
        hints = "".join(did_you_mean(word.partition("=")[0], self._option_string_actions) for word in words)
        self.error(f"unrecognized arguments: {' '.join(words)}{hints}")
