"""Lists of values on a command line: ``0..4``, ``1e-4,3e-4``, ``[64,64],[32]``."""

import argparse
import re
from typing import List

from runtime.errors import DnneError

RANGE = re.compile(r"(-?[0-9]{1,18})\.\.(-?[0-9]{1,18})")
MOST_SEEDS = 10_000


class TooManyValues(DnneError):
    """A list of values is longer than is allowed. Names both numbers."""


def split_values(text: str, most: int) -> List[str]:
    """The values between commas that stand in no brackets or quotes; ``0..4`` is 0, 1, 2, 3 and 4.

    Raises:
        TooManyValues: There are more than ``most``. They are counted, not written out.
    """
    parts = _split(text)
    ranges = [RANGE.fullmatch(part) for part in parts]
    count = sum(1 if match is None else abs(int(match[2]) - int(match[1])) + 1 for match in ranges)
    if count > most:
        raise TooManyValues(f"{text} are {count:,} values, and {most:,} are allowed")
    values: List[str] = []
    for part, match in zip(parts, ranges):
        if match is None:
            values.append(part)
            continue
        first, last = int(match[1]), int(match[2])
        step = 1 if last >= first else -1
        values += [str(number) for number in range(first, last + step, step)]
    return values


def parse_seeds(text: str) -> List[int]:
    """An argparse type: seeds, each once."""
    try:
        values = split_values(text, MOST_SEEDS)
    except TooManyValues as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not values or not all(value.isdecimal() for value in values):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of seeds such as 0..4 or 0,3,7")
    return list(dict.fromkeys(int(value) for value in values))


def _split(text: str) -> List[str]:
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
